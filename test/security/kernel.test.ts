import { afterAll, beforeAll } from "vitest";
import { attempts, type Attempt, type SeenToFail } from "./attempts.js";
import { Target } from "./target.js";

// Settings of the kernel that all of the machine shares. Each is written with what it holds already.

let target: Target;

beforeAll(async () => {
  target = await Target.open("e2e-sec-kernel");
});

afterAll(async () => {
  await target.close();
});

const denied = /Permission denied|Operation not permitted/;
const absent = /No such file or directory|Directory nonexistent/;
const deniedOrAbsent = new RegExp(`${denied.source}|${absent.source}`);

/** Setting, and what it would be good for. */
const settings: [file: string, what: string, seenToFail: SeenToFail][] = [
  ["/proc/sys/kernel/core_pattern", "run a program of theirs at every crash", "privileged"],
  ["/proc/sys/kernel/modprobe", "replace modprobe", "never: a kernel without modules"],
  ["/sys/kernel/uevent_helper", "run a program at every device event", "never: not built in"],
  ["/proc/sys/kernel/panic", "say what a panic does", "privileged"],
  ["/proc/sys/kernel/dmesg_restrict", "open the kernel's log", "privileged"],
  ["/proc/sys/kernel/kptr_restrict", "show the kernel's addresses", "privileged"],
  ["/proc/sys/kernel/randomize_va_space", "switch address randomization off", "privileged"],
  ["/proc/sys/kernel/threads-max", "set the machine's number of threads", "privileged"],
  ["/proc/sys/kernel/unprivileged_bpf_disabled", "let everybody use BPF", "privileged"],
  ["/proc/sys/vm/overcommit_memory", "set how memory is promised", "privileged"],
  ["/proc/sys/vm/panic_on_oom", "make lack of memory a panic", "privileged"],
  ["/proc/sys/fs/file-max", "set the machine's number of files", "privileged"],
  ["/proc/sys/fs/suid_dumpable", "make setuid programs leave cores", "privileged"],
  ["/proc/sys/fs/protected_symlinks", "unprotect symlinks", "privileged"],
  ["/proc/sys/fs/inotify/max_user_instances", "raise everybody's inotify limit", "privileged"],
  [
    "/proc/sys/net/netfilter/nf_conntrack_max",
    "size the connection table",
    "never: belongs to the first network namespace, which the embedded host has not either",
  ],
  ["/sys/kernel/mm/ksm/run", "switch page merging on", "privileged"],
  ["/sys/kernel/rcu_normal", "slow the kernel down", "privileged"],
  ["/sys/block/loop0/queue/read_ahead_kb", "tune the disk of another sandbox", "privileged"],
  ["/proc/irq/default_smp_affinity", "move interrupts", "privileged"],
  ["/sys/devices/system/cpu/cpu1/online", "take a processor away", "privileged"],
];

attempts("root of a sandbox", () => target, [
  ...settings.map(([file, what, seenToFail]): Attempt => ({
    name: `${what} (${file})`,
    asRoot: `same ${file}`,
    refused: seenToFail === "privileged" ? denied : deniedOrAbsent,
    seenToFail,
  })),
  {
    name: "drop the machine's caches",
    asRoot: "exec 3>/proc/sys/vm/drop_caches",
    refused: denied,
    seenToFail: "privileged",
  },
  {
    name: "suspend the machine (opening /sys/power/state)",
    asRoot: "exec 3>/sys/power/state",
    refused: denied,
    seenToFail: "privileged",
  },
  {
    name: "use the magic SysRq keys (opening the trigger)",
    asRoot: "exec 3>/proc/sysrq-trigger",
    refused: deniedOrAbsent,
    seenToFail: "never: a kernel without them",
  },
  {
    name: "write through a /proc mounted anew",
    asRoot: 'mount -t proc proc "$m" && same "$m/sys/kernel/core_pattern"',
    refused: denied,
    seenToFail: "privileged",
  },
  {
    name: "write through a /sys mounted anew",
    asRoot: 'mount -t sysfs sysfs "$m" && same "$m/kernel/rcu_normal"',
    refused: denied,
    seenToFail: "privileged",
  },
  {
    name: "write settings after all mounts over /proc are peeled off",
    asRoot: "while umount -l /proc/sys 2>/dev/null; do :; done; same /proc/sys/kernel/core_pattern",
    refused: denied,
    seenToFail: "privileged",
  },
  {
    name: "set the clock",
    asRoot: `perl -e '
      my $t = pack("qq", 0, 0);
      my ($get, $set) = (qx(uname -m) =~ /aarch64/) ? (113, 112) : (228, 227);
      syscall($get, 0, $t) == 0 && syscall($set, 0, $t) == 0 or die "$!\\n"'`,
    refused: denied,
    seenToFail: "privileged",
  },
  {
    name: "go before everybody with a better priority",
    asRoot: "nice -n -20 true 2>&1 | (! grep .)",
    refused: denied,
    seenToFail: "privileged",
  },
]);

attempts("a docker client", () => target, [
  {
    name: "set kernel settings that are not a container's own with --sysctl",
    docker: ["run", "--rm", "--sysctl", "fs.suid_dumpable=0", "box", "true"],
    refused: /not allowed|not in a separate|permission denied/,
    seenToFail: "never: Docker itself refuses them",
  },
  {
    name: "write them from a privileged container in every namespace of the sandbox",
    made: (there) =>
      there.powerful([
        "sh",
        "-c",
        "f=/host/proc/sys/kernel/core_pattern; v=$(cat $f); printf %s $v >$f",
      ]),
    refused: /Permission denied/,
    seenToFail: "privileged",
  },
]);
