# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is for the files that source this one
# Root file systems made here of Debian's packages, and where those come from.

# What debian_root needs.
DEBIAN_TOOLS=(mmdebstrap arch-test debian-archive-keyring)
DEBIAN_NO_DOCS=(/usr/share/doc/\* /usr/share/man/\* /usr/share/info/\* /usr/share/locale/\* /usr/share/lintian/\*)

# debian_root SUITE TARGET OPTION...: by mmdebstrap, whose options these are; TMPDIR is for its own files.
debian_root() {
  local suite=$1 target=$2 item options=()
  shift 2
  # mmdebstrap does not read the machine's apt settings: those that decide whether it can fetch at all go along.
  while IFS= read -r item; do options+=("--aptopt=$item"); done < <(apt_fetch_settings)
  mirror_sources "$suite" | LC_ALL=C.UTF-8 unshare --mount \
    mmdebstrap --mode=root --components=main "${options[@]}" "$@" "$suite" "$target" -
}

# mirror_sources SUITE: the machine's own Debian mirrors, for that suite; mmdebstrap's default ones when it has none.
mirror_sources() {
  # shellcheck disable=SC2016 # apt expands these
  local suite=$1 label codename uri seen=' ' fields='$(LABEL)|$(CODENAME)|$(REPO_URI)'
  while IFS='|' read -r label codename uri; do
    case $label:$codename in
      Debian-Security:*) codename=$suite-security ;;
      Debian:*-updates) codename=$suite-updates ;;
      Debian:*-*) continue ;;
      Debian:*) codename=$suite ;;
      *) continue ;;
    esac
    [[ $seen != *" $codename "* ]] || continue
    seen+="$codename "
    echo "deb $uri $codename main"
  done < <(apt-get indextargets --format "$fields" 'Created-By: Packages' 2>/dev/null)
}

apt_fetch_settings() {
  apt-config dump --format '%F "%v";%n' 2>/dev/null |
    grep -E '^Acquire::(https?::Proxy|Check-Date|Check-Valid-Until|Retries|ForceIPv[46])\b.* "[^"]+";$' || true
}
