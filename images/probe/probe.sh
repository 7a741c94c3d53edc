#!/bin/sh
# What `berth verify` runs inside a sandbox, with all that a user of it can ask for: privileged, with the
# engine's own namespaces and its root at /host. Tries to reach beyond the sandbox, in ways that do no harm
# should one succeed, and writes a line for each try: ok or FAIL, a name, and what happened, with tabs
# between. Programs are the sandbox's own Debian (perl-base makes the rarer system calls).
set -u

main() {
  settings
  devices
  file_systems
  system_calls
  limits
  namespaces
  network
}

# refused NAME COMMAND...: the try must fail.
refused() {
  name=$1
  shift
  if said=$("$@" 2>&1); then
    tell FAIL "$name" "it worked"
  else
    said=$(printf '%s\n' "$said" | head -n 1)
    tell ok "$name" "refused: ${said##*: }"
  fi
}

tell() {
  printf '%s\t%s\t%s\n' "$1" "$2" "$(printf %s "$3" | tr '\n\t' '  ' | cut -c1-200)"
}

# The value that is there already: nothing changes should it be allowed.
rewrite() {
  value=$(cat "$1" 2>/dev/null) || value=
  printf '%s\n' "$value" >"$1"
}

open_for_writing() {
  : >>"$1"
}

read_some() {
  head -c 16 "$1" >/dev/null
}

settings() {
  for setting in kernel/core_pattern kernel/modprobe vm/overcommit_memory fs/file-max; do
    refused "write /proc/sys/$setting" rewrite "/proc/sys/$setting"
  done
  refused "open /proc/sysrq-trigger" open_for_writing /proc/sysrq-trigger
  if [ -e /sys/kernel/uevent_helper ]; then refused "write uevent_helper" rewrite /sys/kernel/uevent_helper; fi
}

devices() {
  # Any block device of the machine; 7:0 is its first loop device.
  numbers=$(cat /sys/block/*/dev 2>/dev/null | head -n 1)
  numbers=${numbers:-7:0}
  refused "make a block device node" mknod /tmp/block b "${numbers%:*}" "${numbers#*:}"
  refused "make the node of /dev/mem" mknod /tmp/mem c 1 1
  for node in mem kmem port kmsg kvm vhost-net loop-control nvram; do
    [ -e "/host/dev/$node" ] && strange="${strange:-} $node"
  done
  if [ -z "${strange:-}" ]; then
    tell ok "devices of the host" "none in /dev"
  else
    tell FAIL "devices of the host" "in /dev:$strange"
  fi
  refused "read /proc/kcore" read_some /proc/kcore
}

file_systems() {
  mkdir -p /tmp/m
  for type in debugfs tracefs securityfs; do
    refused "mount $type" mount -t "$type" none /tmp/m
  done
  refused "make /usr of the sandbox writable" mount -o remount,rw,bind /host/usr
  refused "write into /usr of the sandbox" open_for_writing /host/usr/bin/dockerd
}

# refused_call NAME NUMBER NUMBER: of x86_64 and of arm64.
refused_call() {
  case $(uname -m) in
    x86_64) number=$2 ;;
    aarch64) number=$3 ;;
    *) return ;;
  esac
  # Arguments that would be an error of another kind (a bad address) were the call made at all.
  # shellcheck disable=SC2016 # perl's variables
  refused "$1" perl -e '
    my $got = syscall($ARGV[0], -1, -1, -1, -1, -1);
    my $errno = $! + 0;
    # EPERM and ENOSYS are refusals; anything else came from inside the call.
    exit 0 unless $got == -1 && ($errno == 1 || $errno == 38);
    print STDERR $!; exit 1;
  ' "$number"
}

system_calls() {
  refused_call "load a module" 313 273
  refused_call "load another kernel" 320 294
  refused_call "open by handle" 304 265
  refused_call "read the kernel's log" 103 116
  refused_call "use keyrings" 250 219
  refused_call "use bpf" 321 280
  refused_call "use perf events" 298 241
  refused_call "use userfaultfd" 323 282
  refused_call "use io_uring" 425 425
  refused_call "swap on" 167 224
  refused_call "reboot" 169 142
  refused_call "account processes" 163 89
}

# Of the cgroup that was handed to the sandbox, whose parents are the container's and the slice's.
limits() {
  for file in memory.max cpu.max pids.max memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us pids/pids.max; do
    [ -e "/host/sys/fs/cgroup/$file" ] || continue
    refused "change the limit ${file##*/}" rewrite "/host/sys/fs/cgroup/$file"
  done
  refused "lower the OOM score below 0" sh -c 'echo -1 >/proc/self/oom_score_adj'
}

namespaces() {
  read -r _ _ count </proc/self/uid_map
  if [ "${count:-0}" -le 65536 ]; then
    tell ok "uids" "$count of its own"
  else
    tell FAIL "uids" "$count: this is no user namespace of its own"
  fi
  if [ "$(head -n 1 /proc/1/comm)" = tini ]; then
    tell ok "processes" "the first it sees is the sandbox's own"
  else
    tell FAIL "processes" "the first it sees is $(head -n 1 /proc/1/comm)"
  fi
}

# unreachable NAME ADDRESS PORT: waits a second at most; nothing is sent.
unreachable() {
  # shellcheck disable=SC2016 # perl's variables
  refused "reach $1" perl -e '
    use Socket;
    socket(my $socket, PF_INET, SOCK_STREAM, 0) or die "$!\n";
    local $SIG{ALRM} = sub { print STDERR "no answer"; exit 1 };
    alarm 1;
    exit 0 if connect($socket, sockaddr_in($ARGV[1], inet_aton($ARGV[0])));
    # A refusal by a program behind the wall would be this one.
    print STDERR $!; exit($!{ECONNREFUSED} && $ARGV[0] ne "192.0.0.1" ? 0 : 1);
  ' "$2" "$3"
}

network() {
  unreachable "the container's own network" 192.0.0.1 2376
  unreachable "the host's bridge" "$BERTH_GATEWAY" 22
  unreachable "another sandbox" "$BERTH_NEIGHBOUR" 2376
  unreachable "the metadata address" 169.254.169.254 80
}

main
