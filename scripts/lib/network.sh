# shellcheck shell=bash
# One network namespace, one veth pair, NAT outwards. Every rule carries the comment `berth-host`.

OUTER_LINK=berth-host0
NETNS_FILE=/run/netns/$HOST_NAME
HOST_SUBNET=${BERTH_HOST_SUBNET:-10.83.0.0/30}

# network_plan: OUTER_ADDRESS, HOST_ADDRESS (the first two of the subnet) and PREFIX.
network_plan() {
  local a b c d value mask
  [[ $HOST_SUBNET =~ ^([0-9]+)\.([0-9]+)\.([0-9]+)\.([0-9]+)/([0-9]+)$ ]] || die "BERTH_HOST_SUBNET=$HOST_SUBNET is no subnet like 10.83.0.0/30"
  a=${BASH_REMATCH[1]} b=${BASH_REMATCH[2]} c=${BASH_REMATCH[3]} d=${BASH_REMATCH[4]} PREFIX=${BASH_REMATCH[5]}
  ((a < 256 && b < 256 && c < 256 && d < 256 && PREFIX >= 8 && PREFIX <= 30)) ||
    die "BERTH_HOST_SUBNET=$HOST_SUBNET: each part up to 255 and a prefix from /8 to /30, please"
  value=$(((a << 24) | (b << 16) | (c << 8) | d))
  mask=$(((0xffffffff << (32 - PREFIX)) & 0xffffffff))
  OUTER_ADDRESS=$(dotted $(((value & mask) + 1)))
  HOST_ADDRESS=$(dotted $(((value & mask) + 2)))
}

dotted() { echo "$(($1 >> 24 & 255)).$(($1 >> 16 & 255)).$(($1 >> 8 & 255)).$(($1 & 255))"; }

# A subnet that something else already reaches would be cut off from it by our route.
network_check_free() {
  local foreign
  foreign=$({
    ip -o -4 route show table all to match "$HOST_ADDRESS"
    ip -o -4 route show table all to root "${OUTER_ADDRESS%.*}.0/24" to match "$OUTER_ADDRESS"
  } 2>/dev/null | grep -v -e '^default' -e '^0\.0\.0\.0/' -e "dev $OUTER_LINK" | sort -u | head -n 3) || true
  [[ -z $foreign ]] ||
    die "$HOST_SUBNET is already in use on this machine ($foreign): choose another, e.g. BERTH_HOST_SUBNET=10.84.0.0/30"
}

# network_up: idempotent, and so also the repair of what a firewall reload took away.
network_up() {
  local new=yes
  if ip link show dev "$OUTER_LINK" >/dev/null 2>&1; then new=no; else network_check_free; fi
  if ! nsenter --net="$NETNS_FILE" true 2>/dev/null; then
    netns_remove
    # Not `ip netns add`: it turns /run/netns into a shared mount and leaves that behind.
    mkdir -p /run/netns
    : >"$NETNS_FILE"
    unshare --net="$NETNS_FILE" true
  fi
  [[ $new == no ]] || link_up
  nat_up
  forwarding_up
}

way_out_mtu() {
  local device mtu
  device=$(ip -4 route show default | sed -n '1s/.* dev \([^ ]*\).*/\1/p')
  mtu=$(ip -o link show dev "${device:-lo}" 2>/dev/null | sed -n 's/.* mtu \([0-9]*\) .*/\1/p')
  # Without a way out, and on machines with jumbo frames: what every bridge takes.
  if [[ -n $device && -n $mtu && $mtu -lt 1500 ]]; then echo "$mtu"; else echo 1500; fi
}

link_up() {
  local mtu inside=(nsenter --net="$NETNS_FILE" --)
  mtu=$(way_out_mtu)
  ip link add "$OUTER_LINK" mtu "$mtu" type veth peer name eth0 mtu "$mtu" netns "$HOST_NAME"
  # No IPv6 on this link: nothing here is announced to or by the outer machine.
  echo 1 >"/proc/sys/net/ipv6/conf/$OUTER_LINK/disable_ipv6" 2>/dev/null || true
  ip address add "$OUTER_ADDRESS/$PREFIX" dev "$OUTER_LINK"
  "${inside[@]}" ip link set lo up
  "${inside[@]}" ip address add "$HOST_ADDRESS/$PREFIX" dev eth0
  "${inside[@]}" ip link set eth0 up
  ip link set "$OUTER_LINK" up
  "${inside[@]}" ip route replace default via "$OUTER_ADDRESS"
}

