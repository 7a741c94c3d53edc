# shellcheck shell=bash
# One at a time, by a file that its holder may remove.

# lock_alone FILE SECONDS WHO: waits that long for the one at work, WHO, and holds FILE by descriptor 9, which must be
# closed for what outlives the script.
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
