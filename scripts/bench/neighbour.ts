import { execa } from "execa";
import { DockerClient } from "../../test/e2e/support.js";
import { bombArgs, bombs, blackHole, type BombName } from "../../test/security/bombs.js";
import { Cleanup } from "../../test/security/sandboxes.js";
import { World } from "../../test/security/world.js";
import type { Api } from "./api.js";
import { median, quietly, type Row } from "./table.js";

/** What a sandbox's user notices of a neighbour that uses up all it can get. */
export async function measureNeighbour(api: Api, runs: number): Promise<Row[]> {
  const cleanup = new Cleanup();
  try {
    const world = await World.build(cleanup);
    await world.sh(blackHole);
    const [bomber, neighbour] = await Promise.all(
      ["bench-bomber", "bench-neighbour"].map((user) => clientOf(api, user, cleanup)),
    );
    if (!bomber || !neighbour) throw new Error("no sandboxes");
    const quiet: number[] = [];
    const rows: Row[] = [];
    for (const name of Object.keys(bombs) as BombName[]) {
      // Quiet runs before each: the machine is not the same all the time.
      const before = await times(runs, () => timeRun(neighbour));
      quiet.push(...before);
      const ratios = (await underBomb(bomber, neighbour, name, runs)).map(
        (ms) => ms / median(before),
      );
      quietly(`${name} bomb: ${median(ratios).toFixed(2)} x`);
      rows.push({ what: `  under a ${name} bomb, to quiet`, values: ratios, unit: "x", aim: 1.5 });
    }
    return [
      { what: "docker run --rm box true, quiet neighbour", values: quiet, unit: "ms" },
      ...rows,
      ...(await floors(neighbour, runs)),
    ];
  } finally {
    await cleanup.run();
    await api.removeAll();
  }
}

/** What keeps a processor busy, and what its memory management besides. */
const burners = {
  "busy loops": ["sh", "-c", "while :; do :; done"],
  "loops of page faults": ["perl", "-e", 'while (1) { my $x = "a" x 20e6; undef $x }'],
};

/**
 * What the machine itself makes of a busy processor: beside two processes of no sandbox, which give way
 * to every other (SCHED_IDLE). Whatever holds a bomber back, it cannot do better than that.
 */
async function floors(neighbour: DockerClient, runs: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [what, command] of Object.entries(burners)) {
    const before = await times(runs, () => timeRun(neighbour));
    const burning = [1, 2].map(() => execa("chrt", ["--idle", "0", ...command], { reject: false }));
    const values = (await times(runs, () => timeRun(neighbour))).map((ms) => ms / median(before));
    for (const one of burning) one.kill();
    await Promise.all(burning);
    rows.push({ what: `  beside two idle-class ${what} outside, to quiet`, values, unit: "x" });
  }
  return rows;
}

async function clientOf(api: Api, user: string, cleanup: Cleanup): Promise<DockerClient> {
  const { id, dockerHost } = await api.create(user);
  const client = await DockerClient.of(id, dockerHost);
  cleanup.add(() => client.remove());
  await client.importBox();
  return client;
}

async function timeRun(client: DockerClient): Promise<number> {
  const begun = performance.now();
  await client.docker("run", "--rm", "box", "true");
  return performance.now() - begun;
}

async function times(count: number, measure: () => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  for (let i = 0; i < count; i++) values.push(await measure());
  return values;
}

/** Bombs last some seconds: a run counts when the bomb was still going off at its end. */
async function underBomb(
  bomber: DockerClient,
  neighbour: DockerClient,
  name: BombName,
  runs: number,
): Promise<number[]> {
  const values: number[] = [];
  while (values.length < runs) {
    const bomb = execa("docker", bombArgs(bombs[name]), { env: bomber.env, reject: false });
    const burning = new AbortController();
    void bomb.then(() => {
      burning.abort();
    });
    await new Promise((resolve) => bomb.stdout.once("data", resolve));
    // Until it has taken what it can.
    await new Promise((resolve) => setTimeout(resolve, 500));
    while (values.length < runs) {
      const ms = await timeRun(neighbour);
      if (burning.signal.aborted) break;
      values.push(ms);
    }
    await bomb;
  }
  return values;
}
