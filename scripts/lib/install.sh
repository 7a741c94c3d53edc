# shellcheck shell=bash
# shellcheck disable=SC2153 # REPO and DRY_RUN come from the script
# Berth onto this machine, over an earlier one or for the first time, and back to the earlier one when it does not come up.

# What Berth calls, but for node: its own pages say which does what.
INSTALL_PACKAGES=(curl nftables iptables e2fsprogs mount util-linux mmdebstrap)
# How long a daemon may take until it answers, in seconds.
ANSWER_S=${BERTH_INSTALL_TIMEOUT:-60}
# How long systemd may wait for what berth.service comes after.
START_S=100
# That often it ends by itself before it is given up.
MOST_RESTARTS=3
# For tests.
INSTALL_ROOT=/

# Where the configuration in effect has them (ask_paths).
ENGINE_SOCKET=/run/docker.sock
RUN_DIR=/run/berth
DATA_DIR=/var/lib/berth

# What leave has to see to: a version that nobody has seen to work yet, and that no daemon runs any more.
UNDECIDED=no
DAEMON_STOPPED=no

check_machine() {
  has_systemd ||
    die "PID 1 of this machine is $(cat /proc/1/comm), and Berth needs systemd there; scripts/quickstart boots an embedded host for such machines"
  if can_ask_paths; then
    ask_paths
  elif [[ -e /etc/berth/berth.yaml ]]; then
    # Which may have the engine elsewhere: when there are Node and a build, install_berth asks.
    return 0
  fi
  check_engine
}

check_engine() {
  local engine
  # On a dry run, which installs none.
  command -v curl >/dev/null || return 0
  engine=$(engine_version "$ENGINE_SOCKET")
  [[ -n $engine ]] ||
    die "no Docker Engine answers at $ENGINE_SOCKET: if there is one, systemctl start docker; else $(engine_advice)"
  ((engine >= ENGINE_MIN)) || die "the Docker Engine here is version $engine, and Berth needs $ENGINE_MIN or newer: $(engine_advice)"
}

can_ask_paths() { node_is_enough && [[ -f $REPO/dist/install-steps.js ]]; }

# ask_paths: by the version that is to run, which has to understand the configuration.
ask_paths() {
  local said name path
  said=$(install_step paths 2>&1) || die "nothing was changed: this version cannot make out the configuration: $said"
  while read -r name path; do
    case $name in
      engine) ENGINE_SOCKET=$path ;;
      run) RUN_DIR=$path ;;
      data) DATA_DIR=$path ;;
    esac
  done <<<"$said"
}

install_step() { node "$REPO/dist/install-steps.js" "$@"; }

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
  local ours there
  ours=$(version_of "$REPO")
  there=$(version_of "$(deploy_there "$INSTALL_ROOT")")
  [[ $DOWNGRADE == yes || -z $there ]] || ! version_older "$ours" "$there" ||
    die "Berth $there is installed, and this is $ours, which may not understand what that one has written (docs/operations.md, Going back). To install it all the same: --downgrade"
}

# The same by what counts, of builds that say it; of a clone once it is built.
check_records() {
  local there kind old new
  there=$(deploy_there "$INSTALL_ROOT")
  [[ $DOWNGRADE == no && -n $there ]] || return 0
  for kind in sandboxes users; do
    old=$(record_version "$there" "$kind")
    new=$(record_version "$REPO" "$kind")
    ((${new:-0} >= ${old:-0})) ||
      die "the Berth that is installed writes records of $kind in version $old, and this one knows none above ${new:-its own}: it would leave them alone (docs/operations.md, Going back). To install it all the same: --downgrade"
  done
}

