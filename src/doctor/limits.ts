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
  /** What is set, by the parameter's name; those that this kernel or namespace does not know are left out. */
  values: Record<string, number>;
}

interface Limit {
  check: string;
  /** Least values, by parameter. */
  wanted: (facts: LimitFacts) => Record<string, number>;
  why: string;
}

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
    why: "all connections of all sandboxes are in one table of the host's; once it is full, new ones are dropped, the host's own included",
  },
  {
    check: "processes",
    wanted: ({ sandboxes, pids }) => {
      const all = hostOwn.pids + sandboxes * pids;
      return { "kernel.pid_max": all, "kernel.threads-max": all };
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
    wanted: ({ sandboxes }) => ({
      "net.ipv4.neigh.default.gc_thresh3": hostOwn.neighbours + sandboxes,
    }),
    why: "each sandbox is a neighbour of the host's on their bridge: when the table is full, new ones cannot be reached",
  },
];

/** `fs.inotify.max_user_watches` to its file; the kinds of this page have no dot of their own. */
export const pathOf = (parameter: string): string => `/proc/sys/${parameter.replaceAll(".", "/")}`;

export async function lookAtLimits(
  machine: Machine,
  config: Config,
  { sandboxes, cgroupVersion }: Pick<LimitFacts, "sandboxes" | "cgroupVersion">,
): Promise<Finding[]> {
  const facts: LimitFacts = {
    sandboxes,
    cgroupVersion,
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

export function decideLimit({ check, wanted, why }: Limit, facts: LimitFacts): Finding {
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
  return warning(check, {
    what: `${told.join("; ")} for ${facts.sandboxes} sandboxes`,
    why,
    fix: sysctlFix(Object.fromEntries(low.map(([name, least]) => [name, roundedUp(least)]))),
  });
}

/** To a power of two, so that it need not be raised again for a few more. */
const roundedUp = (least: number): number => 2 ** Math.ceil(Math.log2(least));
