# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is for the files sourced after this one
# Where the embedded host keeps things, and how we tell whether it runs.

# shellcheck source=SCRIPTDIR/process.sh
. "$LIB/process.sh"
# shellcheck source=SCRIPTDIR/lock.sh
. "$LIB/lock.sh"

use_state_dir() {
  STATE_DIR=$1
  ROOT_DIR=$STATE_DIR/root
  # Docker's and Berth's data live beside the root, so that a rebuilt root file system does not lose them.
  DATA_DIR=$STATE_DIR/data
  # Instead of it where the file system is not fit for Docker.
  DATA_IMAGE=$STATE_DIR/data.img
  BOOT_LOG=$STATE_DIR/boot.log
}

STATE_DIR_WANTED=$(realpath -m "${BERTH_HOST_DIR:-/var/lib/berth-host}")
use_state_dir "$STATE_DIR_WANTED"
RUN_DIR=/run/berth-host
LOCK_FILE=$RUN_DIR.lock
STATE_FILE=$RUN_DIR/state.json
# "PID STARTTIME" of PID 1, written by it before systemd starts: what a killed `up` leaves to be found.
INIT_FILE=$RUN_DIR/init
FORWARD_FILE=$RUN_DIR/ip_forward.before
# Device number of the file system in DATA_IMAGE, while it is mounted.
IMAGE_DEVICE_FILE=$RUN_DIR/image-device
TABLES_FILE=$RUN_DIR/nft-tables.before
HOST_NAME=berth-host

HOST_PID='' HOST_START='' HOST_ADDRESS=''

# load_state: true when the host is up (booted and answering at the time state.json was written, and not gone since).
load_state() {
  local json
  [[ -r $STATE_FILE ]] || return 1
  json=$(<"$STATE_FILE")
  [[ $json =~ \"pid\":\ *([0-9]+) ]] || return 1
  HOST_PID=${BASH_REMATCH[1]}
  [[ $json =~ \"startTime\":\ *([0-9]+) ]] || return 1
  HOST_START=${BASH_REMATCH[1]}
  [[ $json =~ \"address\":\ *\"([0-9.]+)\" ]] || return 1
  HOST_ADDRESS=${BASH_REMATCH[1]}
  # The state dir may be another one than this caller's default: the running host's counts.
  [[ $json =~ \"root\":\ *\"([^\"]+)\" ]] || return 1
  use_state_dir "${BASH_REMATCH[1]%/root}"
  same_process "$HOST_PID" "$HOST_START"
}

# load_init: true when a systemd of ours runs, booted or not.
load_init() {
  local root
  [[ -r $INIT_FILE ]] && read -r HOST_PID HOST_START HOST_ADDRESS root <"$INIT_FILE" && [[ -n $root ]] || return 1
  use_state_dir "${root%/root}"
  same_process "$HOST_PID" "$HOST_START"
}

write_state() {
  printf '{"pid": %s, "startTime": %s, "address": "%s", "root": "%s"}\n' \
    "$HOST_PID" "$HOST_START" "$HOST_ADDRESS" "$ROOT_DIR" >"$STATE_FILE.new"
  mv "$STATE_FILE.new" "$STATE_FILE"
}

# One up or down at a time; the second waits and then looks again. Long-lived children must close descriptor 9.
take_lock() {
  lock_alone "$LOCK_FILE" "${BERTH_HOST_LOCK_TIMEOUT:-600}" "scripts/host (or what a killed one left running)"
  mkdir -p "$RUN_DIR"
}

# With the lock held.
remove_run_dir() {
  rmdir "$RUN_DIR" 2>/dev/null || true
  rm -f "$LOCK_FILE"
}
