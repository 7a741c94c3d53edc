#!/usr/bin/env bash
# The first process of the embedded host: lays out its mounts and becomes systemd.
# Run by lib/boot.sh in new mount, pid, uts and ipc namespaces, in the host's network namespace, on a terminal of its own.
# Takes BERTH_ROOT, BERTH_STATE_DIR, BERTH_ADDRESS and BERTH_INIT_FILE from the environment.
set -euo pipefail
LIB=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=SCRIPTDIR/common.sh
. "$LIB/common.sh"
# shellcheck source=SCRIPTDIR/state.sh
. "$LIB/state.sh"
# shellcheck source=SCRIPTDIR/cgroup.sh
. "$LIB/cgroup.sh"

enter_cgroups() {
  local stat
  cgroup_join host 0
  # /proc is still the outer machine's: "self" there is our pid outside.
  stat=$(</proc/self/stat)
  read -r OUTER_PID _ <<<"$stat"
  process_start "$OUTER_PID"
  echo "$OUTER_PID $REPLY $BERTH_ADDRESS $BERTH_ROOT" >"$BERTH_INIT_FILE"
}

mount_root() {
  mount --bind "$BERTH_ROOT" "$BERTH_ROOT"
  cd "$BERTH_ROOT"
  mount -t tmpfs -o mode=755,nosuid,nodev tmpfs run
  mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs tmp
  mount -t proc -o nosuid,nodev,noexec proc proc
  # systemd raises fs.file-max and fs.nr_open for the whole kernel when it starts, in a container too.
  mount --bind proc/sys/fs proc/sys/fs
  mount -o remount,bind,ro proc/sys/fs
  mount -t sysfs -o nosuid,nodev,noexec sysfs sys
}

# Not devtmpfs: that one is shared by the whole machine, and systemd would change modes in it.
mount_dev() {
  local node
  mount -t tmpfs -o mode=755,nosuid,size=4m,nr_inodes=16k tmpfs dev
  mkdir -p dev/pts dev/shm dev/net dev/mqueue
  mknod -m 666 dev/null c 1 3
  mknod -m 666 dev/zero c 1 5
  mknod -m 666 dev/full c 1 7
  mknod -m 666 dev/random c 1 8
  mknod -m 666 dev/urandom c 1 9
  mknod -m 666 dev/tty c 5 0
  # Berth reads in the kernel's log which process was killed; the journal does not (lib/rootfs.sh).
  mknod -m 600 dev/kmsg c 1 11
  mknod -m 666 dev/fuse c 10 229
  mknod -m 666 dev/net/tun c 10 200
  mknod -m 600 dev/loop-control c 10 237
  # Berth loop-mounts a disk per sandbox. The nodes of loop devices that the kernel adds on demand appear in devtmpfs
  # only, which the host does not see: so they are all here from the start (unpacked, as so many mknod processes take long).
  tar -xpf etc/berth-host.loops.tar -C dev
  # What profiles may hand to sandboxes; absent on most machines.
  for node in /dev/kvm /dev/vhost-net /dev/dri /dev/nvidia* /dev/kfd; do
    [[ ! -e $node ]] || cp -a "$node" dev/
  done
  # Group numbers of the outer machine mean others in here.
  chown -R 0:0 dev
  ln -s pts/ptmx dev/ptmx
  ln -s /proc/self/fd dev/fd
  ln -s /proc/self/fd/0 dev/stdin
  ln -s /proc/self/fd/1 dev/stdout
  ln -s /proc/self/fd/2 dev/stderr
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5,nosuid,noexec devpts dev/pts
  mount -t tmpfs -o nosuid,nodev tmpfs dev/shm
  : >dev/console
  mount --bind "$(tty)" dev/console
}

mount_cgroups() {
  local type mount options name controller
  if cgroup_unified; then
    mount -t cgroup2 -o nosuid,nodev,noexec,nsdelegate cgroup2 sys/fs/cgroup
    return
  fi
  mount -t tmpfs -o mode=755,nosuid,nodev,noexec tmpfs sys/fs/cgroup
  while read -r type mount options; do
    if [[ $type == cgroup2 ]]; then name=unified; else name=${options#name=}; fi
    mkdir -p "sys/fs/cgroup/$name"
    if [[ $type == cgroup2 ]]; then
      mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "sys/fs/cgroup/$name"
    elif [[ $options == name=* ]]; then
      mount -t cgroup -o "nosuid,nodev,noexec,none,$options" cgroup "sys/fs/cgroup/$name"
    else
      mount -t cgroup -o "nosuid,nodev,noexec,$options" cgroup "sys/fs/cgroup/$name"
      for controller in ${options//,/ }; do
        [[ -e sys/fs/cgroup/$controller ]] || ln -s "$name" "sys/fs/cgroup/$controller"
      done
    fi
  done < <(cgroup_mounts)
}

# Docker's and Berth's data: directories beside the root, or an image where their file system is not fit for Docker.
mount_data() {
  local data=$1/data
  if [[ -f $1/data.img ]]; then
    data=/run/berth-host-data
    mkdir "$data"
    # With the host's own /dev: the outer one may lack loop devices. The kernel frees the device with the last mount.
    mount -o loop "$1/data.img" "$data"
    mkdir -p "$data/docker" "$data/berth"
    stat -c %Hd:%Ld "$data" >"/run/berth-host-outer$IMAGE_DEVICE_FILE"
  fi
  mount --bind "$data/docker" /var/lib/docker
  mount --bind "$data/berth" /var/lib/berth
  if [[ -f $1/data.img ]]; then
    umount "$data"
    rmdir "$data"
  fi
}

become_systemd() {
  mkdir -p run/berth-host-outer
  pivot_root . run/berth-host-outer
  mount_data "/run/berth-host-outer$BERTH_STATE_DIR"
  umount -l /run/berth-host-outer
  rmdir /run/berth-host-outer
  hostname berth-host
  # systemd 257 refuses v1 hierarchies without the first; on TERM=dumb it does not query the terminal, which has no one to answer.
  exec env -i SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1 container=berth TERM=dumb \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin /sbin/init
}

case ${1:-} in
  in-cgroup)
    mount_root
    mount_dev
    mount_cgroups
    become_systemd
    ;;
  *)
    enter_cgroups
    # Only now, so that the new cgroup namespace is rooted in the group just entered.
    exec unshare --cgroup "$BASH" "${BASH_SOURCE[0]}" in-cgroup
    ;;
esac
