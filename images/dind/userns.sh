# shellcheck shell=sh
# Isolation "userns", the side of real root. It makes a user namespace with this sandbox's own uids,
# a network namespace behind a firewall that the user cannot reach, and a cgroup subtree; then it starts
# world.sh as root *of that namespace* and does nothing more but wait for its end. Nothing that runs
# in there is ever read, opened or executed here.
# shellcheck disable=SC2154 # state comes from common.sh

# The link between the container's network namespace and the user's: RFC 7335 keeps 192.0.0.0/29 for
# such use, so that no network of a user's or an operator's is hidden by it. src/isolation/firewall.ts
# knows the same.
gate_address=192.0.0.1
user_address=192.0.0.2
link_bits=30

world=
init=

# What takes time goes on side by side: the user's world is built while its network is. It has none
# until the firewall is whole, for only then is there a link.
run_userns() {
  trap stop_world TERM INT
  base=$(number_of BERTH_UID_BASE)
  make_namespaces
  delegate_cgroups
  hand_over
  map_ids
  start_world
  wall_in
  connect
  await_world
  wait_for "$world"
  [ "$status" -eq 0 ] || warn "the sandbox's own processes ended with status $status"
  # Told to stop, 0 is right; by itself it never is.
  [ -n "${stopping_world:-}" ] || [ "$status" -ne 0 ] || status=1
  exit "$status"
}

number_of() {
  eval "value=\${$1:-}"
  # shellcheck disable=SC2154 # set by eval
  case $value in
    '' | *[!0-9]*) fail "$1 is \"$value\", which is no number" ;;
  esac
  echo "$value"
}

