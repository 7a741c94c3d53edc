# shellcheck shell=bash
# shellcheck disable=SC2153 # VM_STATE and the like come from vm-state.sh
# Start and stop of the virtual machine, and the way into it.

VM_MEMORY=${BERTH_VM_MEMORY:-4096}
VM_CPUS=${BERTH_VM_CPUS:-2}
# Emulated, it needs most of a minute to boot on an idle machine.
VM_BOOT_TIMEOUT_S=${BERTH_VM_BOOT_TIMEOUT:-600}
VM_STOP_TIMEOUT_S=120
VM_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# kvm_works: not whether /dev/kvm is there, but whether our kernel runs on it: some machines offer one that stops at
# the first instruction it does not know. Given nothing to mount, the kernel panics, and so ends QEMU, within seconds.
kvm_works() {
  local said
  [[ -w /dev/kvm ]] || return 1
  vm_qemu qemu-system-x86_64
  said=$(timeout 15 "${QEMU[@]}" -M q35 -accel kvm -cpu host -m 512 -nodefaults -no-user-config -display none \
    -no-reboot -kernel "$VM_BASE/vmlinuz" -append 'console=ttyS0 panic=-1' -serial stdio 2>/dev/null </dev/null) || true
  [[ $said == *'Kernel panic - not syncing: VFS'* ]]
}

# vm_accelerate: sets VM_ACCEL, ACCEL_OPTIONS and what the kernel is told besides, ACCEL_KERNEL.
vm_accelerate() {
  ACCEL_KERNEL=''
  VM_ACCEL=${BERTH_VM_ACCEL:-}
  [[ -n $VM_ACCEL ]] || { if kvm_works; then VM_ACCEL=kvm; else VM_ACCEL=tcg; fi; }
  case $VM_ACCEL in
    kvm) ACCEL_OPTIONS=(-accel kvm -cpu host) ;;
    # Nehalem is the plainest processor that Debian's programs run on.
    # Without the kernel's measures against flaws of real processors: isolating its page tables makes each system call
    # ten times slower here (79 instead of 7 us for a read and a write), and an engine's start take 25 s instead of 18.
    tcg)
      ACCEL_OPTIONS=(-accel 'tcg,thread=multi,tb-size=1024' -cpu Nehalem)
      ACCEL_KERNEL=' mitigations=off'
      ;;
    *) die "BERTH_VM_ACCEL is \"$VM_ACCEL\": kvm or tcg" ;;
  esac
}

vm_start() {
  local options network
  vm_accelerate
  vm_network_up
  mapfile -t network < <(vm_network_options)
  vm_qemu qemu-img
  [[ -e $VM_DISK ]] || "${QEMU[@]}" create -q -f qcow2 -F raw -b "$VM_BASE/disk.img" "$VM_DISK"
  options=(
    -M q35 "${ACCEL_OPTIONS[@]}" -smp "$VM_CPUS" -m "$VM_MEMORY" -nodefaults -no-user-config -display none
    -kernel "$VM_BASE/vmlinuz" -initrd "$VM_BASE/initrd"
    -append "root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet loglevel=4 panic=-1$ACCEL_KERNEL"
    # What a crash of this machine could lose is only what it was tried out with.
    -drive "file=$VM_DISK,if=virtio,format=qcow2,cache=unsafe,discard=unmap"
    "${network[@]}"
    -device virtio-rng-pci -serial "file:$VM_CONSOLE"
  )
  : >"$VM_CONSOLE"
  (
    # Written by qemu's own process before it becomes that: whenever this script is killed, `down` finds it.
    process_start "$BASHPID" && echo "$BASHPID $REPLY $VM_ACCEL" >"$VM_STATE"
    exec 9>&-
    cd "$VM_DIR" || exit
    # Whoever works on this machine goes first.
    vm_qemu qemu-system-x86_64
    exec setsid nice -n 15 "${QEMU[@]}" "${options[@]}" </dev/null >"$VM_QEMU_LOG" 2>&1
  ) &
  until vm_load; do
    kill -0 $! 2>/dev/null || vm_failed "qemu ended at once"
    sleep 0.05
  done
}

# vm_wait: until its systemd has started everything and its engine answers.
vm_wait() {
  local deadline=$(($(now_ms) + VM_BOOT_TIMEOUT_S * 1000)) state=''
  until vm_ssh -o ConnectTimeout=20 true 2>/dev/null; do
    same_process "$VM_PID" "$VM_START" || vm_failed "qemu ended"
    (($(now_ms) < deadline)) || vm_failed "nothing answers after $VM_BOOT_TIMEOUT_S s"
    sleep 0.5
  done
  # The daemon's socket as a user of this machine would have it, whenever there is one.
  vm_forward /run/berth/berth.sock >/dev/null || vm_failed "its sshd forwards no sockets"
  state=$(vm_ssh systemctl is-system-running --wait) || true
  [[ $state == running ]] || {
    warn "systemd in the machine is \"$state\":"
    vm_ssh systemctl list-units --failed --plain --no-legend >&2 || true
  }
  vm_ssh docker info --format '{{.ServerVersion}}' >/dev/null || vm_failed "its Docker Engine does not answer"
}

vm_failed() {
  { tail -n 5 "$VM_QEMU_LOG" && tail -n 20 "$VM_CONSOLE" | tr -d '\r'; } 2>/dev/null | sed 's/^/  | /' >&2 || true
  die "the virtual machine did not boot: $1 (more in $VM_CONSOLE). Clear up with: scripts/vm down"
}

# vm_ssh [OPTION...] COMMAND...: by one connection that is kept, since making one costs a second under emulation.
vm_ssh() {
  ssh -F none -i "$VM_KEY" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -o LogLevel=ERROR -o BatchMode=yes -o ServerAliveInterval=60 -o ServerAliveCountMax=10 \
    -o ControlMaster=auto -o ControlPath="$VM_SSH_MASTER" -o ControlPersist=yes -o StreamLocalBindUnlink=yes \
    -l root "$VM_ADDRESS" "$@" 9>&-
}

# vm_forward SOCKET: prints where this machine finds a socket of that one, which need not be there yet.
vm_forward() {
  local name=${1#/}
  local here=$VM_RUN_DIR/${name//\//-}
  # Once more does no harm: the connection knows what it forwards.
  vm_ssh -O forward -L "$here:$1"
  echo "$here"
}

# vm_command [NAME=VALUE...] COMMAND...: as words for the shell at the other end.
vm_command() { printf '%q ' env -i PATH=$VM_PATH HOME=/root TERM="${TERM:-dumb}" LANG=C.UTF-8 "$@"; }

# vm_stop: in good order first. Never by name.
vm_stop() {
  local deadline=$(($(now_ms) + VM_STOP_TIMEOUT_S * 1000))
  vm_load || {
    vm_network_down
    return 0
  }
  if timeout 60 "$SELF" exec systemctl --no-block poweroff >/dev/null 2>&1; then
    while same_process "$VM_PID" "$VM_START" && (($(now_ms) < deadline)); do sleep 0.2; done
  fi
  ssh -O exit -o ControlPath="$VM_SSH_MASTER" "$VM_ADDRESS" 2>/dev/null || true
  if same_process "$VM_PID" "$VM_START"; then
    warn "it did not stop by itself: ending qemu"
    kill -KILL "$VM_PID"
    while same_process "$VM_PID" "$VM_START"; do sleep 0.05; done
  fi
  vm_network_down
}
