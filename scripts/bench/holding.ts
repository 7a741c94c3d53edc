import { ok, onHost, rootApi } from "../../test/e2e/support.js";
import { SecondBerth } from "../../test/e2e/second-berth.js";
import type { Api } from "./api.js";
import { quietly, type Row } from "./table.js";

/** What it costs to hold a sandbox: its memory while idle, and creation compared with `privileged`. */
export async function measureHolding(api: Api, runs: number): Promise<Row[]> {
  return [await idleMemory(api, 5), ...(await createAgainstPrivileged(runs))];
}

/** Memory that is nobody else's, of all processes of an idle sandbox's container. */
async function idleMemory(api: Api, count: number): Promise<Row> {
  const values: number[] = [];
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push((await api.create(`bench-idle-${i}`)).id);
  // What starting left is given back by then.
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  for (const id of ids) {
    const kilobytes = ok(
      await onHost(
        `docker top berth-${id} -eo pid | sed 1d | sed 's|.*|/proc/&/smaps_rollup|;s| ||g' | xargs cat |
          awk '/^Private_(Clean|Dirty):/ { sum += $2 } END { print sum }'`,
      ),
    );
    values.push(Number(kilobytes) / 1024);
  }
  await api.removeAll();
  return { what: "private memory of an idle sandbox", values, unit: "MB", aim: 50 };
}

/** Pair by pair in one run: the machine's moods are the same for both. */
async function createAgainstPrivileged(runs: number): Promise<Row[]> {
  const second = new SecondBerth({
    listen: { port: 8461 },
    ports: { engine: "48000-48009", user: "49000-49099" },
    network: { pool: "10.221.0.0/24" },
    subordinateUids: { from: 1_930_000_000, to: 1_930_000_000 + 8 * 65_536 },
    allowPrivileged: true,
    profiles: { userns: {}, privileged: { isolation: "privileged" } },
  });
  const values = { userns: [] as number[], privileged: [] as number[] };
  try {
    await second.start();
    for (let run = 0; run < runs; run++) {
      const pair = ["userns", "privileged"] as const;
      // Neither is always the first.
      for (const profile of run % 2 === 0 ? pair : pair.toReversed()) {
        values[profile].push(await timeCreate(second, profile));
      }
      quietly(`pair ${run + 1}/${runs}`);
    }
  } finally {
    await second.remove();
  }
  const ratios = values.userns.map((ms, i) => ms / (values.privileged[i] ?? NaN));
  return [
    { what: "create, isolation privileged", values: values.privileged, unit: "ms" },
    { what: "create, isolation userns", values: values.userns, unit: "ms" },
    { what: "  to privileged, pair by pair", values: ratios, unit: "x", aim: 1.15 },
  ];
}

async function timeCreate(second: SecondBerth, profile: string): Promise<number> {
  await keyPoolFull(second);
  const api = await rootApi(second.socket);
  const begun = performance.now();
  const { id } = await api.create({ user: "bench-pair", profile });
  for await (const event of api.events(id)) {
    if (event.event !== "state") continue;
    if (event.state === "ready") break;
    if (event.state === "failed") throw new Error(`a ${profile} sandbox did not start`);
  }
  const ms = performance.now() - begun;
  await api.remove(id);
  await api.close();
  return ms;
}

/** A key that is generated meanwhile would take a processor from the creation. */
async function keyPoolFull({ socket }: SecondBerth): Promise<void> {
  const metrics = `curl -s --unix-socket ${socket} http://localhost/metrics`;
  const full = `awk '/^berth_key_pool_/ { n[$1] = $2 } END { exit n["berth_key_pool_available"] < n["berth_key_pool_size"] }'`;
  ok(await onHost(`until ${metrics} | ${full}; do sleep 0.1; done`));
}
