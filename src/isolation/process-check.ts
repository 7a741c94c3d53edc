import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { ignoring } from "../lib/errors.js";
import { uidsPerSandbox, type Check } from "../lib/model.js";

/** What is looked at of one process; proc_pid_status(5), user_namespaces(7). */
interface Process {
  pid: number;
  /** Real, effective, saved and file system uid, as the host counts. */
  uids: number[];
  gids: number[];
  /** 2: a filter is in force. */
  seccomp: string;
  /** Empty before they are written, when no id means anything. */
  uidMap: MappedRange[];
  gidMap: MappedRange[];
  namespaces: Record<Namespace, string>;
}

/** Ids as the host counts, for that is where the map is read. */
interface MappedRange {
  from: number;
  count: number;
}

const namespaceKinds = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"] as const;
type Namespace = (typeof namespaceKinds)[number];

/** Told of so many at most: a sandbox may have thousands. */
const mostFaults = 3;

/**
 * Looks at every process of a `userns` sandbox, found as descendants of its container's first process.
 * That one (tini) and its only child (the entrypoint) are real root's; all below is the sandbox's.
 */
export async function checkProcesses(
  containerPid: number,
  uidBase: number,
  root: string,
): Promise<Check[]> {
  const proc = join(root, "proc");
  const entrypoints = await childrenOf(proc, containerPid);
  const own = await readProcess(proc, containerPid);
  const held = await readAll(proc, await descendantsOf(proc, entrypoints));
  if (!own || held.length === 0) {
    return [{ name: "processes", ok: false, detail: "the sandbox has no processes of its own" }];
  }
  const range = { from: uidBase, to: uidBase + uidsPerSandbox - 1 };
  const inRange = (id: number) => id >= range.from && id <= range.to;
  return [
    check("uids", held, `all in ${range.from}-${range.to}`, ({ uids, gids }) =>
      [...uids, ...gids].every(inRange) ? undefined : `has the uids ${uids.join(" ")}`,
    ),
    // A user may make namespaces within theirs, but none can hold more than theirs does.
    check("uid map", held, `0 ${uidBase} ${uidsPerSandbox}`, ({ uidMap, gidMap }) =>
      [...uidMap, ...gidMap].every(({ from, count }) => inRange(from) && inRange(from + count - 1))
        ? undefined
        : "has a map of uids that are not the sandbox's",
    ),
    // Capabilities count in the user namespace a process is in: none of them has any in the host's.
    check("capabilities", held, "none in the host's user namespace", ({ namespaces }) =>
      namespaces.user === own.namespaces.user ? "is in the host's user namespace" : undefined,
    ),
    check("namespaces", held, "of its own, all seven kinds", ({ namespaces, pid }) =>
      sharedWith(own, namespaces, waitsOutside(pid, held)),
    ),
    check("system calls", held, "filtered", ({ seccomp }) =>
      seccomp === "2" ? undefined : `has seccomp mode ${seccomp}`,
    ),
  ];
}

/**
 * The sandbox's topmost process (unshare) waits for its init from outside of the pid namespace that it
 * has made: it has no say over it and nothing of the user's.
 */
const waitsOutside = (pid: number, held: Process[]) => pid === held[0]?.pid;

function sharedWith(
  own: Process,
  namespaces: Process["namespaces"],
  isWaiting: boolean,
): string | undefined {
  const shared = namespaceKinds
    .filter((kind) => namespaces[kind] === own.namespaces[kind])
    .filter((kind) => !(isWaiting && kind === "pid"));
  return shared.length === 0 ? undefined : `shares ${shared.join(", ")} with its container`;
}

function check(
  name: string,
  processes: Process[],
  detail: string,
  faultOf: (process: Process) => string | undefined,
): Check {
  const faults = processes.flatMap((process) => {
    const fault = faultOf(process);
    return fault === undefined ? [] : [`process ${process.pid} ${fault}`];
  });
  if (faults.length === 0) return { name, ok: true, detail };
  const more = faults.length > mostFaults ? ` and ${faults.length - mostFaults} more` : "";
  return { name, ok: false, detail: faults.slice(0, mostFaults).join("; ") + more };
}

/** Everything below these processes, parents before children. */
async function descendantsOf(proc: string, parents: number[]): Promise<number[]> {
  const found: number[] = [];
  let level = parents;
  while (level.length > 0) {
    level = (await Promise.all(level.map((pid) => childrenOf(proc, pid)))).flat();
    found.push(...level);
  }
  return found;
}

/** A child belongs to the thread that made it (proc_pid_task(5), CONFIG_PROC_CHILDREN). */
async function childrenOf(proc: string, pid: number): Promise<number[]> {
  const tasks = join(proc, String(pid), "task");
  const threads = (await ignoring(readdir(tasks), ...gone)) ?? [];
  const lists = await Promise.all(
    threads.map((thread) => ignoring(readFile(join(tasks, thread, "children"), "utf8"), ...gone)),
  );
  return lists.flatMap((list) => (list ?? "").split(" ").filter(Boolean).map(Number));
}

/** Read while processes come and go. */
const gone = ["ENOENT", "ESRCH"] as const;

async function readAll(proc: string, pids: number[]): Promise<Process[]> {
  const processes = await Promise.all(pids.map((pid) => readProcess(proc, pid)));
  return processes.filter((process) => process !== undefined);
}

/** undefined when it has ended, or is a zombie and has nothing left to look at. */
async function readProcess(proc: string, pid: number): Promise<Process | undefined> {
  const dir = join(proc, String(pid));
  const read = (file: string) => readFile(join(dir, file), "utf8");
  const all = await ignoring(
    Promise.all([
      read("status"),
      read("uid_map"),
      read("gid_map"),
      ...namespaceKinds.map((kind) => readlink(join(dir, "ns", kind))),
    ]),
    ...gone,
  );
  if (!all) return undefined;
  const [status, uidMap, gidMap, ...links] = all;
  if (/^State:\s*[ZX]/m.test(status)) return undefined;
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1] ?? "";
  const ids = (name: string) => field(name).split(/\s+/).map(Number);
  return {
    pid,
    uids: ids("Uid"),
    gids: ids("Gid"),
    seccomp: field("Seccomp"),
    uidMap: parseMap(uidMap),
    gidMap: parseMap(gidMap),
    namespaces: Object.fromEntries(
      namespaceKinds.map((kind, i) => [kind, links[i] ?? ""]),
    ) as Record<Namespace, string>,
  };
}

/** Lines of "first inside, first outside, count" (user_namespaces(7)). */
function parseMap(text: string): MappedRange[] {
  return [...text.matchAll(/^\s*\d+\s+(\d+)\s+(\d+)\s*$/gm)].map(([, from, count]) => ({
    from: Number(from),
    count: Number(count),
  }));
}
