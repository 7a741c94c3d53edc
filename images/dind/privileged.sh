# shellcheck shell=sh
# Isolation "privileged": the daemons run as real root, in the container's own namespaces.
# shellcheck disable=SC2154 # state comes from common.sh

run_privileged() {
  # As on a host with systemd, so that inner containers may ask for shared mounts.
  mount --make-rshared /
  # cgroup v1 needs nothing: a private cgroup namespace has each controller writable at its own root.
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    empty_into_leaf /sys/fs/cgroup
    enable_controllers /sys/fs/cgroup
  fi
  if [ -n "${BERTH_DNS:-}" ]; then
    resolv_conf >"$state/resolv.conf"
    mount --bind "$state/resolv.conf" /etc/resolv.conf
  fi
  lay_preload
  run_daemons
}
