# shellcheck shell=bash
# What every script here needs: messages, progress, and packages of the outer machine.

warn() { printf '%s: %s\n' "${BERTH_SCRIPT:-berth}" "$*" >&2; }

die() {
  warn "$*"
  exit 1
}

need_root() { [[ $EUID == 0 ]] || die "this needs root (namespaces, mounts, firewall): run it with sudo"; }

# step TEXT COMMAND...: one line before, one after with the seconds it took; its output, and the end, when it fails.
step() {
  local text=$1 started=$EPOCHREALTIME out rc=0 trap
  shift
  out=$(mktemp)
  printf '%s …\n' "$text" >&2
  # Not "if !" or "||": either would switch `set -e` off inside the command.
  trap=$(trap -p ERR)
  trap - ERR
  set +e
  (
    set -e
    "$@"
  ) >"$out" 2>&1
  rc=$?
  set -e
  eval "$trap"
  ((rc == 0)) || tail -n 25 "$out" | sed 's/^/  | /' >&2
  rm -f "$out"
  ((rc == 0)) || die "$text: failed after $(seconds_since "$started") s (exit $rc), the last lines are above"
  printf '%s: done in %s s\n' "$text" "$(seconds_since "$started")" >&2
}

# Microsecond arithmetic in the shell: no child process for a clock.
seconds_since() {
  local us=$((${EPOCHREALTIME/[.,]/} - ${1/[.,]/}))
  printf '%d.%d' $((us / 1000000)) $((us / 100000 % 10))
}

now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# debian_codename: bookworm, trixie … of the outer machine, empty when it is no Debian.
debian_codename() {
  # shellcheck source=/dev/null
  (. /etc/os-release 2>/dev/null && [[ ${ID:-} == debian || ${ID_LIKE:-} == *debian* ]] && echo "${VERSION_CODENAME:-}") || true
}

has_package() { [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# ensure_apt PACKAGE...: installs those that are missing, nothing else, and adds their names to APT_INSTALLED.
APT_INSTALLED=()
ensure_apt() {
  local package missing=()
  for package in "$@"; do
    has_package "$package" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  command -v apt-get >/dev/null || die "missing: ${missing[*]}, and there is no apt-get to install them with"
  step "installing ${missing[*]}" apt_install "${missing[@]}"
  APT_INSTALLED+=("${missing[@]}")
}

apt_install() {
  # With lists in place the update is spared; with stale ones the first attempt fails and the second is fresh.
  apt_get install "$@" || { apt_get update && apt_get install "$@"; }
}

# A killed apt leaves dpkg half-configured: that is finished first, it costs nothing when there is nothing to do.
apt_get() {
  local verb=$1
  shift
  [[ $verb != install ]] || DEBIAN_FRONTEND=noninteractive dpkg --configure -a --force-confold
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold \
    --no-install-recommends "$verb" "$@"
}
