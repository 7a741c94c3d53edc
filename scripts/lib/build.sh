# shellcheck shell=bash
# From a clone to dist/.

# shellcheck source=SCRIPTDIR/release.sh
. "$LIB/release.sh"

npm_in() {
  cd "$1" || return
  shift
  npm "$@"
}

# ensure_node_for REPO: with npm for a clone, which fetches what a release has.
ensure_node_for() {
  if is_release "$1"; then ensure_node; else ensure_node npm; fi
}

# ensure_modules REPO: npm writes the hidden lock file last: older than package-lock.json, or absent, means an install
# that is stale or was killed. A link is left alone: npm would empty what it leads to, another clone's modules.
ensure_modules() {
  [[ ! -L $1/node_modules ]] || return 0
  [[ $1/package-lock.json -nt $1/node_modules/.package-lock.json ]] || return 0
  step "npm ci" npm_in "$1" ci --no-audit --no-fund --loglevel=error
}

# ensure_fresh_build REPO: builds unless dist/ is newer than everything it is made from. A release comes built.
ensure_fresh_build() {
  if is_release "$1"; then return 0; fi
  ensure_modules "$1"
  if [[ -e $1/dist/.built ]] &&
    [[ -z $(find "$1/src" "$1"/scripts/*.ts "$1"/package*.json -newer "$1/dist/.built" -print -quit) ]]; then
    return 0
  fi
  step "npm run build" npm_in "$1" run --silent build
}
