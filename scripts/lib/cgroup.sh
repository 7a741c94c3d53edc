# shellcheck shell=bash
# The host's control groups: <mount>/berth-host in every hierarchy of the machine, with two leaves below:
#   host      the root of the host's cgroup namespace, owned by its systemd
#   launcher  the processes that started it (on v2 they may not share a group with the subtree of `host`)
# At the top and not below the caller's: the host is the machine's, it outlives the session that happened to start it.

CGROUP_ENABLED_FILE=$RUN_DIR/cgroup.enabled
CGROUP_EVACUATED=berth-outer

# cgroup_mounts: "TYPE MOUNTPOINT CONTROLLERS" of each mounted hierarchy, once; CONTROLLERS is - for v2.
cgroup_mounts() {
  local line left right fields type options seen=' '
  while IFS= read -r line; do
    left=${line%% - *} right=${line##* - }
    read -r type _ options <<<"$right"
    [[ $type == cgroup || $type == cgroup2 ]] || continue
    read -ra fields <<<"$left"
    # The host's own mounts show here when a build or a test runs inside another container.
    [[ $seen != *" $type:$options "* ]] || continue
    seen+="$type:$options "
    if [[ $type == cgroup2 ]]; then options=-; else options=$(cgroup_v1_options "$options"); fi
    echo "$type ${fields[4]} $options"
  done </proc/self/mountinfo
}

# Of the super block's options, those that name the hierarchy.
cgroup_v1_options() {
  local option named=()
  while IFS= read -rd, option; do
    case $option in rw | ro | xattr | noprefix | clone_children | release_agent=* | cpuset_v2_mode) ;; *) named+=("$option") ;; esac
  done <<<"$1,"
  (
    IFS=,
    echo "${named[*]}"
  )
}

# True when no controller is bound to a v1 hierarchy: then everything is v2's.
cgroup_unified() {
  local others
  others=$(cgroup_mounts | grep -vE '^cgroup2 |^cgroup [^ ]+ name=') || true
  [[ -z $others ]]
}

cgroup_up() {
  local type mount options
  [[ -n $(cgroup_mounts) ]] || die "no cgroup file system is mounted: systemd cannot run without (mount -t cgroup2 cgroup2 /sys/fs/cgroup)"
  cgroup_unified || cgroup_ensure_systemd_hierarchy
  while read -r type mount options; do
    mkdir -p "$mount/$HOST_NAME/host" "$mount/$HOST_NAME/launcher" 2>/dev/null ||
      die "cannot make a cgroup in $mount: a container must be started with a writable cgroup mount (docker run --privileged --cgroupns=private)"
    if [[ ,$options, == *,cpuset,* ]]; then cgroup_cpuset "$mount"; fi
    if [[ $type == cgroup2 ]] && cgroup_unified; then cgroup_v2_controllers "$mount"; fi
  done < <(cgroup_mounts)
}

# v1 cpusets start empty, and a process cannot enter an empty one.
cgroup_cpuset() {
  local dir file
  for dir in "$1/$HOST_NAME" "$1/$HOST_NAME/host" "$1/$HOST_NAME/launcher"; do
    for file in cpuset.cpus cpuset.mems; do cat "$1/$file" >"$dir/$file"; done
  done
}

# systemd keeps its units in a hierarchy of that name on v1; a machine that never ran systemd has none.
cgroup_ensure_systemd_hierarchy() {
  [[ $(cgroup_mounts) == *' name=systemd'* ]] && return
  mkdir -p "$RUN_DIR/cgroup"
  mount -t cgroup -o none,name=systemd cgroup "$RUN_DIR/cgroup"
}

# For v2 machines without systemd, a privileged container mostly. Developed on a v1 machine, tried in a virtual machine
# with Linux 6.12: at the real root, and in a cgroup namespace below it.
cgroup_v2_controllers() {
  local mount=$1 controller
  for controller in cpu cpuset io memory pids; do
    grep -qw "$controller" "$mount/cgroup.controllers" || continue
    if ! grep -qw "$controller" "$mount/cgroup.subtree_control"; then
      cgroup_v2_enable "$mount" "$controller"
      echo "$controller" >>"$CGROUP_ENABLED_FILE"
    fi
    echo "+$controller" >"$mount/$HOST_NAME/cgroup.subtree_control"
  done
  for controller in cpu memory pids; do
    grep -qw "$controller" "$mount/$HOST_NAME/cgroup.subtree_control" ||
      die "the $controller controller is not available in $mount (cgroup.controllers: $(<"$mount/cgroup.controllers")): enable it in the cgroup above"
  done
}

