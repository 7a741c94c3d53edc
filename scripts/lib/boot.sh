# shellcheck shell=bash
# shellcheck disable=SC2153 # HOST_PID comes from state.sh, REPO from the script
# Start and stop of the embedded host.

BOOT_TIMEOUT_S=${BERTH_HOST_BOOT_TIMEOUT:-90}
# Above what berth.service (60 s) and the engine (20 s) may take to stop one after the other.
STOP_TIMEOUT_S=${BERTH_HOST_STOP_TIMEOUT:-100}
INSIDE_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# in_host COMMAND...: inside all namespaces of the host, with its groups and a clean environment.
in_host() { (enter_host "$@"); }

# enter_host [NAME=VALUE...] COMMAND...: the same, in place of the calling shell.
enter_host() {
  cgroup_join_process "$HOST_PID" "$BASHPID"
  # setpriv: when this side is killed, so is the command inside; nsenter does not pass signals on.
  exec env -i PATH=$INSIDE_PATH HOME=/root TERM="${TERM:-dumb}" LANG=C.UTF-8 \
    /usr/bin/nsenter -t "$HOST_PID" -m -u -i -n -p -C -r -w -- /usr/bin/setpriv --pdeathsig TERM /usr/bin/env "$@" 9>&-
}

boot_start() {
  local command="exec unshare --mount --pid --fork --uts --ipc --propagation private bash '$LIB/pid1.sh'"
  rm -f "$INIT_FILE" "$STATE_FILE"
  : >"$BOOT_LOG"
  (
    cgroup_join launcher "$BASHPID"
    # The lock is let go of only now: should `up` be killed, the next one finds this process in its cgroup.
    exec 9>&-
    cd /
    # script(1) gives systemd a console and writes what appears there to the log.
    exec setsid env -i PATH=$INSIDE_PATH SHELL=/bin/sh BERTH_ROOT="$ROOT_DIR" BERTH_STATE_DIR="$STATE_DIR" \
      BERTH_ADDRESS="$HOST_ADDRESS" BERTH_INIT_FILE="$INIT_FILE" \
      nsenter --net="$NETNS_FILE" -- script -qfe -c "$command" "$BOOT_LOG" </dev/null >/dev/null 2>&1
  ) &
  BOOT_PID=$!
}

# boot_wait: until systemd says "running" and the engine answers, or says why not.
boot_wait() {
  local deadline=$(($(now_ms) + BOOT_TIMEOUT_S * 1000)) state=''
  until load_init; do
    if [[ -n ${BOOT_PID:-} ]]; then kill -0 "$BOOT_PID" 2>/dev/null || boot_failed "the first process ended"; fi
    (($(now_ms) < deadline)) || boot_failed "the first process did not start in $BOOT_TIMEOUT_S s"
    sleep 0.02
  done
  # "offline" or an error: systemd has no bus yet, and there is nothing to watch before it has.
  until [[ $state =~ ^(running|degraded|maintenance|stopping)$ ]]; do
    same_process "$HOST_PID" "$HOST_START" || boot_failed "systemd ended"
    (($(now_ms) < deadline)) || boot_failed "systemd is \"${state:-silent}\" after $BOOT_TIMEOUT_S s"
    sleep 0.05
    state=$(in_host timeout "$BOOT_TIMEOUT_S" systemctl is-system-running --wait 2>/dev/null) || true
  done
  # Read-only only while systemd starts (lib/pid1.sh): laid over for good it would keep user namespaces from a /proc.
  in_host bash -c 'while umount /proc/sys/fs; do :; done' 2>/dev/null || true
  [[ $state == running ]] || boot_explain "$state"
  in_host timeout 20 docker info --format '{{.ServerVersion}}' >/dev/null || boot_failed "the Docker Engine does not answer"
}

# A unit that failed (Berth's own, say) leaves a host that is good for finding out why.
boot_explain() {
  [[ $1 == degraded ]] || boot_failed "systemd is \"$1\""
  local units
  units=$(in_host systemctl list-units --failed --plain --no-legend | cut -d' ' -f1 | tr '\n' ' ')
  warn "the host is up, but these units failed: $units"
  # shellcheck disable=SC2086 # a list of words
  in_host journalctl -b -n 15 --no-pager -o cat ${units:+$(printf -- '-u %s ' $units)} | sed 's/^/  | /' >&2 || true
}

