# shellcheck shell=bash
# shellcheck disable=SC2153 # REPO and VM_* come from the script and vm-*.sh
# Berth in the virtual machine, installed as an operator does it: a release is copied there and its scripts/install run.

VM_RELEASE=/root/berth

vm_install_berth() {
  local stamp
  ensure_node npm
  ensure_fresh_build "$REPO"
  stamp=$(deploy_stamp "$REPO")
  [[ $(vm_ssh cat "$VM_RELEASE/.stamp" 2>/dev/null) == "$stamp" ]] || step "installing Berth in the machine" vm_install "$stamp"
}

vm_install() {
  local stamp=$1 release=$VM_DIR/release tarball
  rm -rf --one-file-system "$release"
  # The build is fresh: only packed.
  tarball=$(release_pack "$REPO" "$release")
  # Away first, the stamp with it: what is broken off is done again.
  vm_ssh rm -rf --one-file-system "$VM_RELEASE"
  "$REPO/scripts/vm" copy "$release/$tarball" "$VM_RELEASE"
  rm -rf --one-file-system "$release"
  vm_berth_config | vm_ssh 'mkdir -p /etc/berth && cat >/etc/berth/berth.yaml'
  vm_ssh "cd $VM_RELEASE && tar -x --strip-components=1 -f $tarball && rm $tarball && BERTH_INSTALL_TIMEOUT=600 scripts/install"
  vm_ssh "echo $stamp >$VM_RELEASE/.stamp"
}

# An emulated machine's engines need longer than any server's.
vm_berth_config() {
  printf 'listen: { host: 0.0.0.0, port: 8420, plainHttp: true }\npublicHosts: [%s]\n' "$VM_ADDRESS"
  [[ $VM_ACCEL != tcg ]] || echo 'engine: { startTimeout: 20m }'
}

# Built on this machine, which is quicker and has a mirror, and imported through the engine's forwarded socket.
vm_build_image() {
  local config=$VM_RUN_DIR/image.yaml
  printf 'engine: { socket: %s }\n' "$(vm_forward /run/docker.sock)" >"$config"
  ensure_apt "${DEBIAN_TOOLS[@]}"
  BERTH_SOCKET=$VM_SOCKET "$REPO/bin/berth" image build --config "$config"
}

# vm_slowness: how many times as long as here something takes there, rounded up: starting Node, of which the daemon's
# start, the CLI and the tests' own programs consist.
vm_slowness() {
  local here there
  [[ $VM_ACCEL == tcg ]] || {
    echo 1
    return
  }
  here=$(vm_start_node)
  # The same function, at the other end.
  there=$(vm_ssh bash -c "$(printf %q "$(declare -f vm_start_node now_ms); vm_start_node")")
  echo $(((there + here - 1) / here))
}

# vm_start_node: milliseconds for three starts.
vm_start_node() {
  local started
  started=$(now_ms)
  for _ in 1 2 3; do node -e 'require("node:https")'; done
  echo $(($(now_ms) - started))
}
