# shellcheck shell=bash
# Where Debian packages come from, for a root file system that is made here.

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
