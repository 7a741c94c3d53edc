# shellcheck shell=bash
# shellcheck disable=SC2034 # what deploy_project sets is for its callers
# Puts a built project into a root file system: the embedded host's, or / on a real server (scripts/install).

# shellcheck source=SCRIPTDIR/release.sh
. "$LIB/release.sh"
# shellcheck source=SCRIPTDIR/outside.sh
. "$LIB/outside.sh"

# With what takes it away again: the clone or tarball it came from may be gone by then.
DEPLOY_PARTS=(
  bin dist images slices docs package.json README.md CHANGELOG.md LICENSE
  scripts/install scripts/lib/{build,common,deploy,install,node,outside,release,this-machine,uninstall}.sh
)

# deploy_stamp REPO: hash over all that decides what runs. Times, owners and the umask do not count, nor whether it
# comes from a clone or a release.
deploy_stamp() {
  local part parts=()
  for part in "${DEPLOY_PARTS[@]}" package-lock.json; do [[ ! -e $1/$part ]] || parts+=("$part"); done
  tar -C "$1" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode="$SAME_MODES" -cf - "${parts[@]}" |
    sha256sum | cut -d' ' -f1
}

# deploy_project REPO ROOT: /opt/berth and what belongs to it outside. Sets DEPLOY_STAMP and DEPLOY_CHANGED. What was
# there before stays in /opt/berth.old until deploy_settle, or deploy_undo, which puts it back.
deploy_project() {
  local repo=$1 root=${2%/}
  DEPLOY_STAMP=$(deploy_stamp "$repo")
  DEPLOY_CHANGED=no
  deploy_recover "$root"
  outside_check "$repo" "$root"
  if [[ $(cat "$root/opt/berth/.stamp" 2>/dev/null) != "$DEPLOY_STAMP" ]]; then
    deploy_tree "$repo" "$root/opt"
    DEPLOY_CHANGED=yes
  fi
  # Also when nothing changed: a kill may have come before.
  outside_put "$root"
}

# deploy_tree REPO OPT: whole or not at all.
deploy_tree() {
  local repo=$1 opt=$2 part new=$2/berth.new
  rm -rf "$new" "$opt/berth.bad"
  mkdir -p "$new"
  for part in "${DEPLOY_PARTS[@]}"; do
    [[ ! -e $repo/$part ]] || (cd "$repo" && cp -a --parents -t "$new" -- "$part")
  done
  copy_modules "$repo" "$new"
  chown -hR 0:0 "$new"
  chmod -R "$SAME_MODES" "$new"
  [[ ! -f $opt/berth/.installed ]] || cp -a "$opt/berth/.installed" "$new/"
  echo "$DEPLOY_STAMP" >"$new/.stamp"
  if [[ -e $opt/berth.old && ! -e $opt/berth/.settled ]]; then
    # A version that was never seen to work is nothing to go back to.
    mv -T "$opt/berth" "$opt/berth.bad"
  elif [[ -e $opt/berth ]]; then
    rm -rf "$opt/berth.old"
    mv -T "$opt/berth" "$opt/berth.old"
  fi
  mv -T "$new" "$opt/berth"
  rm -rf "$opt/berth.bad"
}

# deploy_recover ROOT: one that was killed between two renames left none in place.
deploy_recover() {
  local opt=${1%/}/opt
  [[ ! -e $opt/berth && -e $opt/berth.old ]] || return 0
  mv -T "$opt/berth.old" "$opt/berth"
}

# deploy_settle ROOT: it works, nobody goes back.
deploy_settle() {
  local opt=${1%/}/opt
  : >"$opt/berth/.settled"
  rm -rf "$opt/berth.old" "$opt/berth.bad"
}

# deploy_undo ROOT: the version before, which there must be, with all that belongs to it.
deploy_undo() {
  local opt=${1%/}/opt
  # The list of the one that goes names what it brought.
  [[ ! -f $opt/berth/.installed ]] || cp -a "$opt/berth/.installed" "$opt/berth.old/"
  rm -rf "$opt/berth.bad"
  mv -T "$opt/berth" "$opt/berth.bad"
  mv -T "$opt/berth.old" "$opt/berth"
  outside_put "$1"
  rm -rf "$opt/berth.bad"
}
