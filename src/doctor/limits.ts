import type { Finding } from "../cli/local.js";
import type { Config } from "../config.js";
import { mostConnections } from "../isolation/firewall.js";
import { inOrder, sysctlFix, warning } from "./findings.js";
import { namespacesPerSandbox } from "./kernel.js";
import type { Machine } from "./machine.js";

// Limits that the kernel has for a user or for the whole machine, held against a number of sandboxes.

export interface LimitFacts {
  sandboxes: number;
  /** Of most limits; version 2 costs an inotify instance more. */
  cgroupVersion: 1 | 2;
  /** What a sandbox gets unless asked otherwise. */
  pids: number;
  /** Whether there are sandboxes whose containers are the host's root's. */
  privileged: boolean;
  memoryBytes: number;
  /** What is set, by the parameter's name; those that this kernel or namespace does not know are left out. */
  values: Record<string, number>;
}

interface Limit {
  check: string;
  /** Least values, by parameter. */
  wanted: (facts: LimitFacts) => Record<string, number>;
  why: string;
  /** Has to be done for a value to outlive a reboot. */
  first?: string;
  /** Where raising ends, and what helps beyond. */
  most?: { value: (facts: LimitFacts) => number; instead: (highest: number) => string };
}

/** PID_MAX_LIMIT of 64-bit kernels (include/linux/threads.h); there are never more threads than pids. */
const mostPids = 2 ** 22;
/** What the kernel's own stack of a thread takes (THREAD_SIZE) on x86-64 and arm64. */
const threadBytes = 16 * 1024;

/** What the table of neighbours is held against: more than most have at a time. */
const containersPerSandbox = 16;

/** What the host's own services need beside. */
const hostOwn = { inotify: 128, keys: 200, pids: 1024, terminals: 64, neighbours: 128 };

export const limits: readonly Limit[] = [
  {
    check: "inotify",
    // A sandbox's own count to its first uid alone (src and images/dind/userns.sh), whatever the number of them;
    // but each container costs the host's root one on version 2, where containerd's shim watches memory.events.
    wanted: ({ sandboxes, cgroupVersion, privileged }) => ({
      "fs.inotify.max_user_instances":
        hostOwn.inotify +
        (cgroupVersion === 2 ? sandboxes : 0) +
        // What runs in those counts to root as well.
        (privileged ? 32 * sandboxes : 0),
      "fs.inotify.max_user_watches": 8192 + 8 * sandboxes,
    }),
    why: "when they are used up, programs of the host and of sandboxes that watch files fail with “too many open files” or “no space left on device”",
  },
  {
    check: "keys",
    // runc makes a session keyring for each container, of the uid that it starts as: of the host's root.
    // Inside a `userns` sandbox there are none, as its filter refuses keyctl.
    wanted: ({ sandboxes, privileged }) => {
      const keys = hostOwn.keys + sandboxes * (privileged ? 64 : 2);
      return { "kernel.keys.root_maxkeys": keys, "kernel.keys.root_maxbytes": keys * 100 };
    },
    why: "each container has a keyring of root's: when there is none left, none starts (“unable to create session key: disk quota exceeded”)",
  },
  {
    check: "connections",
    // A sandbox's firewall lets no more than mostConnections out; two that want to must not fill the table.
    wanted: ({ sandboxes }) => ({
      "net.netfilter.nf_conntrack_max": 2 * mostConnections + 1024 * sandboxes,
    }),
    // systemd-sysctl comes before whatever loads the module, and knows no such parameter until then.
    first: "echo nf_conntrack >/etc/modules-load.d/berth.conf",
    why: "all connections of all sandboxes are in one table of the host's; once it is full, new ones are dropped, the host's own included",
  },
  {
    check: "processes",
    wanted: ({ sandboxes, pids }) => {
      const all = hostOwn.pids + sandboxes * pids;
      return { "kernel.pid_max": all, "kernel.threads-max": all };
    },
    most: {
      // With stacks in more than half of the memory nothing would be left for what runs on them.
      value: ({ memoryBytes }) => Math.min(mostPids, Math.floor(memoryBytes / 2 / threadBytes)),
      instead: (highest) =>
        `lower limits.default.pids in the configuration: kernel and memory have room for ${highest} processes and threads at most`,
    },
    why: "if all sandboxes use the processes they are promised (limits.default.pids), forks fail for all of them, before their own limits are reached",
  },
  {
    check: "open files",
    wanted: ({ sandboxes }) => ({ "fs.file-max": 65_536 + 4096 * sandboxes }),
    why: "beyond it every program on the host but root's fails to open files",
  },
  {
    check: "terminals",
    // kernel.pty.reserve of them stay with the host; its default is in the figure.
    wanted: ({ sandboxes }) => ({ "kernel.pty.max": 1024 + hostOwn.terminals + 16 * sandboxes }),
    why: "pseudo-terminals are counted for the whole machine and no limit of a sandbox bounds them: without one, docker run -t and docker exec -t fail",
  },
  {
    check: "namespaces",
    // Those that a sandbox makes count to its first uid, those of its container to the host's root.
    wanted: ({ sandboxes }) =>
      Object.fromEntries(
        ["cgroup", "ipc", "mnt", "net", "pid", "uts"].map((kind) => [
          `user.max_${kind}_namespaces`,
          Math.max(namespacesPerSandbox, 256 + sandboxes),
        ]),
      ),
    why: "each container takes one of each: beyond it containers fail to start with “no space left on device”",
  },
  {
    check: "neighbours",
    // One table for the whole kernel, whatever the network namespace (arp_tbl). A sandbox is in it four times at least:
    // both ends of its way to the host and of that to its engine; a container inside twice, with its bridge.
    wanted: ({ sandboxes }) => ({
      "net.ipv4.neigh.default.gc_thresh3":
        hostOwn.neighbours + sandboxes * (4 + 2 * containersPerSandbox),
    }),
    why: "the neighbours of the host, of all sandboxes and of all containers inside are in one table: when it is full, new ones cannot be reached",
  },
];

