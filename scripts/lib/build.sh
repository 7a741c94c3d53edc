# shellcheck shell=bash
# From a clone to dist/.

npm_in() {
  cd "$1" || return
  shift
  npm "$@"
}

# ensure_modules REPO: npm writes the hidden lock file last: older than package-lock.json, or absent, means an install
# that is stale or was killed.
ensure_modules() {
  [[ $1/package-lock.json -nt $1/node_modules/.package-lock.json ]] || return 0
  step "npm ci" npm_in "$1" ci --no-audit --no-fund --loglevel=error
}

# ensure_fresh_build REPO: builds unless dist/ is newer than everything it is made from.
ensure_fresh_build() {
  ensure_modules "$1"
  if [[ -e $1/dist/.built ]] &&
    [[ -z $(find "$1/src" "$1/package.json" "$1"/tsconfig*.json -newer "$1/dist/.built" -print -quit) ]]; then
    return 0
  fi
  step "npm run build" npm_in "$1" run --silent build
}
