# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is for the files sourced after this one
# Where the virtual machine keeps things, and how we tell whether it runs.

# shellcheck source=SCRIPTDIR/lock.sh
. "$LIB/lock.sh"

VM_DIR=$(realpath -m "${BERTH_VM_DIR:-/var/lib/berth-vm}")
VM_RUN_DIR=/run/berth-vm
VM_LOCK=$VM_RUN_DIR.lock
# "PID STARTTIME ACCELERATOR" of qemu.
VM_STATE=$VM_RUN_DIR/state
VM_SSH_MASTER=$VM_RUN_DIR/ssh
# /run/berth/berth.sock of the machine, while it is up.
VM_SOCKET=$VM_RUN_DIR/run-berth-berth.sock
VM_BASE=$VM_DIR/base
VM_DISK=$VM_DIR/disk.qcow2
VM_KEY=$VM_BASE/key
VM_CONSOLE=$VM_DIR/console.log
VM_QEMU_LOG=$VM_DIR/qemu.log

VM_PID='' VM_START='' VM_ACCEL=''

# True while qemu runs, whether what is in it has booted or not.
vm_load() {
  [[ -r $VM_STATE ]] && read -r VM_PID VM_START VM_ACCEL <"$VM_STATE" && [[ -n $VM_ACCEL ]] || return 1
  same_process "$VM_PID" "$VM_START"
}

# One up or down at a time. Descriptor 9 must be closed for what outlives this script.
vm_lock() {
  lock_alone "$VM_LOCK" 1800 scripts/vm
  mkdir -p "$VM_RUN_DIR"
}

vm_unlock_for_good() {
  rm -rf "$VM_RUN_DIR"
  rm -f "$VM_LOCK"
}
