# shellcheck shell=bash
# The root file system of the embedded host: Debian 13 by mmdebstrap, built once, kept in $STATE_DIR/root.

# shellcheck source=SCRIPTDIR/debian.sh
. "$LIB/debian.sh"

ROOTFS_SUITE=trixie
ROOTFS_LOOP_NODES=1024
ROOTFS_PACKAGES=(
  systemd systemd-sysv dbus docker.io docker-cli iptables nftables ca-certificates iproute2 procps kmod nodejs
  mmdebstrap arch-test debian-archive-keyring e2fsprogs util-linux mount busybox-static curl less zstd
)
# The kernel is the outer machine's: what sets its parameters, loads modules, reads its log or makes device nodes
# must not run in here. The rest makes no sense without a console, or wakes the disk for nothing.
ROOTFS_MASKED=(
  systemd-sysctl.service systemd-modules-load.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount
  proc-sys-fs-binfmt_misc.mount systemd-udevd.service systemd-udev-trigger.service systemd-udev-settle.service
  systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udev-load-credentials.service
  kmod-static-nodes.service systemd-tmpfiles-setup-dev-early.service systemd-tmpfiles-setup-dev.service
  systemd-journald-audit.socket dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount
  sys-kernel-config.mount sys-fs-fuse-connections.mount systemd-remount-fs.service systemd-random-seed.service
  systemd-firstboot.service systemd-machine-id-commit.service systemd-hwdb-update.service systemd-pstore.service
  systemd-logind.service getty.target console-getty.service getty@tty1.service apt-daily.timer
  apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
)

# rootfs_recipe: everything the result depends on; its hash is the build stamp.
rootfs_recipe() {
  echo "$ROOTFS_SUITE ${ROOTFS_PACKAGES[*]} ${DEBIAN_NO_DOCS[*]} ${ROOTFS_MASKED[*]}"
  echo "$ROOTFS_LOOP_NODES"
  declare -f rootfs_build rootfs_configure rootfs_loop_nodes debian_root
}

rootfs_stamp() { rootfs_recipe | sha256sum | cut -d' ' -f1; }

# ensure_rootfs: builds $ROOT_DIR unless it is there and of this recipe. Only for a host that is down.
ensure_rootfs() {
  local stamp new=$STATE_DIR/root.new
  ensure_data
  stamp=$(rootfs_stamp)
  rm -rf --one-file-system "$STATE_DIR/root.old"
  if [[ $(cat "$ROOT_DIR/etc/berth-host.stamp" 2>/dev/null) == "$stamp" ]]; then
    rm -rf --one-file-system "$new"
    return
  fi
  # A complete root.new is what an `up` left that was killed between build and rename.
  if [[ $(cat "$new/etc/berth-host.stamp" 2>/dev/null) != "$stamp" ]]; then
    ensure_apt "${DEBIAN_TOOLS[@]}"
    rm -rf --one-file-system "$new" "$STATE_DIR/tmp"
    mkdir -p "$STATE_DIR/tmp"
    step "building a Debian 13 root file system in $STATE_DIR (once)" rootfs_build "$new" "$stamp"
  fi
  [[ ! -d $ROOT_DIR ]] || mv "$ROOT_DIR" "$STATE_DIR/root.old"
  mv "$new" "$ROOT_DIR"
  rm -rf --one-file-system "$STATE_DIR/root.old" "$STATE_DIR/tmp"
}

# ensure_data: where Docker and Berth keep theirs, mounted into the host at boot (lib/pid1.sh).
ensure_data() {
  local type free_kb
  mkdir -p "$STATE_DIR"
  # 0711: images and layers in there hold set-uid programs that are no business of the outer machine's users.
  chmod 0711 "$STATE_DIR"
  type=$(stat -f -c %T "$STATE_DIR")
  case $type in
    # Docker's overlay2 cannot sit on another overlay (a container's own root, mostly) nor on the network.
    overlayfs | nfs | fuse | fuseblk | 9p | v9fs | aufs | smb2 | cifs) ensure_data_image "$type" ;;
    *) mkdir -p "$DATA_DIR/docker" "$DATA_DIR/berth" ;;
  esac
  [[ ! -d $ROOT_DIR ]] || return 0
  free_kb=$(df --output=avail -k "$STATE_DIR" | tail -n 1)
  ((free_kb > 2000000)) || die "$STATE_DIR has $((free_kb / 1024)) MB free, 2 GB are needed: set BERTH_HOST_DIR to a larger place"
}