# A container's top group is no real root (only those lack cgroup.type): while processes sit in it, controllers cannot
# be handed down. The memory controller is refused; cpu and pids succeed and make the groups below "domain invalid".
# So the processes step aside into a leaf first, as in docker-library's dind; `down` brings them back.
cgroup_v2_enable() {
  local mount=$1 controller=$2
  if [[ -e $mount/cgroup.type && -n $(<"$mount/cgroup.procs") ]]; then cgroup_move_all "$mount" "$mount/$CGROUP_EVACUATED"; fi
  { echo "+$controller" >"$mount/cgroup.subtree_control"; } 2>/dev/null ||
    die "cannot enable the $controller controller in $mount/cgroup.subtree_control:" \
      "a container must be started with --privileged --cgroupns=private; a machine with systemd needs no embedded host"
}

cgroup_move_all() {
  local pids pid
  mkdir -p "$2"
  # Read at once: a line-wise read of cgroup.procs loses processes that are moved meanwhile.
  mapfile -t pids <"$1/cgroup.procs"
  for pid in "${pids[@]}"; do { echo "$pid" >"$2/cgroup.procs"; } 2>/dev/null || true; done
}

# cgroup_join LEAF PID
cgroup_join() {
  local mount
  while read -r _ mount _; do echo "$2" >"$mount/$HOST_NAME/$1/cgroup.procs"; done < <(cgroup_mounts)
}

# cgroup_join_process TARGET PID: into the very groups TARGET is in. No child process: this is on the path of `exec`.
cgroup_join_process() {
  local line left id controllers path option type _ options=() paths=()
  while IFS=: read -r id controllers path; do
    options+=("$id:$controllers") paths+=("$path")
  done <"/proc/$1/cgroup"
  while IFS= read -r line; do
    [[ $line == *" - cgroup"* ]] || continue
    left=${line%% - *}
    read -r type _ option <<<"${line##* - }"
    read -r _ _ _ _ left _ <<<"$left"
    for id in "${!options[@]}"; do
      controllers=${options[id]#*:}
      if [[ $type == cgroup2 && ${options[id]} == 0: ]] || [[ -n $controllers && $type == cgroup && ,$option, == *",$controllers,"* ]]; then
        { echo "$2" >"$left${paths[id]}/cgroup.procs"; } 2>/dev/null || true
      fi
    done
  done </proc/self/mountinfo
}

# cgroup_processes: outer pids of all that lives in the host's groups.
cgroup_processes() {
  local mount
  while read -r _ mount _; do
    [[ ! -d $mount/$HOST_NAME ]] || find "$mount/$HOST_NAME" -name cgroup.procs -exec cat {} + 2>/dev/null || true
  done < <(cgroup_mounts) | sort -un
}

cgroup_down() {
  local type mount controller
  while read -r type mount _; do
    [[ ! -d $mount/$HOST_NAME ]] || find "$mount/$HOST_NAME" -depth -type d -exec rmdir {} + 2>/dev/null || true
    if [[ $type == cgroup2 && -e $CGROUP_ENABLED_FILE && ! -d $mount/$HOST_NAME ]]; then
      while read -r controller; do { echo "-$controller" >"$mount/cgroup.subtree_control"; } 2>/dev/null || true; done <"$CGROUP_ENABLED_FILE"
      rm -f "$CGROUP_ENABLED_FILE"
    fi
    if [[ $type == cgroup2 && -d $mount/$CGROUP_EVACUATED ]]; then
      cgroup_move_all "$mount/$CGROUP_EVACUATED" "$mount"
      rmdir "$mount/$CGROUP_EVACUATED" 2>/dev/null || true
    fi
  done < <(cgroup_mounts)
  if mountpoint -q "$RUN_DIR/cgroup"; then umount "$RUN_DIR/cgroup"; fi
  rmdir "$RUN_DIR/cgroup" 2>/dev/null || true
}

cgroup_left() {
  local mount
  while read -r _ mount _; do [[ ! -d $mount/$HOST_NAME ]] || echo "$mount/$HOST_NAME"; done < <(cgroup_mounts)
}
