import { writeFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { stringify } from "yaml";
import { berth, hostRoot, isEmbedded, ok, onHost } from "../../test/e2e/support.js";
import { Api } from "./api.js";
import { measureHolding } from "./holding.js";
import { measureNeighbour } from "./neighbour.js";
import { measurePage } from "./page.js";
import { measurePreload } from "./preload.js";
import { formatTable, quietly, type Row } from "./table.js";

const usage = `Usage: npm run bench -- [--runs 10] [--known 50] [--list 200] [--only PART]...
       npm run bench -- --only preload [--images 10] [--runs 5]

Measures a running Berth (scripts/host up, or installed) and prints a table. Makes and removes sandboxes of users
bench-*; run it on an otherwise idle machine.

  --runs N    sandboxes made one after another [10; of preload 5]
  --known N   real sandboxes kept at once while the daemon's memory and CPU are read [50]; each takes some 70 MB of memory
  --list N    records known to a second daemon, without containers, whose list is timed [200]
  --images N  of 0.4 GB each, preloaded [10]; needs 30 GB on the host's disk
  --only PART of: create, at-once, daemon, list, holding (memory of an idle sandbox, userns against privileged),
              neighbour (of a sandbox that takes all it can get), page, and only when it is named: preload
              (images that a profile preloads, against a copy for each sandbox and docker save | docker load)`;

const { values } = parseArgs({
  options: {
    runs: { type: "string" },
    known: { type: "string", default: "50" },
    list: { type: "string", default: "200" },
    images: { type: "string", default: "10" },
    only: { type: "string", multiple: true },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}
const { runs, known, list } = {
  runs: Number(values.runs ?? 10),
  known: Number(values.known),
  list: Number(values.list),
};

const rows: Row[] = [];
const parts: Record<string, () => Promise<unknown>> = {
  create: measureOneByOne,
  "at-once": () => measureAtOnce(10),
  daemon: measureMemory,
  list: measureList,
  holding: async () => rows.push(...(await measureHolding(api, runs))),
  neighbour: async () => rows.push(...(await measureNeighbour(api, runs))),
  page: async () => rows.push(...(await measurePage(runs))),
  preload: async () =>
    rows.push(...(await measurePreload(Number(values.images), Number(values.runs ?? 5)))),
};
/** It writes many gigabytes, and takes minutes. */
const onlyWhenNamed = "preload";
const only = values.only ?? Object.keys(parts).filter((name) => name !== onlyWhenNamed);
const unknown = only.find((name) => !(name in parts));
if (unknown !== undefined) {
  console.error(`--only ${unknown}: there is no such part; ${Object.keys(parts).join(", ")}`);
  process.exit(2);
}
const api = await Api.connect();
try {
  for (const name of only) await parts[name]?.();
} finally {
  await api.removeAll();
  await api.disconnect();
}
console.log(formatTable(rows));

/** Creations and removals, one after another, each with a full key pool. */
async function measureOneByOne(): Promise<void> {
  const total: number[] = [];
  const own: number[] = [];
  const engine: number[] = [];
  const removals: number[] = [];
  const steps = new Map<string, number[]>();
  for (let run = 0; run < runs; run++) {
    await api.keyPoolFull();
    const made = await api.create(`bench-${run}`);
    const ofEngines = made.engineMs;
    total.push(made.ms);
    engine.push(ofEngines);
    own.push(made.ms - ofEngines);
    for (const [step, ms] of made.steps) steps.set(step, [...(steps.get(step) ?? []), ms]);
    quietly(`create ${run + 1}/${runs}: ${Math.round(made.ms)} ms`);
    removals.push(await api.remove(made.id));
  }
  rows.push({ what: "create: API call to answering engine", values: total, unit: "ms", aim: 1000 });
  rows.push({
    what: "  of which no Docker Engine is at work (Berth's own part)",
    values: own,
    unit: "ms",
    aim: 80,
  });
  rows.push({
    what: "  of which a Docker Engine is (network, container, start, ready)",
    values: engine,
    unit: "ms",
  });
  for (const [step, values] of steps) rows.push({ what: `  step ${step}`, values, unit: "ms" });
  rows.push({ what: "remove", values: removals, unit: "ms", aim: 1500 });
}

async function measureAtOnce(count: number): Promise<void> {
  await api.keyPoolFull();
  const begun = performance.now();
  const users = Array.from({ length: count }, (_, i) => `bench-once-${i}`);
  const made = await Promise.allSettled(users.map((user) => api.create(user)));
  const wall = performance.now() - begun;
  const failed = made.filter(({ status }) => status === "rejected").length;
  rows.push({ what: `${count} creates at once, until all answer`, values: [wall], unit: "ms" });
  rows.push({ what: "  of these failed", values: [failed], unit: "", aim: 0 });
  await api.removeAll();
}

/** The daemon's resident memory while so many real sandboxes run. */
async function measureMemory(): Promise<void> {
  for (let i = 0; i < known; i++) {
    await api.create(`bench-known-${i}`);
    if (i % 10 === 9) quietly(`${i + 1}/${known} sandboxes`);
  }
  ok(await berth("reap"));
  const text = await onHost(
    `p=$(systemctl show -P MainPID berth); sed -n 's/^VmRSS:\\s*\\([0-9]*\\) kB/\\1/p' /proc/$p/status`,
  );
  const megabytes = Number(ok(text)) / 1024;
  rows.push({
    what: `daemon's RSS with ${known} sandboxes`,
    values: [megabytes],
    unit: "MB",
    aim: 120,
  });
  rows.push({ what: `list with ${known} sandboxes`, values: await api.timeList(20), unit: "ms" });
  await api.keyPoolFull();
  quietly(`watching ${known} idle sandboxes`);
  rows.push({
    what: `daemon's CPU while it samples them, for 200`,
    values: (await daemonCpuPercent(6)).map((percent) => (percent * 200) / known),
    unit: "%",
    aim: 3,
  });
  await api.removeAll();
}

/** What the daemon's threads take of one processor, in windows of ten seconds; `reap` falls into one of six. */
async function daemonCpuPercent(windows: number): Promise<number[]> {
  const line = `p=$(systemctl show -P MainPID berth); cat /proc/$p/task/*/schedstat | awk '{ ns += $1 } END { printf "%.0f", ns }'`;
  const nanoseconds = async () => Number(ok(await onHost(line)));
  const values: number[] = [];
  let before = await nanoseconds();
  for (let i = 0; i < windows; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    const after = await nanoseconds();
    values.push((after - before) / 1e8);
    before = after;
  }
  return values;
}

/**
 * A second daemon that knows many records but reaches neither engine nor systemd: listing asks neither,
 * and without them nothing is made for these sandboxes.
 */
async function measureList(): Promise<void> {
  const dir = "/var/tmp/berth-bench";
  const onDisk = join(isEmbedded() ? hostRoot() : "/", dir);
  await rm(onDisk, { recursive: true, force: true });
  await mkdir(join(onDisk, "data", "sandboxes"), { recursive: true });
  const config = {
    dataDir: `${dir}/data`,
    runDir: `${dir}/run`,
    listen: { port: 8499 },
    engine: { socket: `${dir}/no-engine.sock` },
    keyPool: 0,
  };
  await writeFile(join(onDisk, "berth.yaml"), stringify(config));
  for (let i = 0; i < list; i++) await writeRecord(join(onDisk, "data", "sandboxes"), i);
  const unit = "berth-bench-list";
  ok(
    await onHost(
      `systemd-run --quiet --collect --unit=${unit} -p Type=notify -p NotifyAccess=all -E DBUS_SYSTEM_BUS_ADDRESS=unix:path=${dir}/no-bus /opt/berth/bin/berth serve --config ${dir}/berth.yaml`,
    ),
  );
  try {
    const ask = `curl -s -o ${dir}/out -w '%{time_total}\\n' --unix-socket ${dir}/run/berth.sock http://localhost/v1/sandboxes`;
    const lines = ok(
      await onHost(`for i in $(seq 21); do ${ask}; done; grep -o '"id"' ${dir}/out | wc -l`),
    );
    const numbers = lines.split("\n").map(Number);
    if (numbers.pop() !== list) throw new Error(`the list does not show ${list} sandboxes`);
    // The first answer also warms the daemon up.
    const times = numbers.slice(1).map((seconds) => seconds * 1000);
    rows.push({ what: `list with ${list} known sandboxes`, values: times, unit: "ms", aim: 30 });
  } finally {
    await onHost(`systemctl stop ${unit}`);
    await rm(onDisk, { recursive: true, force: true });
  }
}

async function writeRecord(dir: string, i: number): Promise<void> {
  const id = `b${String(i).padStart(7, "0")}`;
  await mkdir(join(dir, id));
  const record = {
    version: 1,
    id,
    user: `bench-list-${i}`,
    name: "default",
    profile: "default",
    isolation: "privileged",
    state: "ready",
    createdAt: new Date().toISOString(),
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    image: "berth/dind:none",
    limits: { memoryBytes: 2 ** 30, cpus: 1, pids: 512, diskBytes: 2 ** 30 },
    ports: { engine: 40_000 + i, from: 41_000 + 10 * i, to: 41_009 + 10 * i },
    network: {
      subnet: `10.211.${i >> 6}.${(i & 63) * 4}/30`,
      address: `10.211.${i >> 6}.${(i & 63) * 4 + 2}`,
    },
    publicHost: "bench.test",
  };
  await writeFile(join(dir, id, "sandbox.json"), JSON.stringify(record));
}
