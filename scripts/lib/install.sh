# shellcheck shell=bash
# shellcheck disable=SC2153 # REPO and DRY_RUN come from the script
# Berth onto this machine, over an earlier one or for the first time, and back to the earlier one when it does not come up.

# What Berth calls, but for node: its own pages say which does what.
INSTALL_PACKAGES=(curl nftables iptables e2fsprogs mount util-linux mmdebstrap)
# How long a daemon may take until it answers, in seconds.
ANSWER_S=${BERTH_INSTALL_TIMEOUT:-60}
# Above what berth.service gives it to stop.
STOP_S=100
# That often it ends by itself before it is given up.
MOST_RESTARTS=3

check_machine() {
  local engine
  has_systemd ||
    die "PID 1 of this machine is $(cat /proc/1/comm), and Berth needs systemd there; scripts/quickstart boots an embedded host for such machines"
  engine=$(engine_version)
  [[ -n $engine ]] || die "no Docker Engine answers at /run/docker.sock: if there is one, systemctl start docker; else $(engine_advice)"
  ((engine >= ENGINE_MIN)) || die "the Docker Engine here is version $engine, and Berth needs $ENGINE_MIN or newer: $(engine_advice)"
}

# engine_advice: where this distribution's engine comes from.
engine_advice() {
  local release
  # shellcheck source=/dev/null
  release=$(. /etc/os-release && [[ $ID == debian ]] && echo "${VERSION_ID:-0}") || release=0
  if ((${release%%.*} >= 13)); then
    echo "install Debian's: apt-get install docker.io"
  else
    echo "install one as https://docs.docker.com/engine/install/ says"
  fi
}

# An older Berth would leave alone what a newer one has written: sandboxes that nobody removes, users shut out.
check_version() {
  local ours there newest
  ours=$(version_of "$REPO")
  there=$(version_of /opt/berth)
  newest=$(printf '%s\n' "$ours" "$there" | sort -V | tail -n 1)
  [[ -z $there || $newest == "$ours" || $DOWNGRADE == yes ]] ||
    die "Berth $there is installed, and this is $ours, which may not understand what that one has written (docs/operations.md, Going back). To install it all the same: --downgrade"
}

install_berth() {
  local before
  before=$(version_of /opt/berth)
  install_dependencies
  # It would write records with a version that may have to go again.
  trap 'systemctl start berth-reap.timer 2>/dev/null || true' EXIT
  systemctl stop berth-reap.timer berth-reap.service 2>/dev/null || true
  deploy_project "$REPO" /
  outside_note / package "${APT_INSTALLED[@]}"
  put_configuration /
  systemctl daemon-reload
  systemctl enable --quiet berth.service berth-reap.timer
  daemon_comes_up || go_back "$before"
  deploy_settle /
  say_installed "$before"
}

install_dependencies() {
  ensure_node_for "$REPO"
  [[ $(command -v node) == /usr/bin/node || $(command -v node) == /usr/local/bin/node ]] ||
    warn "node is at $(command -v node): berth.service must find it in /usr/local/bin or /usr/bin"
  ensure_apt "${INSTALL_PACKAGES[@]}"
  ensure_fresh_build "$REPO"
}

# put_configuration ROOT: the sample in its place, if it is nobody's yet: none is there, or that of the version before.
put_configuration() {
  local root=${1%/} sample=$1/opt/berth/dist/share/berth.yaml old=$1/opt/berth.old/dist/share/berth.yaml
  [[ -d $root/etc/berth ]] || install -d -m 0750 "$root/etc/berth"
  [[ -f $sample ]] || return 0
  if [[ ! -e $root/etc/berth/berth.yaml ]] || cmp -s "$old" "$root/etc/berth/berth.yaml"; then
    install -m 0640 "$sample" "$root/etc/berth/berth.yaml"
  fi
}

