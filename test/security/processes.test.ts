import { afterAll, beforeAll } from "vitest";
import { ok, onHost } from "../e2e/support.js";
import { attempts, type Attempt, type SeenToFail } from "./attempts.js";
import { Target } from "./target.js";

// Processes and namespaces outside, and rights that a user namespace or a file could bring back.

let target: Target;

beforeAll(async () => {
  target = await Target.open("sec-processes");
});

afterAll(async () => {
  await target.close();
});

const denied = /Permission denied|permission denied|Operation not permitted/;

/** Calls a subroutine "try" for every process id that is not in the sandbox's own /proc. */
const hiddenProcesses = (attempt: string) => `perl -e '
  my %own = map { m{(\\d+)$} ? ($1 => 1) : () } glob "/proc/[0-9]*/task/*";
  my @reached = grep { !$own{$_} && !-e "/proc/$_" && (${attempt}) } 2 .. 200_000;
  print "@reached\\n";
  exit !@reached'`;

const [ptrace, setns] = process.arch === "arm64" ? [117, 268] : [101, 308];
/** PTRACE_SEIZE of linux/ptrace.h, which stops nothing. */
const seize = 0x4206;
/** NS_GET_USERNS, NS_GET_PARENT of linux/nsfs.h. */
const [getOwner, getParent] = [0xb701, 0xb702];

const askNamespace = (kind: string, request: number) => `perl -e '
  open my $namespace, "<", "/proc/self/ns/${kind}" or die;
  ioctl($namespace, ${request}, 0) or die "$!\n"'`;

const pidNamespace =
  "never: a pid namespace shows no process outside, and privileged sandboxes have one";

attempts("root of a sandbox", () => target, [
  {
    name: "see the entrypoint, which is real root",
    asRoot: "grep -la '[b]erth-entrypoint' /proc/[0-9]*/cmdline",
    refused: /^\s*$/,
    seenToFail: "privileged",
  },
  {
    name: "see the processes of the host",
    asRoot: "grep -lax '[s]ystemd' /proc/[0-9]*/comm",
    refused: /^\s*$/,
    seenToFail: "host",
  },
  {
    name: "read the environment that the entrypoint was given",
    asRoot: "grep -las 'BERTH_' /proc/[0-9]*/environ",
    refused: /^\s*$/,
    seenToFail: "privileged",
  },
  {
    name: "send a signal to a process outside, whatever its number",
    asRoot: hiddenProcesses("kill(0, $_) || $!{EPERM}"),
    refused: /^\s*$/,
    seenToFail: pidNamespace,
  },
  {
    name: "trace a process outside, whatever its number",
    asRoot: hiddenProcesses(`syscall(${ptrace}, ${seize}, $_, 0, 0) == 0 || $!{EPERM}`),
    refused: /^\s*$/,
    seenToFail: pidNamespace,
  },
  {
    name: "ask the kernel for the user namespace of the host",
    asRoot: askNamespace("time", getOwner),
    refused: denied,
    seenToFail: "privileged",
  },
  {
    name: "ask for the user namespace around its own",
    asRoot: askNamespace("user", getParent),
    refused: denied,
    seenToFail: "never: around the first one is none",
  },
  {
    name: "ask for the pid namespace around its own",
    asRoot: askNamespace("pid", getParent),
    refused: denied,
    seenToFail: pidNamespace,
  },
  {
    name: "enter the one namespace that it shares with the host, that of time",
    // CLONE_NEWTIME
    asRoot: `perl -e '
      open my $namespace, "<", "/proc/self/ns/time" or die;
      syscall(${setns}, fileno($namespace), 0x80) == 0 or die "$!\n"'`,
    refused: denied,
    seenToFail: "privileged",
  },
  {
    name: "map uids of the host into a user namespace below its own",
    asRoot: `
      unshare --user sleep 5 & pid=$!
      until [ "$(readlink /proc/$pid/ns/user)" != "$(readlink /proc/self/ns/user)" ]; do :; done
      put "0 100000 1" /proc/$pid/uid_map; status=$?
      kill $pid; exit $status`,
    refused: denied,
    seenToFail: "privileged",
  },
  ...(
    [
      ["make a device node", "mknod /run/probe b 7 0", denied],
      [
        "mount a disk's file system",
        "mount -t ext4 /dev/loop0 /tmp",
        /permission denied|not exist/,
      ],
      ["mount the kernel's debugfs", "mount -t debugfs none /tmp", denied],
      ["rename the sandbox", "hostname regained", /must be root/],
      ["write kernel settings", "echo core >/proc/sys/kernel/core_pattern", denied],
    ] as const
  ).map(([name, script, refused]): Attempt => ({
    name: `${name} from a user namespace below its own`,
    asRoot: `unshare --user --map-root-user --mount sh -c '${script}'`,
    refused,
    seenToFail: "never: no user namespace but the first may, so nor below a privileged sandbox",
  })),
  {
    name: "make itself less likely to be killed than anything else",
    asRoot: "put -1 /proc/self/oom_score_adj",
    refused: denied,
    seenToFail: "never: needs CAP_SYS_RESOURCE, which the embedded host lacks",
  },
  {
    name: "make itself less likely to be killed than the other sandboxes",
    asRoot: "put 499 /proc/self/oom_score_adj",
    refused: denied,
    // Its entrypoint's value is a floor when somebody with the capability set it (proc_pid_oom_score_adj(5)).
    // Else it can go down to 0, where the host's own services are, and no further.
    onlyIf: {
      holds: () => hostRootHas(24),
      otherwise: "the host's root lacks CAP_SYS_RESOURCE, so nobody could set the floor",
    },
    seenToFail: "privileged",
  },
  {
    name: "get more open files than it was given",
    asRoot: "ulimit -Hn $(($(ulimit -Hn) + 1))",
    refused: denied,
    seenToFail: "never: needs CAP_SYS_RESOURCE, which the embedded host lacks",
  },
  {
    name: "leave core files",
    asRoot: "ulimit -Hc unlimited",
    refused: denied,
    seenToFail: "never: needs CAP_SYS_RESOURCE, which the embedded host lacks",
  },
  {
    name: "run in real time",
    asRoot: "chrt --fifo 1 true",
    refused: denied,
    seenToFail: "never: refused in any cgroup without real-time budget",
  },
]);

