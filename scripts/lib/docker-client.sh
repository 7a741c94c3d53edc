# shellcheck shell=bash
# A docker client on this machine: what a user has on theirs.

ensure_docker_client() {
  command -v docker >/dev/null && return
  case $(debian_codename) in
    # Debian 12 has the client only together with an engine: the embedded host's own client runs there as well.
    bookworm) step "installing a docker client in /usr/local/bin" copy_docker_client ;;
    *) ensure_apt docker-cli ;;
  esac
  hash -r
}

copy_docker_client() {
  local from=${BERTH_HOST_DIR:-/var/lib/berth-host}/root/usr/bin/docker
  [[ -x $from ]] || die "no docker client: install one (Debian 13: apt-get install docker-cli)"
  install -D -m 0755 "$from" /usr/local/bin/docker
  docker --version
}
