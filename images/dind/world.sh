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

main() {
  umask 022
  mount -t tmpfs -o mode=755,nosuid,nodev world "$state/root"
  cd "$state/root"
  mkdir berth data dev etc proc root run sys tmp usr var
  chmod 1777 tmp
  chmod 700 root
  # Read-only and locked so, as the container's root is.
  mount --rbind /usr usr
  cp -P /bin /lib* /sbin .
  fill_etc
  cp -r "$state/certs" berth/certs
  mount --rbind /data data
  [ ! -d "$state/preload" ] || show_preload
  mount -t proc -o nosuid,nodev,noexec proc proc
  mount -t sysfs -o nosuid,nodev,noexec sysfs sys
  make_dev
  mount -t tmpfs -o mode=755,nosuid,nodev tmpfs run
  ln -s ../run var/run
  mkdir var/tmp var/lib
  chmod 1777 var/tmp
  mount_cgroups
  move_in
  lay_preload
  run_daemons
}

show_preload() {
  mkdir preload
  mount --bind "$state/preload" preload
}

fill_etc() {
  # shellcheck disable=SC2046 # a list of words
  cp -r /etc/docker /etc/containerd $(ls -d /etc/ld.so.cache /etc/nsswitch.conf /etc/protocols /etc/services 2>/dev/null) \
    "$state/resolv.conf" etc/
  mkdir -p etc/ssl/certs
  mount --bind /etc/ssl/certs etc/ssl/certs
  read -r name </proc/sys/kernel/hostname
  echo 'root:x:0:0:root:/root:/bin/sh' >etc/passwd
  echo 'root:x:0:' >etc/group
  echo "$name" >etc/hostname
  printf '127.0.0.1\tlocalhost\n127.0.1.1\t%s\n' "$name" >etc/hosts
}

make_dev() {
  mount --rbind "$state/dev" dev
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5,nosuid,noexec devpts dev/pts
  mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs dev/shm
  mount -t mqueue -o nosuid,nodev,noexec mqueue dev/mqueue
}

# The cgroup namespace is rooted in the delegated subtree, and so is what is mounted here.
mount_cgroups() {
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup
    empty_into_leaf sys/fs/cgroup
    enable_controllers sys/fs/cgroup
    return
  fi
  mount -t tmpfs -o mode=755,nosuid,nodev,noexec,size=64k tmpfs sys/fs/cgroup
  # `4:cpu,cpuacct:/`, `1:name=systemd:/`; the line without controllers is v2's, of no use beside v1.
  while IFS=: read -r _ controllers _; do
    case $controllers in
      '') continue ;;
      name=*) name=${controllers#name=} options=none,$controllers ;;
      *) name=$controllers options=$controllers ;;
    esac
    mount --mkdir -t cgroup -o "nosuid,nodev,noexec,$options" cgroup "sys/fs/cgroup/$name"
    # Each of several controllers in one hierarchy has its name as well.
    while [ "$controllers" != "${controllers#*,}" ]; do
      ln -s "$name" "sys/fs/cgroup/${controllers%%,*}"
      controllers=${controllers#*,}
    done
    [ "$name" = "$controllers" ] || [ "$controllers" = "name=$name" ] || ln -s "$name" "sys/fs/cgroup/$controllers"
  done </proc/self/cgroup
}

# The new root takes the old one's place, which goes for good: nothing of the container can be reached.
move_in() {
  pivot_root . .
  umount -l .
  cd /
  mkdir -p "$state"
  mount --make-rshared /
}

main