boot_failed() {
  {
    tail -n 20 "$BOOT_LOG" 2>/dev/null | tr -d '\r'
    if load_init; then
      in_host journalctl -b -n 20 --no-pager -o short-monotonic
    elif [[ -x $ROOT_DIR/usr/bin/journalctl ]]; then
      chroot "$ROOT_DIR" journalctl -n 20 --no-pager -o short-monotonic 2>/dev/null
    fi
  } | sed 's/^/  | /' >&2 || true
  die "the embedded host did not boot: $1 (the last log lines are above; more in $BOOT_LOG). Clear up with: scripts/host down"
}

# stop_host: in good order first, then what is left in its pid namespace and cgroups. Never by name.
stop_host() {
  if load_init || load_state; then
    detach_loops_inside
    if power_off; then wait_gone "$STOP_TIMEOUT_S" || warn "the host did not stop in $STOP_TIMEOUT_S s, killing it"; fi
    # Its pid namespace goes with it, and everything in there.
    if same_process "$HOST_PID" "$HOST_START"; then kill -KILL "$HOST_PID"; fi
  fi
  stop_leftovers
}

# False when systemd cannot be asked: dead, or 5 s were not enough for it to start listening.
power_off() {
  local deadline=$(($(now_ms) + 5000))
  while same_process "$HOST_PID" "$HOST_START" && (($(now_ms) < deadline)); do
    if in_host timeout 10 systemctl --no-block poweroff >/dev/null 2>&1; then return 0; fi
    sleep 0.05
  done
  return 1
}

wait_gone() {
  local deadline=$(($(now_ms) + $1 * 1000))
  while same_process "$HOST_PID" "$HOST_START"; do
    (($(now_ms) < deadline)) || return 1
    sleep 0.05
  done
}

stop_leftovers() {
  local deadline=$(($(now_ms) + 15000)) pids
  while pids=$(cgroup_processes) && [[ -n $pids ]]; do
    (($(now_ms) < deadline)) || die "processes of the host cannot be killed: $(echo "$pids" | tr '\n' ' ') (see /proc/PID/stack)"
    # shellcheck disable=SC2086 # a list of words
    kill -KILL $pids 2>/dev/null || true
    sleep 0.05
  done
  cgroup_down
  while [[ -n $(cgroup_left) ]]; do
    (($(now_ms) < deadline)) || die "cgroups of the host cannot be removed: $(cgroup_left | tr '\n' ' ')"
    sleep 0.05
    cgroup_down
  done
}

# Loop devices that something in the host set up and left: the kernel keeps them when their mount namespace goes.
# Asked for inside, where the paths of the backing files mean something; one still in use goes with its last user.
detach_loops_inside() {
  # shellcheck disable=SC2016 # expanded inside
  in_host timeout 10 bash -c 'losetup --list --noheadings --output NAME,BACK-MAJ:MIN,BACK-INO,BACK-FILE |
    while read -r name device inode file; do
      if [[ $(stat -c "%Hd:%Ld %i" -- "$file") == "$device $inode" ]]; then losetup -d "$name"; fi
    done' >/dev/null 2>&1 || true
}

# The same after systemd was killed: told by device and inode of the backing file.
detach_loops() {
  local state_device image_device name device inode
  [[ -d $STATE_DIR ]] || return 0
  state_device=$(stat -c %Hd:%Ld "$STATE_DIR")
  image_device=$(cat "$IMAGE_DEVICE_FILE" 2>/dev/null) || true
  while read -r name device inode; do
    if [[ $device == "$image_device" ]] ||
      [[ $device == "$state_device" && -n $(find "$STATE_DIR" -xdev -inum "$inode" -print -quit 2>/dev/null) ]]; then
      losetup -d "$name" || true
    fi
  done < <(losetup --list --noheadings --output NAME,BACK-MAJ:MIN,BACK-INO 2>/dev/null)
}