/** `fs.inotify.max_user_watches` to its file; the kinds of this page have no dot of their own. */
export const pathOf = (parameter: string): string => `/proc/sys/${parameter.replaceAll(".", "/")}`;

export async function lookAtLimits(
  machine: Machine,
  config: Config,
  given: Pick<LimitFacts, "sandboxes" | "cgroupVersion" | "memoryBytes">,
): Promise<Finding[]> {
  const facts: LimitFacts = {
    ...given,
    pids: config.limits.default.pids,
    privileged: config.profiles.some(({ isolation }) => isolation === "privileged"),
    values: {},
  };
  const names = limits.flatMap(({ wanted }) => Object.keys(wanted(facts)));
  for (const name of names) {
    const text = await machine.read(pathOf(name));
    if (text !== undefined) facts.values[name] = Number(text);
  }
  return limits.map((limit) => decideLimit(limit, facts));
}

export function decideLimit(
  { check, wanted, why, first, most }: Limit,
  facts: LimitFacts,
): Finding {
  const known = Object.entries(wanted(facts)).filter(([name]) => name in facts.values);
  if (known.length === 0) return inOrder(check, "not bounded, or not in this network namespace");
  const valueOf = (name: string) => facts.values[name] ?? NaN;
  const low = known.filter(([name, least]) => valueOf(name) < least);
  const told = low.map(([name, least]) => `${name} is ${valueOf(name)}, ${least} wanted`);
  if (low.length === 0) {
    const first = known.slice(0, 2).map(([name]) => `${name} ${valueOf(name)}`);
    const more = known.length > 2 ? [`and ${known.length - 2} more`] : [];
    return inOrder(check, [...first, ...more].join(", "));
  }
  const highest = most?.value(facts) ?? Infinity;
  const raised = low
    .filter(([name]) => valueOf(name) < highest)
    .map(([name, least]) => [name, Math.min(roundedUp(least), highest)] as const);
  return warning(check, {
    what: `${told.join("; ")} for ${facts.sandboxes} sandboxes`,
    why,
    fix: [
      ...(first === undefined ? [] : [first]),
      ...(raised.length > 0 ? [sysctlFix(Object.fromEntries(raised))] : []),
      ...(most && low.some(([, least]) => least > highest) ? [most.instead(highest)] : []),
    ].join("\n"),
  });
}

/** To a power of two, so that it need not be raised again for a few more. */
const roundedUp = (least: number): number => 2 ** Math.ceil(Math.log2(least));
