# shellcheck shell=bash
# A link between this machine and the virtual one, each reachable at an address of its own, as a server in one's network
# is. Its way out, name resolution included, is QEMU's user networking: nothing is forwarded or translated here.

VM_LINK=berth-vm
VM_OUTER_ADDRESS=10.84.0.1
VM_ADDRESS=10.84.0.2
VM_PREFIX=30
# How the machine tells its two interfaces apart.
VM_LINK_MAC=52:54:00:84:00:02
VM_WAY_OUT_MAC=52:54:00:84:00:0f

vm_network_up() {
  local foreign
  vm_network_down
  foreign=$(ip -o -4 route show table all to match "$VM_ADDRESS" | grep -v -e '^default' -e '^0\.0\.0\.0/' | head -n 1) || true
  [[ -z $foreign ]] || die "the machine's network $VM_OUTER_ADDRESS/$VM_PREFIX is already in use here: $foreign"
  [[ -c /dev/net/tun ]] || die "no /dev/net/tun here, which the link to the machine is made of: modprobe tun"
  ip tuntap add dev "$VM_LINK" mode tap
  echo 1 2>/dev/null >"/proc/sys/net/ipv6/conf/$VM_LINK/disable_ipv6" || true
  ip address add "$VM_OUTER_ADDRESS/$VM_PREFIX" dev "$VM_LINK"
  ip link set "$VM_LINK" up
}

vm_network_down() {
  [[ ! -e /sys/class/net/$VM_LINK ]] || ip link delete "$VM_LINK"
}

# vm_network_options: what QEMU is told of it, a word per line.
vm_network_options() {
  printf '%s\n' -netdev "tap,id=link,ifname=$VM_LINK,script=no,downscript=no" \
    -device "virtio-net-pci,netdev=link,mac=$VM_LINK_MAC" -nic "user,model=virtio-net-pci,mac=$VM_WAY_OUT_MAC"
}

# vm_configure_network ROOT: the machine's side. Fixed addresses, so that nothing waits for DHCP.
vm_configure_network() {
  local root=$1
  printf '[Match]\nMACAddress=%s\n[Network]\nAddress=%s/%s\n' "$VM_LINK_MAC" "$VM_ADDRESS" "$VM_PREFIX" \
    >"$root/etc/systemd/network/10-link.network"
  # QEMU's own: 10.0.2.2 is the way out, 10.0.2.3 resolves names.
  printf '[Match]\nMACAddress=%s\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\n' "$VM_WAY_OUT_MAC" \
    >"$root/etc/systemd/network/10-way-out.network"
  rm -f "$root/etc/resolv.conf"
  echo 'nameserver 10.0.2.3' >"$root/etc/resolv.conf"
  systemctl --root="$root" --quiet enable systemd-networkd.service
}
