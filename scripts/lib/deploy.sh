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
  scripts/install scripts/lib/{build,common,deploy,install,lock,node,outside,release,this-machine,uninstall}.sh
)

# deploy_stamp REPO: hash over all that decides what runs. Times, owners and the umask do not count, nor whether it
# comes from a clone or a release.
deploy_stamp() {
  local part parts=()
  for part in "${DEPLOY_PARTS[@]}"; do [[ ! -e $1/$part ]] || parts+=("$part"); done
  tar -C "$1" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode="$SAME_MODES" -cf - "${parts[@]}" |
    sha256sum | cut -d' ' -f1
}

# Set once the version in place is no more, or not surely, the one before.
DEPLOY_BEGUN=no

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
  chown -hR 0:0 "$new"
  chmod -R "$SAME_MODES" "$new"
  # Before it is in place: a tree without a list is of before there was one (deploy_settled).
  outside_list "$opt/berth" | outside_write "$new/.installed"
  echo "$DEPLOY_STAMP" >"$new/.stamp"
  DEPLOY_BEGUN=yes
  if [[ -e $opt/berth && -e $opt/berth.old ]]; then
    # A version that was never seen to work is nothing to go back to.
    mv -T "$opt/berth" "$opt/berth.bad"
  elif [[ -e $opt/berth ]]; then
    mv -T "$opt/berth" "$opt/berth.old"
  fi
  mv -T "$new" "$opt/berth"
  rm -rf "$opt/berth.bad"
}

# deploy_whole TREE: all of it is there, for the stamp is written last and nothing is removed in place.
deploy_whole() { [[ -f $1/.stamp && -f $1/package.json && -f $1/dist/main.js ]]; }

# deploy_settled OPT: the version in place was seen to work. Before there was a list, nobody went back: what was in
# place was in use, and what lay beside it was being removed.
deploy_settled() { [[ -e $1/berth/.settled || ! -e $1/berth/.installed ]]; }

# deploy_can_undo ROOT: there is a version to go back to.
deploy_can_undo() {
  local opt=${1%/}/opt
  deploy_whole "$opt/berth.old" && { [[ ! -e $opt/berth ]] || ! deploy_settled "$opt"; }
}

# deploy_there ROOT: the tree that is installed; empty for none. It is not in place where a run was killed between two
# renames.
deploy_there() {
  local opt=${1%/}/opt
  if [[ -e $opt/berth ]]; then
    echo "$opt/berth"
  elif deploy_whole "$opt/berth.old"; then
    echo "$opt/berth.old"
  fi
}

# deploy_discard OPT NAME...: at once, for half a tree is not to be taken for one.
deploy_discard() {
  local opt=$1 name
  shift
  for name; do
    rm -rf "$opt/berth.bad"
    [[ ! -e $opt/$name ]] || mv -T "$opt/$name" "$opt/berth.bad"
  done
  rm -rf "$opt/berth.bad"
}

# deploy_recover ROOT: in order after a kill: a version in place, and beside it none but one to go back to.
deploy_recover() {
  local opt=${1%/}/opt
  if [[ ! -e $opt/berth ]] && deploy_can_undo "$1"; then
    mv -T "$opt/berth.old" "$opt/berth"
  elif ! deploy_can_undo "$1"; then
    deploy_discard "$opt" berth.old
  fi
}

# deploy_settle ROOT: it works, nobody goes back.
deploy_settle() {
  local opt=${1%/}/opt
  : >"$opt/berth/.settled"
  DEPLOY_BEGUN=no
  deploy_discard "$opt" berth.old
}

# deploy_undo ROOT: the version before, which there must be (deploy_can_undo), with all that belongs to it.
deploy_undo() {
  local opt=${1%/}/opt tree
  # The list of the one that goes names what it brought; that one may still be on its way.
  for tree in berth.new berth; do
    [[ ! -f $opt/$tree/.installed ]] || cp -a "$opt/$tree/.installed" "$opt/berth.old/"
  done
  : >"$opt/berth.old/.settled"
  rm -rf "$opt/berth.bad"
  [[ ! -e $opt/berth ]] || mv -T "$opt/berth" "$opt/berth.bad"
  mv -T "$opt/berth.old" "$opt/berth"
  DEPLOY_BEGUN=no
  outside_put "$1"
  rm -rf "$opt/berth.bad" "$opt/berth.new"
}