install_berth() {
  local before
  before=$(version_of "$(deploy_there "$INSTALL_ROOT")")
  install_dependencies
  ask_paths
  check_engine
  check_records
  trap leave EXIT
  # It would write records with a version that may have to go again.
  systemctl stop berth-reap.timer berth-reap.service 2>/dev/null || true
  # Of a run that was killed, and the version to go back to.
  deploy_can_undo "$INSTALL_ROOT" || rm -rf "$(record_copies)"
  deploy_project "$REPO" "$INSTALL_ROOT"
  UNDECIDED=yes
  outside_note "$INSTALL_ROOT" package "${APT_INSTALLED[@]}"
  put_configuration "$INSTALL_ROOT"
  systemctl daemon-reload
  systemctl enable --quiet berth.service berth-reap.timer
  stop_for_upgrade
  keep_records
  daemon_comes_up || go_back "$before"
  deploy_settle "$INSTALL_ROOT"
  UNDECIDED=no DAEMON_STOPPED=no
  rm -rf "$(record_copies)"
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

# Users' records, with hashes of tokens and passwords, are in it.
record_copies() { echo "${INSTALL_ROOT%/}/opt/berth.records"; }

# keep_records: as the version before wrote them; of those that the next daemon writes it may not know the version.
keep_records() {
  ! deploy_can_undo "$INSTALL_ROOT" || install_step keep-records "$DATA_DIR" "$(record_copies)"
}

# put_records_back: none where no copies were made. A removed user or sandbox stays removed.
put_records_back() {
  local said copies
  copies=$(record_copies)
  [[ -d $copies ]] || return 0
  if said=$(install_step put-records-back "$DATA_DIR" "$copies" 2>&1); then
    rm -rf "$copies"
  else
    said+=$'\n'"not all records could be put back; their copies are in $copies"
  fi
  # Nothing of it may fail where the terminal is gone.
  [[ -z $said ]] || printf '%s\n' "$said" | sed 's/^/  | /' >&2 || true
}

# It ends on its own terms: creations under way are broken off and unwound.
stop_for_upgrade() {
  DAEMON_STOPPED=yes
  systemctl stop berth.service 2>/dev/null || true
}

# daemon_comes_up: starts it, and says what is wrong (DAEMON_FAULT) unless it answers and goes on doing so.
daemon_comes_up() {
  local before deadline
  DAEMON_FAULT=
  before=$(daemon_shows InvocationID)
  # What came before has no part in how often this one ends.
  systemctl reset-failed berth.service 2>/dev/null || true
  systemctl start --no-block berth.service
  deadline=$((SECONDS + START_S))
  until [[ $(daemon_shows InvocationID) != "$before" ]]; do
    ((SECONDS < deadline)) || DAEMON_FAULT="systemd did not start it in $START_S s"
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
  # An operator's drop-in may start it with another configuration than the one that was asked.
  [[ ! -S $RUN_DIR/berth.sock ]] ||
    curl -sf -m 5 -o /dev/null --unix-socket "$RUN_DIR/berth.sock" http://localhost/healthz
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
  # Broken off, this would be neither one nor the other.
  trap '' INT TERM HUP
  journalctl -u berth.service -n 15 --no-pager -o cat 2>/dev/null | sed 's/^/  | /' >&2 || true
  if ! deploy_can_undo "$INSTALL_ROOT"; then
    UNDECIDED=no DEPLOY_BEGUN=no
    die "Berth was installed, and does not come up: $fault (its last log lines are above; more: journalctl -u berth). Mend that, then systemctl restart berth; or scripts/install --uninstall"
  fi
  take_back
  UNDECIDED=no
  daemon_comes_up || die "the new Berth does not come up ($fault), and the one before, ${1:-unknown}, which is in place again, neither: $DAEMON_FAULT (journalctl -u berth)"
  die "the new Berth does not come up: $fault (its last log lines are above). The one before, ${1:-unknown}, is in place again and answers; sandboxes ran on"
}

# take_back: the version before and its records, with no daemon running.
take_back() {
  systemctl stop berth.service 2>/dev/null || true
  deploy_undo "$INSTALL_ROOT"
  put_records_back
  systemctl daemon-reload
}

# leave: what every end of an installation does, also by a command that failed or by Ctrl-C. What is half-way is undone.
leave() {
  trap '' INT TERM HUP
  set +e
  if [[ $UNDECIDED == yes || $DEPLOY_BEGUN == yes ]]; then
    (set -e && leave_undone) || true
  fi
  systemctl start berth-reap.timer 2>/dev/null
}

leave_undone() {
  trap - EXIT
  if ! deploy_can_undo "$INSTALL_ROOT"; then
    [[ $DAEMON_STOPPED == no ]] || systemctl start --no-block berth.service
    warn "broken off: Berth is in /opt/berth, and nobody has seen yet whether it works. Run this again, or scripts/install --uninstall"
  elif [[ $DAEMON_STOPPED == yes ]]; then
    take_back
    systemctl start --no-block berth.service
    warn "broken off: the Berth before is in place again, and is being started"
  else
    # Its daemon has not even noticed.
    deploy_undo "$INSTALL_ROOT"
    systemctl daemon-reload
    warn "broken off: the Berth before is in place again, and its daemon runs as before"
  fi
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
  local tree there kind target
  tree=$(deploy_there "$INSTALL_ROOT")
  there=$(version_of "$tree")
  outside_check "$REPO" "$INSTALL_ROOT"
  if is_release "$REPO"; then check_records; fi
  echo "would install Berth $(version_of "$REPO") from $REPO${there:+ in place of $there}:"
  ! deploy_can_undo "$INSTALL_ROOT" || echo "  go on after an installation that was killed"
  for target in "${INSTALL_PACKAGES[@]}"; do
    has_package "$target" || echo "  install the package $target"
  done
  is_release "$REPO" || echo "  build it, if anything changed since it was built"
  echo "  put it in /opt/berth"
  while read -r kind target _; do echo "  make the $kind $target"; done < <(outside_plan "$REPO")
  plan_prune "$tree"
  [[ -e /etc/berth/berth.yaml || ! -f $REPO/dist/share/berth.yaml ]] || echo "  put a sample, in which nothing is set, to /etc/berth/berth.yaml"
  echo "  restart berth.service; sandboxes run on"
}

# plan_prune TREE: what that version has outside and this one lacks. A clone that is not built does not know yet.
plan_prune() {
  local kind target planned
  [[ -n $1 && -d $REPO/dist ]] || return 0
  planned=$(outside_plan "$REPO" | cut -d' ' -f1,2)
  while read -r kind target; do
    [[ $kind != file && $kind != link ]] || grep -q " $target$" <<<"$planned" || echo "  remove the $kind $target"
  done < <(outside_list "$1")
}