ensure_data_image() {
  local free_kb
  [[ ! -f $DATA_IMAGE ]] || return 0
  warn "$STATE_DIR is on $1, where Docker's layers cannot live: they go into an ext4 image there (or set BERTH_HOST_DIR to a directory on ext4, xfs or btrfs)"
  ensure_apt e2fsprogs
  free_kb=$(df --output=avail -k "$STATE_DIR" | tail -n 1)
  rm -f "$DATA_IMAGE.new"
  # Sparse: it takes what is written. Never more than there is, or ext4 in it would meet errors instead of "disk full".
  truncate -s "$((free_kb * 9 / 10))K" "$DATA_IMAGE.new"
  mkfs.ext4 -q -m 0 -E nodiscard "$DATA_IMAGE.new"
  mv "$DATA_IMAGE.new" "$DATA_IMAGE"
}

rootfs_build() {
  local new=$1 stamp=$2
  TMPDIR=$STATE_DIR/tmp debian_root "$ROOTFS_SUITE" "$new" --variant=minbase --include="${ROOTFS_PACKAGES[*]}" \
    "${DEBIAN_NO_DOCS[@]/#/--dpkgopt=path-exclude=}"
  rootfs_configure "$new"
  # Settings made in the old root stay.
  [[ ! -d $ROOT_DIR/etc/berth ]] || cp -a "$ROOT_DIR/etc/berth" "$new/etc/"
  sync -f "$new"
  echo "$stamp" >"$new/etc/berth-host.stamp"
}

rootfs_configure() {
  local root=$1 unit
  for unit in "${ROOTFS_MASKED[@]}"; do ln -sfn /dev/null "$root/etc/systemd/system/$unit"; done
  ln -sfn /usr/lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
  tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
  echo berth-host >"$root/etc/hostname"
  printf '127.0.0.1 localhost\n127.0.1.1 berth-host\n::1 localhost ip6-localhost\n' >"$root/etc/hosts"
  rm -f "$root/etc/resolv.conf"
  mkdir -p "$root/etc/berth" "$root/var/lib/berth" "$root/var/lib/docker" "$root/etc/docker" \
    "$root/etc/systemd/journald.conf.d" "$root/etc/systemd/system.conf.d" "$root/var/log/journal"
  # Audit and the kernel log belong to the outer machine.
  printf '[Journal]\nStorage=persistent\nSystemMaxUse=200M\nAudit=no\nReadKMsg=no\n' \
    >"$root/etc/systemd/journald.conf.d/berth-host.conf"
  printf '[Manager]\nDefaultTimeoutStopSec=20s\nDefaultMemoryAccounting=yes\nDefaultTasksAccounting=yes\n' \
    >"$root/etc/systemd/system.conf.d/berth-host.conf"
  # Certificate authorities that the operator added outside hold inside too.
  cp -L /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/" 2>/dev/null &&
    chroot "$root" update-ca-certificates
  rm -rf "$root"/var/cache/apt/archives/*.deb
  rootfs_loop_nodes "$root"
}

# The loop device nodes of the host's /dev as an archive, unpacked at boot (lib/pid1.sh says why). Numbers are handed
# out per kernel, so other users of the machine count too. A privileged container gets them all: not measurable.
rootfs_loop_nodes() {
  local index work
  work=$STATE_DIR/tmp/loops
  mkdir -p "$work"
  for ((index = 0; index < ROOTFS_LOOP_NODES; index++)); do mknod -m 600 "$work/loop$index" b 7 "$index"; done
  (cd "$work" && tar -cf "$1/etc/berth-host.loops.tar" loop*)
}

# rootfs_set_docker MTU: dockerd's bridges must not send packets larger than the way out takes.
rootfs_set_docker() {
  cat >"$ROOT_DIR/etc/docker/daemon.json" <<JSON
{
  "exec-opts": ["native.cgroupdriver=systemd"],
  "storage-driver": "overlay2",
  "userland-proxy": false,
  "live-restore": false,
  "mtu": $1,
  "default-network-opts": { "bridge": { "com.docker.network.driver.mtu": "$1" } },
  "log-driver": "json-file",
  "log-opts": { "max-size": "10m", "max-file": "3" }
}
JSON
}