# daemon_comes_up: starts it, and says what is wrong (DAEMON_FAULT) unless it answers and goes on doing so.
daemon_comes_up() {
  local before deadline
  DAEMON_FAULT=
  before=$(daemon_shows InvocationID)
  # What counts is how long it takes from now on; before, the one that runs may have creations to unwind.
  systemctl restart --no-block berth.service
  deadline=$((SECONDS + STOP_S))
  until [[ $(daemon_shows InvocationID) != "$before" ]]; do
    ((SECONDS < deadline)) || DAEMON_FAULT="systemd did not start it in $STOP_S s"
    [[ -z $DAEMON_FAULT ]] || return 1
    sleep 0.1
  done
  deadline=$((SECONDS + ANSWER_S))
  until daemon_answers; do
    daemon_has_ended || ((SECONDS < deadline)) || DAEMON_FAULT="it does not answer after $ANSWER_S s"
    [[ -z $DAEMON_FAULT ]] || return 1
    sleep 0.2
  done
  # One that dies of the first thing it does looks well until then.
  sleep 2
  daemon_answers || DAEMON_FAULT="it answered, and then no more"
  [[ -z $DAEMON_FAULT ]]
}

daemon_shows() { systemctl show --property="$1" --value berth.service; }

# Active says that it has told systemd of its readiness.
daemon_answers() {
  [[ $(daemon_shows ActiveState) == active ]] || return 1
  # A configuration may have put it elsewhere.
  [[ ! -S /run/berth/berth.sock ]] ||
    curl -sf -m 5 -o /dev/null --unix-socket /run/berth/berth.sock http://localhost/healthz
}

# Told by DAEMON_FAULT.
daemon_has_ended() {
  local restarts
  restarts=$(daemon_shows NRestarts)
  ((restarts >= MOST_RESTARTS)) || return 1
  DAEMON_FAULT="it ended $restarts times"
}

# go_back VERSION: to the one before; ends the script either way.
go_back() {
  local fault=$DAEMON_FAULT
  journalctl -u berth.service -n 15 --no-pager -o cat 2>/dev/null | sed 's/^/  | /' >&2 || true
  if [[ ! -e /opt/berth.old ]]; then
    die "Berth was installed, and does not come up: $fault (its last log lines are above; more: journalctl -u berth). Mend that, then systemctl restart berth; or scripts/install --uninstall"
  fi
  deploy_undo /
  systemctl daemon-reload
  daemon_comes_up || die "the new Berth does not come up ($fault), and the one before, ${1:-unknown}, which is in place again, neither: $DAEMON_FAULT (journalctl -u berth)"
  die "the new Berth does not come up: $fault (its last log lines are above). The one before, ${1:-unknown}, is in place again and answers; sandboxes ran on"
}

say_installed() {
  local version
  version=$(version_of /opt/berth)
  if [[ -z $1 ]]; then
    echo "Berth $version is installed in /opt/berth and runs." >&2
  else
    echo "Berth $version runs in place of $1; sandboxes were left alone." >&2
  fi
  # What it finds wrong is no reason to go back: an image to be built, mostly.
  /opt/berth/bin/berth doctor 2>&1 | sed -n '/^\(WARN\|FAIL\) /,$p' >&2 || true
}

# plan_install: what install_berth would do.
plan_install() {
  local there kind target
  there=$(version_of /opt/berth)
  echo "would install Berth $(version_of "$REPO") from $REPO${there:+ in place of $there}:"
  for target in "${INSTALL_PACKAGES[@]}"; do
    has_package "$target" || echo "  install the package $target"
  done
  is_release "$REPO" || echo "  build it, if anything changed since it was built"
  echo "  put it in /opt/berth"
  while read -r kind target _; do echo "  make the $kind $target"; done < <(outside_plan "$REPO")
  [[ -e /etc/berth/berth.yaml || ! -f $REPO/dist/share/berth.yaml ]] || echo "  put a sample, in which nothing is set, to /etc/berth/berth.yaml"
  echo "  restart berth.service; sandboxes run on"
}
