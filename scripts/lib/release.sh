# shellcheck shell=bash
# A release: what a server needs to install Berth with neither npm, network nor sources.

RELEASE_PARTS=(
  bin dist images slices docs scripts/install scripts/quickstart scripts/host scripts/demo-image scripts/lib
  package.json README.md CHANGELOG.md LICENSE
)

# A file of that name says that dist is as it shall be.
is_release() { [[ -f $1/RELEASE ]]; }

# version_of TREE: as its package.json has it; empty without one.
version_of() {
  [[ ! -f $1/package.json ]] || sed -n 's/^  "version": "\(.*\)",$/\1/p' "$1/package.json" | head -n 1
}

# version_older A B: 1.0.0-rc.1 is older than 1.0.0, as sort(1) has it with a tilde.
version_older() {
  [[ $1 != "$2" && $(printf '%s\n' "${1/-/\~}" "${2/-/\~}" | sort -V | head -n 1) == "${1/-/\~}" ]]
}

# record_version TREE KIND: the version in which a build writes records of that kind (sandboxes, users); empty for one
# that does not say.
record_version() {
  [[ ! -f $1/dist/record-versions.json ]] ||
    sed -n "s/^  \"$2\": \([0-9]*\),*\$/\1/p" "$1/dist/record-versions.json"
}

# release_pack REPO DIRECTORY: makes berth-VERSION.tar.gz and SHA256SUMS of a clone that is built, and prints the
# tarball's name. The same commit gives the same bytes: sorted, with the commit's time, without owners and umask.
release_pack() {
  local repo=$1 out=$2 name tree time commit
  name=berth-$(version_of "$repo")
  time=$(git -C "$repo" log -1 --format=%ct)
  commit=$(release_commit "$repo")
  mkdir -p "$out"
  tree=$(mktemp -d "$out/.release.XXXXXX")
  release_tree "$repo" "$tree/$name"
  printf '%s\ncommit %s\n' "$name" "$commit" >"$tree/$name/RELEASE"
  tar -C "$tree" --sort=name --format=gnu --mtime="@$time" --owner=0 --group=0 --numeric-owner --hard-dereference \
    --mode="$SAME_MODES" -cf - "$name" | gzip -9n >"$tree/$name.tar.gz"
  mv "$tree/$name.tar.gz" "$out/"
  rm -rf "$tree"
  (cd "$out" && sha256sum "$name.tar.gz" >SHA256SUMS)
  echo "$name.tar.gz"
}

# Whatever the umask was that a file was made with.
SAME_MODES=u+rwX,go+rX,go-w

# release_commit REPO: its commit, and whether files differ from that.
release_commit() {
  local changed=
  [[ -z $(git -C "$1" status --porcelain --untracked-files=no) ]] || changed=' with changes'
  echo "$(git -C "$1" rev-parse HEAD)$changed"
}

# release_tree REPO TARGET: of the sources what git knows, so that nothing comes along which lies about.
release_tree() {
  mkdir -p "$2"
  (cd "$1" && git ls-files -z -- "${RELEASE_PARTS[@]}" | xargs -0r cp -a --parents -t "$2")
  cp -a "$1/dist" "$2/"
}
