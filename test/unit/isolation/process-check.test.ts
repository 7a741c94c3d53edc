import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkProcesses } from "../../../src/isolation/process-check.js";

const base = 1_073_741_824;
const kinds = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"] as const;
type Namespaces = Record<(typeof kinds)[number], number>;

interface Fake {
  children?: number[];
  uid?: number;
  map?: string;
  seccomp?: number;
  state?: string;
  namespaces?: Partial<Namespaces>;
}

const all = (n: number) => Object.fromEntries(kinds.map((kind) => [kind, n])) as Namespaces;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "berth-proc-"));
});
afterEach(() => rm(root, { recursive: true }));

/** One process of real root or, from pid 30 on, of the sandbox. */
async function add(pid: number, given: Fake = {}): Promise<void> {
  const isHeld = pid >= 30;
  const { children = [], state = "S", seccomp = isHeld ? 2 : 0 } = given;
  const uid = given.uid ?? (isHeld ? base : 0);
  const map = given.map ?? (isHeld ? `         0 ${base}      65536` : "0 0 4294967295");
  const dir = join(root, "proc", String(pid));
  await mkdir(join(dir, "ns"), { recursive: true });
  await mkdir(join(dir, "task", String(pid)), { recursive: true });
  await writeFile(join(dir, "task", String(pid), "children"), children.join(" ") + " ");
  const ids = [uid, uid, uid, uid].join("\t");
  await writeFile(
    join(dir, "status"),
    `Name:\tx\nState:\t${state} (x)\nUid:\t${ids}\nGid:\t${ids}\nSeccomp:\t${seccomp}\n`,
  );
  await writeFile(join(dir, "uid_map"), `${map}\n`);
  await writeFile(join(dir, "gid_map"), `${map}\n`);
  const namespaces = { ...all(isHeld ? 2 : 1), ...given.namespaces };
  for (const kind of kinds) await symlink(`${kind}:[${namespaces[kind]}]`, join(dir, "ns", kind));
}

/** tini 10, entrypoint 20, unshare 30, init 40, dockerd 41; with one of them otherwise. */
async function tree(pid = 0, change: Fake = {}): Promise<void> {
  const usual: [number, Fake][] = [
    [10, { children: [20] }],
    [20, { children: [30] }],
    // It waits outside of the pid namespace that it has made.
    [30, { children: [40], namespaces: { pid: 1 } }],
    [40, { children: [41] }],
    [41, {}],
  ];
  for (const [one, given] of usual) {
    await add(one, one === pid ? { ...given, ...change } : given);
  }
}

async function faults(): Promise<string[]> {
  const checks = await checkProcesses(10, base, root);
  return checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`);
}

describe("the look at a sandbox's processes", () => {
  it("finds nothing to say about one that is held", async () => {
    await tree();
    const checks = await checkProcesses(10, base, root);
    expect(checks.map(({ name }) => name)).toEqual([
      "uids",
      "uid map",
      "capabilities",
      "namespaces",
      "system calls",
    ]);
    expect(await faults()).toEqual([]);
  });

  it.each<[string, Fake, string]>([
    ["a uid of the host", { uid: 0 }, "uids: process 41 has the uids 0"],
    ["another sandbox's uid", { uid: base + 65_536 }, "uids: process 41 has the uids"],
    ["a map of the whole host", { map: "0 0 4294967295" }, "uid map: process 41 has a map"],
    ["a map beyond its end", { map: `0 ${base} 65537` }, "uid map: process 41 has a map"],
    ["the host's user namespace", { namespaces: { user: 1 } }, "capabilities: process 41 is in"],
    ["no filter", { seccomp: 0 }, "system calls: process 41 has seccomp mode 0"],
    ["the container's network", { namespaces: { net: 1 } }, "namespaces: process 41 shares net"],
    ["the container's pids", { namespaces: { pid: 1 } }, "namespaces: process 41 shares pid"],
  ])("sees a process with %s", async (_, change, told) => {
    await tree(41, change);
    const found = await faults();
    expect(found.some((fault) => fault.startsWith(told))).toBe(true);
  });

  it("lets users make namespaces within theirs", async () => {
    await tree(41, { map: `0 ${base + 1000} 1`, namespaces: { user: 3, mnt: 3 } });
    expect(await faults()).toEqual([]);
  });

  it("passes over a zombie, which has nothing to look at", async () => {
    await tree(41, { state: "Z", uid: 0 });
    expect(await faults()).toEqual([]);
  });

  it("fails when there is nobody to look at", async () => {
    await add(10, { children: [20] });
    await add(20);
    expect(await faults()).toEqual(["processes: the sandbox has no processes of its own"]);
  });

  it("names a few of many and counts the rest", async () => {
    const many = Array.from({ length: 9 }, (_, i) => 50 + i);
    await tree(41, { children: many });
    for (const pid of many) await add(pid, { seccomp: 0 });
    const [fault] = await faults();
    expect(fault?.match(/process/g)).toHaveLength(3);
    expect(fault).toMatch(/and 6 more$/);
  });
});
