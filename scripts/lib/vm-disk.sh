# shellcheck shell=bash
# The disk of the virtual machine: Debian 13 with systemd and Docker Engine, as a server has them, and nothing of
# Berth. Built once; $VM_BASE holds disk.img, the kernel, its initrd and the key that lets us in.

VM_SUITE=trixie
VM_DISK_SIZE=16G
# As a server has them: the kernel (Debian's own for virtual machines), AppArmor, udev, a swap-less disk. Then what
# scripts/install asks for, and what the end-to-end tests need of a machine that cannot reach a mirror.
VM_PACKAGES=(
  linux-image-cloud-amd64 initramfs-tools systemd systemd-sysv udev dbus kmod apparmor iproute2 procps util-linux mount
  e2fsprogs ca-certificates less openssh-server docker.io docker-cli docker-buildx docker-compose nodejs npm
  iptables nftables curl mmdebstrap arch-test debian-archive-keyring busybox-static zstd
)
# What wakes the disk or asks for a mirror at its own times, and consoles that nobody sits at.
VM_MASKED=(
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
  getty@tty1.service serial-getty@ttyS0.service
)

# vm_recipe: everything the result depends on; its hash is the build stamp.
vm_recipe() {
  echo "$VM_ADDRESS $VM_PREFIX $VM_LINK_MAC $VM_WAY_OUT_MAC $VM_SUITE $VM_DISK_SIZE ${VM_PACKAGES[*]} ${DEBIAN_NO_DOCS[*]} ${VM_MASKED[*]}"
  declare -f vm_build vm_root debian_root vm_configure vm_configure_network vm_configure_ssh vm_image
}

vm_stamp() { vm_recipe | sha256sum | cut -d' ' -f1; }

# ensure_vm_disk: builds $VM_BASE unless it is there and of this recipe. Only for a machine that is down.
ensure_vm_disk() {
  local stamp new=$VM_DIR/base.new
  stamp=$(vm_stamp)
  [[ $(cat "$VM_BASE/stamp" 2>/dev/null) != "$stamp" ]] || return 0
  ensure_apt "${DEBIAN_TOOLS[@]}" e2fsprogs
  rm -rf --one-file-system "$new"
  mkdir -p "$new"
  # The image and the key are nobody else's.
  chmod 0700 "$VM_DIR"
  step "building a Debian 13 disk with its own kernel in $VM_DIR (once)" vm_build "$new"
  echo "$stamp" >"$new/stamp"
  # A disk with changes to another base is worth nothing.
  rm -rf --one-file-system "$VM_BASE" "$VM_DISK"
  mv "$new" "$VM_BASE"
}

vm_build() {
  local new=$1
  local root=$new/root
  mkdir "$new/tmp"
  TMPDIR=$new/tmp vm_root "$root"
  ssh-keygen -q -t ed25519 -N '' -C berth-vm -f "$new/key"
  vm_configure "$root"
  vm_configure_network "$root"
  vm_configure_ssh "$root" "$new/key.pub"
  # What a user's computer has, for this machine if it lacks it.
  mkdir "$new/client"
  cp -a "$root/usr/bin/docker" "$root/usr/libexec/docker/cli-plugins" "$new/client/"
  cp "$root"/boot/vmlinuz-* "$new/vmlinuz"
  cp "$root"/boot/initrd.img-* "$new/initrd"
  vm_image "$root" "$new/disk.img"
  rm -rf --one-file-system "$root" "$new/tmp"
}

vm_root() {
  # The initrd is to hold the few drivers of this machine only: unpacking it costs seconds under emulation.
  # shellcheck disable=SC2016 # expanded by mmdebstrap's shell
  local initrd=(
    '--essential-hook=mkdir -p "$1/etc/initramfs-tools/conf.d"'
    '--essential-hook=printf "MODULES=list\nCOMPRESS=gzip\n" >"$1/etc/initramfs-tools/conf.d/vm"'
    '--essential-hook=printf "virtio_pci\nvirtio_blk\next4\ncrc32c_generic\n" >"$1/etc/initramfs-tools/modules"'
  )
  debian_root "$VM_SUITE" "$1" --variant=minbase --include="${VM_PACKAGES[*]}" \
    "${DEBIAN_NO_DOCS[@]/#/--dpkgopt=path-exclude=}" "${initrd[@]}"
}

vm_configure() {
  local root=$1 unit
  for unit in "${VM_MASKED[@]}"; do ln -sfn /dev/null "$root/etc/systemd/system/$unit"; done
  echo berth-vm >"$root/etc/hostname"
  printf '127.0.0.1 localhost\n127.0.1.1 berth-vm\n::1 localhost ip6-localhost\n' >"$root/etc/hosts"
  echo '/dev/vda / ext4 rw,noatime 0 1' >"$root/etc/fstab"
  tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
  # The units' usual 90 s are few where everything is emulated.
  mkdir -p "$root/etc/systemd/system.conf.d"
  printf '[Manager]\nDefaultTimeoutStartSec=20min\nDefaultTimeoutStopSec=10min\n' >"$root/etc/systemd/system.conf.d/vm.conf"
  rm -f "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*_*
}

vm_configure_ssh() {
  local root=$1 key=$2
  install -D -m 0600 "$key" "$root/root/.ssh/authorized_keys"
  chmod 0700 "$root/root/.ssh"
  # Without PAM a session costs less and moves nothing into a user's slice.
  printf 'PermitRootLogin prohibit-password\nPasswordAuthentication no\nUsePAM no\nUseDNS no\nMaxSessions 100\n' \
    >"$root/etc/ssh/sshd_config.d/vm.conf"
}

# A file system without a partition table: the kernel is given to QEMU, nothing has to be found on the disk.
vm_image() {
  truncate -s "$VM_DISK_SIZE" "$2"
  mke2fs -q -t ext4 -E lazy_itable_init=1,lazy_journal_init=1 -d "$1" "$2"
}
