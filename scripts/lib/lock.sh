# shellcheck shell=bash
# One at a time.

# lock_alone FILE SECONDS WHO: waits that long for the one at work, WHO, and holds FILE by descriptor 9, which must be
# closed for what outlives the script. The holder may remove the file.
lock_alone() {
  while :; do
    exec 9>"$1"
    if ! flock -n 9; then
      warn "another $3 is at work, waiting for it"
      flock -w "$2" 9 || die "gave up waiting for $1: 'fuser -v $1' shows who holds it"
    fi
    # The one we waited for may have removed the file: then ours is a lock on nothing.
    [[ ! $1 -ef /proc/self/fd/9 ]] || break
  done
}

# lock_or_die FILE WHO: without waiting, for who would do over what the other has done. Nobody removes the file.
lock_or_die() {
  exec 9>"$1"
  flock -n 9 ||
    die "another $2 is at work, or what a killed one left running ('fuser -v $1' shows it): run this again when it is done"
}
