# shellcheck shell=bash
# shellcheck disable=SC2153 # REPO and HOST_ADDRESS come from the script and state.sh
# Berth in the embedded host: deployed, configured, running.

BERTH_RUNNING_FILE=$RUN_DIR/berth.stamp
BERTH_UNITS=(berth.service berth-reap.timer)

# False while there is nothing to deploy yet.
project_can_run() { [[ -f $1/package.json && -f $1/slices/berth.service ]]; }

# deploy_berth: into the root of the host, booted or not: both are the same directory.
deploy_berth() {
  if ! project_can_run "$REPO"; then
    warn "no slices/berth.service in $REPO yet: systemd and the Docker Engine only"
    return
  fi
  ensure_node_for "$REPO"
  ensure_fresh_build "$REPO"
  deploy_project "$REPO" "$ROOT_DIR"
  # Nobody goes back here: what does not come up is to be looked at.
  deploy_settle "$ROOT_DIR"
  berth_config "$ROOT_DIR/etc/berth/berth.yaml"
  berth_enable
}

berth_config() {
  if [[ -e $1 ]]; then
    grep -qF "$HOST_ADDRESS" "$1" || warn "$1 does not name the host's address $HOST_ADDRESS: users may be sent elsewhere (publicHosts)"
    return
  fi
  mkdir -p "${1%/*}"
  printf 'listen: { host: 0.0.0.0, port: 8420, plainHttp: true }\npublicHosts: [%s]\n' "$HOST_ADDRESS" >"$1"
  chmod 0644 "$1"
}

# In a chroot systemctl only makes links, and so it works whether the host runs or not.
berth_enable() {
  local unit said
  for unit in "${BERTH_UNITS[@]}"; do
    if [[ ! -e $ROOT_DIR/etc/systemd/system/$unit ]]; then continue; fi
    if compgen -G "$ROOT_DIR/etc/systemd/system/*.wants/$unit" >/dev/null; then continue; fi
    # Kept quiet otherwise: it warns that no /proc is mounted.
    said=$(chroot "$ROOT_DIR" systemctl --quiet enable "$unit" 2>&1) ||
      warn "$unit cannot be enabled, has it an [Install] section? ($said)"
  done
}

# start_berth: running, with the build that was deployed, and answering.
start_berth() {
  local running verb=start
  [[ -n ${DEPLOY_STAMP:-} ]] || return 0
  running=$(cat "$BERTH_RUNNING_FILE" 2>/dev/null) || true
  if [[ ($running != "$DEPLOY_STAMP" || $DEPLOY_CHANGED == yes) && -z ${BOOTED_NOW:-} ]]; then
    verb=restart
    in_host systemctl daemon-reload
  fi
  in_host systemctl "$verb" "${BERTH_UNITS[@]}" || berth_failed
  in_host timeout 30 bash -c "$BERTH_ANSWERS" || berth_failed
  echo "$DEPLOY_STAMP" >"$BERTH_RUNNING_FILE"
}

# Ends early when the daemon does: waiting on would not help.
BERTH_ANSWERS='until curl -sf -m 5 -o /dev/null --unix-socket /run/berth/berth.sock http://localhost/healthz; do
  systemctl is-active --quiet berth.service || exit 1
  sleep 0.05
done'

berth_failed() {
  in_host journalctl -u berth.service -b -n 20 --no-pager -o cat | sed 's/^/  | /' >&2 || true
  die "the host is up, but Berth does not answer on /run/berth/berth.sock in it (its last log lines are above; more: scripts/host exec journalctl -u berth)"
}
