# shellcheck shell=sh
# containerd and dockerd, and their end: the same in every isolation.
# shellcheck disable=SC2154 # state comes from common.sh

containerd=
dockerd=
stopping=

# dockerd calls iptables some seventy times before it answers. The legacy backend is quicker; where
# the kernel lacks it, nf_tables does. The network namespace is new at every start, so nothing is mixed.
choose_iptables() {
  mkdir -p "$state/bin"
  for backend in legacy nft; do
    if reason=$(probe_iptables $backend 2>&1); then
      for tool in iptables ip6tables; do
        ln -sf "/usr/sbin/$tool-$backend" "$state/bin/$tool"
      done
      return 0
    fi
  done
  fail "the kernel offers neither iptables backend: $reason"
}

# Commits and removes rules of the kinds dockerd writes: reading alone proves no match to be there.
probe_iptables() {
  "iptables-$1-restore" --noflush --wait <<EOF
*nat
:BERTH - [0:0]
-A BERTH -m addrtype --dst-type LOCAL -j RETURN
COMMIT
*nat
-F BERTH
-X BERTH
COMMIT
*filter
:BERTH - [0:0]
-A BERTH -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*filter
-F BERTH
-X BERTH
COMMIT
EOF
}

run_daemons() {
  trap stop_daemons TERM INT
  choose_iptables
  PATH="$state/bin:$PATH"
  # shellcheck disable=SC2046 # they print words
  start_daemons $(mtu_options) $(proxy_options)
}

# $@: options of dockerd.
start_daemons() {
  trap stop_daemons TERM INT
  mkdir -p /data/docker /data/containerd
  trap on_child CHLD
  containerd --config /etc/containerd/config.toml &
  containerd=$!
  # Not waited for: dockerd retries a missing containerd socket every 10 ms, and its own start
  # takes longer than containerd's.
  dockerd "$@" &
  dockerd=$!
  on_child
  supervise_daemons
}

# Inner networks carry what the sandbox's own network carries; $mtu is set where that is still to come.
mtu_options() {
  [ -n "${mtu:-}" ] || read -r mtu 2>/dev/null </sys/class/net/eth0/mtu || return 0
  [ "$mtu" -eq 1500 ] || echo "--mtu=$mtu --default-network-opt=bridge=com.docker.network.driver.mtu=$mtu"
}

# Without docker-proxy a published port costs two processes less, but then a container reaches a port
# published by its neighbour only if the kernel passes bridged packets through iptables.
proxy_options() {
  read -r filtered 2>/dev/null </proc/sys/net/bridge/bridge-nf-call-iptables || return 0
  [ "$filtered" -ne 1 ] || echo --userland-proxy=false
}

# The engine is nothing without containerd, and would stay up without it. Asked to stop, it would
# wait 15 s for containers it can no longer reach; they end with this container.
on_child() {
  if [ -n "$dockerd" ] && ! alive "$containerd"; then
    kill -s KILL "$dockerd" 2>/dev/null || true
  fi
}

# shellcheck disable=SC2317 # called by trap
stop_daemons() {
  stopping=1
  [ -n "$dockerd" ] || exit 143
  # dockerd stops the inner containers, which get ten seconds, before it ends.
  kill -s TERM "$dockerd" 2>/dev/null || true
}

# Waits for dockerd, ends containerd and exits with the status of whichever ended unasked.
supervise_daemons() {
  wait_for "$dockerd"
  dockerd_status=$status
  if alive "$containerd"; then
    kill -s TERM "$containerd" 2>/dev/null || true
    wait_for "$containerd"
    [ -n "$stopping" ] || warn "dockerd ended with status $dockerd_status"
    exit "$dockerd_status"
  fi
  wait_for "$containerd"
  [ -z "$stopping" ] || exit "$dockerd_status"
  warn "containerd ended with status $status"
  [ "$status" -ne 0 ] || status=1
  exit "$status"
}
