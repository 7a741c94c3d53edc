#!/bin/sh
# Isolation "userns", the user's side: runs as root of the sandbox's user namespace, in namespaces of
# its own. Builds a root of its own that holds what the daemons need and nothing else, leaves the
# container's behind, and becomes the daemons' supervisor.
set -eu

lib=/usr/local/lib/berth
# shellcheck source=SCRIPTDIR/common.sh
. $lib/common.sh
# shellcheck source=SCRIPTDIR/daemons.sh
. $lib/daemons.sh
# shellcheck source=SCRIPTDIR/preload.sh
. $lib/preload.sh

# $1: the MTU of the network that is made for it meanwhile.
main() {
  mtu=$1
  umask 022
  mount -t tmpfs -o mode=755,nosuid,nodev world "$state/root"
  cd "$state/root"
  mkdir -p berth data dev etc/ssl/certs proc root run sys tmp usr var/tmp var/lib
  chmod 1777 tmp var/tmp
  chmod 700 root
  cp -P /bin /lib* /sbin .
  fill_etc
  cp -r "$state/certs" berth/certs
  mounts >tmp/mounts
  # One process for all of them.
  mount --all --fstab tmp/mounts || fail "the sandbox's root cannot be mounted"
  rm tmp/mounts
  ln -s ../run var/run
  settle_cgroups
  move_in
  lay_preload
  run_daemons
}

fill_etc() {
  # shellcheck disable=SC2046 # a list of words
  cp -r /etc/docker /etc/containerd $(ls -d /etc/ld.so.cache /etc/nsswitch.conf /etc/protocols /etc/services 2>/dev/null) \
    "$state/resolv.conf" etc/
  read -r name </proc/sys/kernel/hostname
  echo 'root:x:0:0:root:/root:/bin/sh' >etc/passwd
  echo 'root:x:0:' >etc/group
  echo "$name" >etc/hostname
  printf '127.0.0.1\tlocalhost\n127.0.1.1\t%s\n' "$name" >etc/hosts
}

# As lines of an fstab, in their order.
mounts() {
  # Read-only and locked so, as the container's root is.
  line /usr usr none rbind
  line /etc/ssl/certs etc/ssl/certs none bind
  line /data data none rbind
  [ ! -d "$state/preload" ] || line "$state/preload" preload none bind,X-mount.mkdir
  line proc proc proc nosuid,nodev,noexec
  line sysfs sys sysfs nosuid,nodev,noexec
  line "$state/dev" dev none rbind
  line devpts dev/pts devpts newinstance,ptmxmode=0666,mode=620,gid=5,nosuid,noexec
  line tmpfs dev/shm tmpfs mode=1777,nosuid,nodev
  line mqueue dev/mqueue mqueue nosuid,nodev,noexec
  line tmpfs run tmpfs mode=755,nosuid,nodev
  # The cgroup namespace is rooted in the delegated subtree, and so is what is mounted here.
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    line cgroup2 sys/fs/cgroup cgroup2 nosuid,nodev,noexec
    return
  fi
  line tmpfs sys/fs/cgroup tmpfs mode=755,nosuid,nodev,noexec,size=64k
  hierarchies | while read -r name options; do
    line cgroup "sys/fs/cgroup/$name" cgroup "nosuid,nodev,noexec,X-mount.mkdir,$options"
  done
}

line() {
  echo "$1 $state/root/$2 $3 $4 0 0"
}

# cgroup v1: of each hierarchy its name, and the options of its mount.
# /proc/self/cgroup has `4:cpu,cpuacct:/`, `1:name=systemd:/`; the line without controllers is v2's, of
# no use beside v1.
hierarchies() {
  while IFS=: read -r _ controllers _; do
    case $controllers in
      '') ;;
      name=*) echo "${controllers#name=} none,$controllers" ;;
      *) echo "$controllers $controllers" ;;
    esac
  done </proc/self/cgroup
}

settle_cgroups() {
  if [ -e sys/fs/cgroup/cgroup.controllers ]; then
    empty_into_leaf sys/fs/cgroup
    enable_controllers sys/fs/cgroup
    return
  fi
  # Each of several controllers in one hierarchy has its name as well.
  hierarchies | while read -r name _; do
    rest=$name,
    while [ -n "$rest" ]; do
      one=${rest%%,*} rest=${rest#*,}
      [ "$one" = "$name" ] || ln -s "$name" "sys/fs/cgroup/$one"
    done
  done
}

# The new root takes the old one's place, which goes for good: nothing of the container can be reached.
move_in() {
  pivot_root . .
  umount -l .
  cd /
  mkdir -p "$state"
  mount --make-rshared /
}

main "$@"
