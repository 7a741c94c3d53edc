# shellcheck shell=bash
# shellcheck disable=SC2153 # REPO and VM_* come from the script and vm-*.sh
# Berth in the virtual machine, installed as an operator does it: a release is copied there and its scripts/install run.

VM_RELEASE=/root/berth
# What a release has; with the sources, for scripts/install looks whether they are newer than what is built.
RELEASE_PARTS=(bin dist images scripts slices src package.json package-lock.json tsconfig.build.json README.md LICENSE)

vm_install_berth() {
  local stamp
  ensure_node
  ensure_fresh_build "$REPO"
  stamp=$(deploy_stamp "$REPO")
  [[ $(vm_ssh cat "$VM_RELEASE/.stamp" 2>/dev/null) == "$stamp" ]] || step "installing Berth in the machine" vm_install "$stamp"
}

vm_install() {
  local stamp=$1 release=$VM_DIR/release
  rm -rf --one-file-system "$release"
  mkdir -p "$release/berth"
  (cd "$REPO" && cp -a "${RELEASE_PARTS[@]}" "$release/berth/")
  deploy_modules "$REPO" "$release/berth"
  # Newer than package-lock.json, as npm leaves it: nothing is to be fetched in the machine.
  cp "$REPO/node_modules/.package-lock.json" "$release/berth/node_modules/"
  touch "$release/berth/node_modules/.package-lock.json" "$release/berth/dist/.built"
  echo "$stamp" >"$release/berth/.stamp"
  # Away first, the stamp with it: what is broken off is done again.
  vm_ssh rm -rf --one-file-system "$VM_RELEASE"
  "$REPO/scripts/vm" copy "$release/berth" /root/new
  rm -rf --one-file-system "$release"
  vm_berth_config | vm_ssh 'mkdir -p /etc/berth && cat >/etc/berth/berth.yaml'
  vm_ssh "mv -T /root/new/berth $VM_RELEASE && $VM_RELEASE/scripts/install || { rm -f $VM_RELEASE/.stamp; exit 1; }"
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
  ensure_apt mmdebstrap arch-test debian-archive-keyring
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
