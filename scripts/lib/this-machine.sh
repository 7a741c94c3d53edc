# shellcheck shell=bash
# What this machine can do for Berth by itself.

ENGINE_MIN=25

has_systemd() { [[ -d /run/systemd/system && $(cat /proc/1/comm) == systemd ]]; }

# engine_version SOCKET: major version of the Docker Engine that answers there; empty for none, also where one has left
# its socket behind.
engine_version() {
  local said
  [[ -S $1 ]] || return 0
  said=$(curl -sf -m 5 --unix-socket "$1" http://localhost/version) || return 0
  sed -n 's/.*"Version":"\([0-9]*\)\..*/\1/p' <<<"$said" | head -n 1
}

# machine_kind: `local` where Berth can be installed into this machine, else `embedded`.
machine_kind() {
  local engine
  engine=$(engine_version /run/docker.sock)
  if has_systemd && ((${engine:-0} >= ENGINE_MIN)); then echo local; else echo embedded; fi
}

# machine_lacks: in words, why not.
machine_lacks() {
  local engine
  engine=$(engine_version /run/docker.sock)
  if ! has_systemd; then
    echo "no systemd as PID 1"
  elif [[ -z $engine ]]; then
    echo "systemd, but no Docker Engine that answers at /run/docker.sock"
  elif ((engine < ENGINE_MIN)); then
    echo "a Docker Engine older than $ENGINE_MIN (it has $engine)"
  else
    echo "all that is needed, but --embedded was given"
  fi
}