nat_up() {
  [[ -e $TABLES_FILE ]] || nft_tables >"$TABLES_FILE"
  add_rule filter FORWARD -i "$OUTER_LINK" -j ACCEPT
  # Only answers come in: the outer machine's neighbours get no way to the host by routing to it.
  add_rule filter FORWARD -o "$OUTER_LINK" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
  add_rule nat POSTROUTING -s "$HOST_ADDRESS" ! -o "$OUTER_LINK" -j MASQUERADE
}

add_rule() {
  local table=$1 chain=$2
  shift 2
  iptables -w -t "$table" -C "$chain" "$@" -m comment --comment "$HOST_NAME" 2>/dev/null ||
    iptables -w -t "$table" -I "$chain" "$@" -m comment --comment "$HOST_NAME"
}

forwarding_up() {
  local now
  now=$(</proc/sys/net/ipv4/ip_forward)
  [[ $now == 0 ]] || return 0
  # Remembered first: killed in between, `down` puts back a 0 that is still there.
  echo "$now $(</proc/sys/kernel/random/boot_id)" >"$FORWARD_FILE"
  echo 1 >/proc/sys/net/ipv4/ip_forward
}

network_down() {
  local table rule
  for table in filter nat; do
    command -v iptables >/dev/null || break
    while IFS= read -r rule; do
      eval "iptables -w -t $table -D ${rule#-A }"
      # Listed by iptables-save, as `iptables -S` would create the table.
    done < <(iptables-save -t "$table" 2>/dev/null | grep -E -e "^-A .*--comment \"?$HOST_NAME\"?( |\$)" || true)
  done
  nft_tables_restore
  ip link delete "$OUTER_LINK" 2>/dev/null || true
  netns_remove
  forwarding_restore
}

forwarding_restore() {
  local before boot
  [[ -e $FORWARD_FILE ]] || return 0
  read -r before boot <"$FORWARD_FILE" || true
  # After a reboot (where /run survives one) the setting is the machine's own again.
  [[ ${boot:-} != "$(</proc/sys/kernel/random/boot_id)" ]] || echo "$before" >/proc/sys/net/ipv4/ip_forward
  rm -f "$FORWARD_FILE"
}

netns_remove() {
  while umount "$NETNS_FILE" 2>/dev/null; do :; done
  rm -f "$NETNS_FILE"
  mountpoint -q /run/netns 2>/dev/null || rmdir /run/netns 2>/dev/null || true
}

nft_tables() { nft list tables 2>/dev/null | grep -E '^table ip (filter|nat)$' || true; }

# iptables creates its tables at first use and never removes them: those that came with us go, when empty again.
nft_tables_restore() {
  local table rest
  [[ -e $TABLES_FILE ]] || return 0
  for table in filter nat; do
    grep -qxF "table ip $table" "$TABLES_FILE" && continue
    # A rule, a chain of someone's own or a policy other than ACCEPT: somebody uses the table by now.
    rest=$(iptables-save -t "$table" 2>/dev/null | grep -E '^-A|^:' | grep -vE '^:[A-Z]+ ACCEPT ') || true
    [[ -n $rest ]] || nft delete table ip "$table" 2>/dev/null || true
  done
  rm -f "$TABLES_FILE"
}

# rootfs_set_dns: the outer machine's name servers, unless they only listen on its loopback.
rootfs_set_dns() {
  local source servers='' options
  for source in /etc/resolv.conf /run/systemd/resolve/resolv.conf /run/NetworkManager/no-stub-resolv.conf; do
    servers=$(grep -E '^nameserver[[:space:]]+' "$source" 2>/dev/null | grep -vE '[[:space:]](127\.|::1|0\.0\.0\.0|fe80|[0-9a-fA-F]*:)') && break
  done
  if [[ -z $servers ]]; then
    warn "no name server that is reachable from another network namespace is configured here: using public ones (1.1.1.1, 9.9.9.9)"
    servers=$'nameserver 1.1.1.1\nnameserver 9.9.9.9'
  fi
  options=$(grep -E '^(search|options)[[:space:]]' "$source" 2>/dev/null || true)
  printf '%s\n' "$servers" ${options:+"$options"} >"$ROOT_DIR/etc/resolv.conf"
}
