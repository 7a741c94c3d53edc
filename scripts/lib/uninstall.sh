# shellcheck shell=bash
# shellcheck disable=SC2153 # REPO, PURGE and DRY_RUN come from the script
# Berth off this machine again. Each step is safe to repeat, and the list of what there is goes last.

uninstall_berth() {
  # A dry run only looks.
  [[ $DRY_RUN == yes ]] || deploy_recover /
  THERE=$(deploy_there /)
  if [[ -z $THERE ]]; then
    [[ $DRY_RUN == yes ]] || deploy_discard /opt berth.new
    die "there is no Berth in /opt/berth"
  fi
  may_uninstall
  plan_uninstall
  [[ $DRY_RUN == no ]] || return 0
  confirm "Go on?"
  stop_daemon
  clear_host
  stop_slice
  say_left
  outside_remove /
  [[ $PURGE == no ]] || rm -rf --one-file-system /etc/berth
  rmdir /etc/berth 2>/dev/null || true
  systemctl daemon-reload
  systemctl reset-failed berth.service berth-reap.service berth-reap.timer 2>/dev/null || true
  rm -rf /opt/berth.records
  # The tree in place last: without it there is no Berth to run this again with.
  deploy_discard /opt berth.new berth.old berth
  echo "Berth is uninstalled$([[ $PURGE == yes ]] && echo ', with all its data')." >&2
}

# Nobody would remove sandboxes that are left: with some, only a purge is. Sets CLEAR_PLAN, what clear_host would do.
may_uninstall() {
  CLEAR_PLAN=$(clear_host_verb --dry-run) && return
  # Among what is logged.
  die "nothing was changed: $(sed -n 's/^berth: //p' <<<"$CLEAR_PLAN" | grep . || echo "$CLEAR_PLAN")"
}

# clear_host_verb OPTION...: of the version that is installed, which knows its own records; of this one where that had
# no such verb yet. By a socket's directory that is always there it is told to stay on this machine.
clear_host_verb() {
  local berth=$THERE/bin/berth
  "$berth" help clear-host >/dev/null 2>&1 || berth=$REPO/bin/berth
  [[ $PURGE == no ]] || set -- --purge --yes "$@"
  BERTH_SOCKET=/run/berth.sock "$berth" clear-host "$@" 2>&1
}

plan_uninstall() {
  echo "This removes:"
  sed -n '/^would leave /d; s/^would /  /p' <<<"$CLEAR_PLAN"
  echo "  remove /opt/berth, and what belongs to it:"
  { outside_noted "$THERE" file && outside_noted "$THERE" link; } | sed 's/^/    /'
  if [[ $PURGE == yes ]]; then
    echo "  remove users, keys and records in the data directory, and /etc/berth"
  else
    echo "It keeps the configuration in /etc/berth, users, keys, images and preloads."
  fi
  sed -n 's/^would leave /It leaves /p' <<<"$CLEAR_PLAN"
}

confirm() {
  local answer
  [[ $YES == no ]] || return 0
  [[ -t 0 ]] || die "nothing was changed: there is no terminal to ask at; say --yes"
  read -rp "$1 [y/N] " answer
  [[ $answer == [yY]* ]] || die "nothing was changed"
}

stop_daemon() {
  systemctl disable --quiet --now berth-reap.timer berth.service 2>/dev/null || true
  # A timer that is gone may have started it just before.
  systemctl stop berth-reap.service 2>/dev/null || true
}

clear_host() {
  local said
  if said=$(clear_host_verb); then
    sed -n 's/^leave /Left: /p' <<<"$said" >&2
    return
  fi
  printf '%s\n' "$said" | sed 's/^/  | /' >&2
  # Without a purge it may be that somebody made a sandbox meanwhile, and they are to be looked after.
  systemctl enable --quiet --now berth.service berth-reap.timer 2>/dev/null || true
  die "not everything could be removed, for what is said above, so Berth stays installed and runs: mend that and run this again"
}

# The ceiling over all users' slices; another Berth's, in a directory of its own, may still be below it.
stop_slice() {
  [[ -z $(systemctl list-units --all --plain --no-legend 'berth-*.slice') ]] || return 0
  systemctl stop berth.slice 2>/dev/null || true
  # cgroup v1: the engine made it in hierarchies that systemd does not look after. Further down are others' hosts.
  rmdir /sys/fs/cgroup/berth.slice /sys/fs/cgroup/*/berth.slice 2>/dev/null || true
}

say_left() {
  local packages file
  packages=$(outside_noted "$THERE" package | tr '\n' ' ')
  [[ -z $packages ]] ||
    echo "Installed for Berth, and left, for others may use them by now: apt-get remove ${packages% }" >&2
  [[ ! -d ${NODE_PREFIX:-} ]] ||
    echo "Left as well: Node in $NODE_PREFIX; rm -r $NODE_PREFIX /usr/local/bin/{node,npm,npx}" >&2
  for file in /etc/systemd/system/berth{,-reap}.{service,slice,timer}.d; do
    [[ ! -d $file ]] || echo "Left as well, since an operator made it: $file" >&2
  done
}