# A cgroup "box" that belongs to the namespace's root, as the kernel asks for it when one delegates:
# the directory and the files that move processes, never the limits (cgroup-v2.rst, "Delegation
# Containment"). The limits of all of it stay on the cgroups above.
delegate_cgroups() {
  root=/sys/fs/cgroup
  if [ -e $root/cgroup.controllers ]; then
    empty_into_leaf $root
    enable_controllers $root
    boxes=$root/box
    mkdir -p $boxes
    bound_subtree $boxes
    chown "$base:$base" $boxes $boxes/cgroup.procs $boxes/cgroup.threads $boxes/cgroup.subtree_control
    return
  fi
  boxes='' given=''
  for hierarchy in "$root"/*/; do
    hierarchy=${hierarchy%/}
    # cpu and cpuacct may be two names of one hierarchy.
    if [ -L "$hierarchy" ] || [ ! -e "$hierarchy/cgroup.procs" ]; then continue; fi
    boxes="$boxes $hierarchy/box"
    given="$given $hierarchy/box $hierarchy/box/cgroup.procs $hierarchy/box/tasks"
  done
  # shellcheck disable=SC2086 # lists of words
  mkdir -p $boxes
  # v1: a cgroup without processors takes no process.
  for file in cpus mems; do
    [ ! -e "$root/cpuset/cpuset.$file" ] || cat "$root/cpuset/cpuset.$file" >"$root/cpuset/box/cpuset.$file"
  done
  # shellcheck disable=SC2086
  chown "$base:$base" $given
}

# cgroup v2, what no limit of a slice or container speaks of. The kernel has 65,535 memory cgroups for the
# whole machine: somebody who made them all would keep the host from starting anything. And huge pages, which
# it sets aside where the operator tells it to, are counted by no memory limit.
bound_subtree() {
  echo 1000 >"$1/cgroup.max.descendants"
  for file in "$1"/hugetlb.*.max; do
    [ ! -e "$file" ] || echo 0 >"$file"
  done
}

# What the user's world gets from here, at places of its own: certificates, resolvers, device nodes.
hand_over() {
  mkdir -p "$state/root" "$state/certs" "$state/dev"
  install -m 0600 -o "$base" -g "$base" -t "$state/certs" \
    /berth/certs/ca.pem /berth/certs/server-cert.pem /berth/certs/server-key.pem
  resolv_conf >"$state/resolv.conf"
  # Nodes named one by one: the container's /dev is the host's, with whatever is open to all there.
  # On a file system of real root's, for the kernel opens no device on one of a user namespace; what the
  # user mounts in it comes on top.
  mount -t tmpfs -o mode=755,nosuid,noexec,size=64k dev "$state/dev"
  (
    cd "$state/dev" || exit
    umask 0
    mkdir -m 755 pts shm mqueue net
    # With links into /proc/self/fd.
    cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty \
      /dev/fd /dev/stdin /dev/stdout /dev/stderr .
    mknod fuse c 10 229
    mknod net/tun c 10 200
    chmod 666 null zero full random urandom tty
    chown 0:0 tty
    ln -s pts/ptmx ptmx
  )
  for device in ${BERTH_DEVICES:-}; do
    grant "$device"
  done
  mount -o remount,ro "$state/dev"
  show_preload
}

# A view of the preload in which its owners are the sandbox's own uids. Read-only and without devices,
# and nobody inside can take that off: these are flags of a mount from outside.
show_preload() {
  mountpoint -q /preload || return 0
  mkdir "$state/preload"
  mount --bind -o "ro,nodev,X-mount.idmap=b:0:$base:65536" /preload "$state/preload" ||
    fail "the preloaded images cannot be mapped to the sandbox's uids; is the kernel too old for it?"
}

# A device that the profile grants, by its path on the host.
grant() {
  case $1 in
    /dev/*..* | *[!a-zA-Z0-9/_.-]*) fail "BERTH_DEVICES has \"$1\", which is no path below /dev" ;;
    /dev/?*) ;;
    *) fail "BERTH_DEVICES has \"$1\", which is no path below /dev" ;;
  esac
  node=$state/dev${1#/dev}
  mkdir -p "${node%/*}"
  cp -a "$1" "$node" 2>/dev/null || fail "the device $1 that the profile grants is not there"
  chown "$base:$base" "$node"
  chmod 660 "$node"
}

# The firewall is whole before there is anything to hold in: one transaction, and no start without it.
wall_in() {
  [ -n "${BERTH_FIREWALL:-}" ] || fail "BERTH_FIREWALL is empty; a sandbox never starts without its firewall"
  printf '%s\n' "$BERTH_FIREWALL" | nft -f - || fail "the sandbox's firewall cannot be set"
  echo 1 >/proc/sys/net/ipv4/ip_forward
  echo 0 >/proc/sys/net/ipv4/conf/all/accept_redirects
  echo 0 >/proc/sys/net/ipv4/conf/all/send_redirects
}

# Made by a process with the sandbox's first uid, so that the kernel counts what is inside (inotify
# instances, namespaces) to that uid and not to the host's root; CAP_SYS_ADMIN, for hosts on which only
# the privileged may make user namespaces. Its maps are written from here: nobody inside could have
# more than these 65,536 uids.
make_namespaces() {
  setpriv --reuid "$base" --regid "$base" --clear-groups --inh-caps +sys_admin --ambient-caps +sys_admin \
    unshare --user --net sleep infinity </dev/null >/dev/null 2>&1 &
  holder=$!
}

map_ids() {
  own=$(readlink /proc/self/ns/net)
  until there=$(readlink "/proc/$holder/ns/net" 2>/dev/null) && [ "$there" != "$own" ]; do
    alive "$holder" || fail "no user namespace can be made here; see berth doctor"
    sleep 0.002
  done
  echo "0 $base 65536" >"/proc/$holder/uid_map"
  echo "0 $base 65536" >"/proc/$holder/gid_map"
}

# The address comes last, and with it the way to the user: until then a packet is refused. One that is
# lost would keep its sender, Berth itself, waiting for a second, and so would one that is sent before the
# kernel has put the link to work, which it does a moment after both ends are up (linkwatch).
connect() {
  ip -batch - <<EOF
link add user0 mtu $mtu type veth peer name eth0 mtu $mtu netns $holder
link set user0 up
EOF
  echo 1 >/proc/sys/net/ipv4/conf/user0/rp_filter
  echo 1 >/proc/sys/net/ipv4/conf/user0/arp_ignore
  echo 1 2>/dev/null >/proc/sys/net/ipv6/conf/user0/disable_ipv6 || true
  nsenter --net="/proc/$holder/ns/net" ip -batch - <<EOF
link set lo up
address add $user_address/$link_bits dev eth0
link set eth0 up
route add default via $gate_address
EOF
  until read -r link_state </sys/class/net/user0/operstate && [ "$link_state" = up ]; do
    sleep 0.002
  done
  ip address add $gate_address/$link_bits dev user0
}

# From here on the user's: filtered system calls first (by a process that may still load the filter), the
# namespaces, no environment. Its standard output is the container's log, all else is closed.
start_world() {
  printf %s "${BERTH_SECCOMP:-}" | base64 -d >"$state/seccomp.bpf"
  [ -s "$state/seccomp.bpf" ] || fail "BERTH_SECCOMP is empty; a sandbox never starts without its filter"
  read -r mtu </sys/class/net/eth0/mtu
  # shellcheck disable=SC2016,SC2086 # expanded by the inner shell; a list of words
  env -i PATH="$PATH" sh -c '
    state=$1 holder=$2 mtu=$3
    shift 3
    for box in "$@"; do echo $$ >"$box/cgroup.procs"; done
    exec /usr/local/lib/berth/load-filter "$state/seccomp.bpf" \
      nsenter --user="/proc/$holder/ns/user" --net="/proc/$holder/ns/net" --setuid 0 --setgid 0 \
      unshare --mount --pid --fork --kill-child --ipc --uts --cgroup \
      tini -- /usr/local/lib/berth/world.sh "$mtu"
  ' sh "$state" "$holder" "$mtu" $boxes </dev/null &
  world=$!
}

await_world() {
  inside=$(readlink "/proc/$holder/ns/user")
  until [ "$(readlink "/proc/$world/ns/user" 2>/dev/null)" = "$inside" ] &&
    init=$(cat "/proc/$world/task/$world/children" 2>/dev/null) && [ -n "$init" ]; do
    alive "$world" || fail "the sandbox's own processes cannot be started"
    sleep 0.002
  done
  init=${init%% *}
  # The one that waits for them must not stand in the way of the subtree's controllers (v2).
  [ ! -e /sys/fs/cgroup/init ] || echo "$world" >/sys/fs/cgroup/init/cgroup.procs
  kill -s KILL "$holder"
  rm -f "$state/seccomp.bpf"
}

# shellcheck disable=SC2317 # called by trap
stop_world() {
  stopping_world=1
  [ -n "$init" ] || exit 143
  kill -s TERM "$init" 2>/dev/null || true
}