async function hostRootHas(capability: number): Promise<boolean> {
  const effective = ok(await onHost("sed -n 's/^CapEff:\\s*/0x/p' /proc/self/status"));
  return ((BigInt(effective) >> BigInt(capability)) & 1n) === 1n;
}

const ulimit = (name: string, value: string): Attempt => ({
  name: `raise the limit ${name} with --ulimit`,
  docker: ["run", "--rm", "--ulimit", `${name}=${value}`, "box", "true"],
  refused: /error setting rlimit.*operation not permitted/i,
  seenToFail: "never: needs CAP_SYS_RESOURCE, which the embedded host lacks",
});

/** A file that root of the sandbox makes on its disk: what it is to the host. */
const planted = (name: string, script: string, look: string, seenToFail: SeenToFail): Attempt => ({
  name,
  made: async (there) => {
    ok(await there.asRoot(`cp /usr/bin/true /data/planted; ${script}`));
    return onHost(`cd /proc/$(${initOf(there)})/root/data && ${look}`);
  },
  refused: /held by the sandbox/,
  seenToFail,
});

/** First process of the outer container, as a shell command of the host. */
const initOf = ({ sandbox }: Target) =>
  `docker inspect -f '{{.State.Pid}}' $(docker ps -q --filter label=berth.sandbox=${sandbox.id})`;

attempts("a docker client", () => target, [
  {
    name: "get into a namespace of the host with every --…=host there is",
    made: async (there) => {
      const inside = ok(await there.powerful(["sh", "-c", "readlink -f /proc/self/ns/* || true"]));
      const list = "for n in /proc/self/ns/*; do echo $n $(readlink $n); done";
      const seen = inside + ok(await there.powerful(["sh", "-c", list]));
      const hosts = ok(await onHost("readlink /proc/1/ns/*")).split("\n");
      // The time namespace is one for all, and holds nothing that could be changed.
      const shared = hosts.filter((id) => !id.startsWith("time:") && seen.includes(id));
      return { code: shared.length > 0 ? 0 : 1, stdout: `shared: ${shared.join(" ")}`, stderr: "" };
    },
    refused: /^shared: $/,
    seenToFail: "privileged",
  },
  {
    name: "have a container killed later than the sandbox itself, with --oom-score-adj",
    docker: [
      ...["run", "--rm", "--oom-score-adj", "0", "box"],
      ...["sh", "-c", "cat /proc/self/oom_score_adj; [ $(cat /proc/self/oom_score_adj) -lt 500 ]"],
    ],
    refused: /^500$/,
    seenToFail: "privileged",
  },
  ulimit("nofile", "2000000"),
  ulimit("memlock", "-1"),
  ulimit("core", "-1"),
  ulimit("rtprio", "99"),
  planted(
    "leave a setuid program that is root's on the host",
    "chmod 4755 /data/planted",
    `[ $(stat -c %u planted) = 0 ] || { echo held by the sandbox; exit 1; }`,
    "privileged",
  ),
  planted(
    "leave a program whose file capabilities count on the host",
    "setcap cap_sys_admin=ep /data/planted",
    // vfs_cap_data of 24 bytes names the user namespace it counts in (capabilities(7)).
    `perl -e '
      my ($path, $name, $value) = ("planted", "security.capability", " " x 64);
      my $size = syscall(qx(uname -m) =~ /aarch64/ ? 8 : 191, $path, $name, $value, 64);
      print "$size bytes\\n";
      $size == 24 and print "held by the sandbox" and exit 1;
      exit($size == 20 ? 0 : 2)'`,
    "privileged",
  ),
]);
