# shellcheck shell=bash
# QEMU for the virtual machine: Debian 13's, wherever this runs. Debian 12's 7.2 emulates cmpxchg16b with wrong flags,
# of which a kernel that uses it dies (double fault), and translates a program anew each time it is started: an engine's
# restart takes 18 s in it and 8.5 s in Debian 13's 10.0, Node's start 4.4 s and 2.6 s.

VM_QEMU=$VM_DIR/qemu
VM_QEMU_SUITE=trixie
VM_QEMU_PACKAGES=(qemu-system-x86 qemu-utils seabios ipxe-qemu)

vm_qemu_recipe() {
  echo "$VM_QEMU_SUITE ${VM_QEMU_PACKAGES[*]}"
  declare -f vm_qemu_fetch debian_root
}

# ensure_vm_qemu: puts $VM_QEMU there unless it is of this recipe. Only for a machine that is down.
ensure_vm_qemu() {
  local stamp
  stamp=$(vm_qemu_recipe | sha256sum | cut -d' ' -f1)
  [[ $(cat "$VM_QEMU/stamp" 2>/dev/null) != "$stamp" ]] || return 0
  ensure_apt "${DEBIAN_TOOLS[@]}"
  rm -rf --one-file-system "$VM_QEMU" "$VM_QEMU.new"
  mkdir -p "$VM_DIR"
  step "fetching Debian 13's QEMU into $VM_QEMU (once)" vm_qemu_fetch
  echo "$stamp" >"$VM_QEMU.new/stamp"
  mv "$VM_QEMU.new" "$VM_QEMU"
}

# The files of the packages, not a system: nothing of them is configured or run but QEMU.
vm_qemu_fetch() {
  debian_root "$VM_QEMU_SUITE" "$VM_QEMU.new" --variant=extract --include="${VM_QEMU_PACKAGES[*]}"
}

# vm_qemu PROGRAM: sets QEMU to the words that run it, with the libraries it was built for.
vm_qemu() {
  local libraries=$VM_QEMU/usr/lib/x86_64-linux-gnu
  QEMU=(
    "$libraries/ld-linux-x86-64.so.2" --argv0 "$1" --library-path "$libraries:$libraries/pulseaudio"
    "$VM_QEMU/usr/bin/$1"
  )
  [[ $1 != qemu-system-* ]] || QEMU+=(-L "$VM_QEMU/usr/share/qemu" -L "$VM_QEMU/usr/share/seabios" -L "$VM_QEMU/usr/lib/ipxe/qemu")
}
