# shellcheck shell=sh
# What the scripts of a sandbox share.

# shellcheck disable=SC2034 # used by whoever reads this file
state=/run/berth

warn() {
  echo "berth-entrypoint: $*" >&2
}

fail() {
  warn "$@"
  exit 1
}

# A zombie counts as ended.
alive() {
  read -r _ _ process_state _ 2>/dev/null <"/proc/$1/stat" && [ "$process_state" != Z ]
}

# Leaves a child's exit status in $status. A trapped signal interrupts `wait`, hence the loop.
wait_for() {
  while alive "$1"; do
    wait "$1" || true
  done
  trap - CHLD
  status=0
  wait "$1" || status=$?
}

# cgroup v2: processes sit in leaves only. Moves all of a cgroup ($1) into its leaf $1/init; repeated
# until none is left, for a process may fork meanwhile. "0" is one of another pid namespace.
empty_into_leaf() {
  mkdir -p "$1/init"
  while pids=$(grep -vx 0 "$1/cgroup.procs"); do
    for pid in $pids; do
      echo "$pid" 2>/dev/null >"$1/init/cgroup.procs" || true
    done
  done
}

# cgroup v2: lets the cgroups below $1 have every controller it has itself.
enable_controllers() {
  read -r controllers <"$1/cgroup.controllers"
  for controller in $controllers; do
    echo "+$controller" 2>/dev/null >"$1/cgroup.subtree_control" ||
      warn "cgroup controller $controller cannot be delegated to inner containers"
  done
}

# The engine's own resolver (127.0.0.11 on its networks) cannot be reached from inner networks, and
# dockerd hands what it finds in resolv.conf to inner containers and to builds.
resolv_conf() {
  for address in ${BERTH_DNS:-}; do
    case $address in
      *[!0-9a-fA-F.:]*) fail "BERTH_DNS has \"$address\", which is no address" ;;
    esac
    echo "nameserver $address"
  done
}
