import { createParser } from "eventsource-parser";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { incidentEvent, type IncidentEvent, type Sandbox } from "../../src/lib/contract/sandbox.js";
import {
  addUser,
  berth,
  create,
  DockerClient,
  ok,
  onHost,
  patience,
  patienceSeconds,
  show,
  traces,
} from "./support.js";
import type { ApiClient } from "./support.js";

// What limits do to a sandbox, and that its user is told: by event, and by `berth show`.

const user = "e2e-told";
let before: string[];
let theirs: ApiClient;
let client: DockerClient;
let mine: Sandbox;
/** On cgroup v1 nothing else tells of a kill or a refused fork in an inner container. */
let hasKernelLog: boolean;

beforeAll(async () => {
  before = await traces();
  theirs = await addUser(user);
  hasKernelLog =
    (await onHost(`timeout ${patienceSeconds(5_000)} dd if=/dev/kmsg of=/dev/null bs=8192 count=1`))
      .code === 0;
});

afterAll(async () => {
  ok(await berth("user", "remove", user));
  expect(await traces()).toEqual(before);
});

beforeEach(async () => {
  const limits = ["--memory", "512M", "--cpus", "0.5", "--pids", "300", "--disk", "512M"];
  mine = await create(user, ...limits);
  expect(mine.incidents).toEqual([]);
  client = await DockerClient.of(user, mine.dockerHost);
  await client.importBox();
});

afterEach(async () => {
  await client.remove();
  ok(await berth("remove", mine.id));
});

/** Waits for the first incident of a kind on the sandbox's events; one that has come already counts. */
async function incident(kind: IncidentEvent["kind"]): Promise<IncidentEvent> {
  const done = new AbortController();
  const { signal } = done;
  const answer = await theirs.fetch(`/v1/sandboxes/${mine.id}/events`, { signal });
  if (!answer.body) throw new Error("no stream");
  const seen: IncidentEvent[] = [];
  const parser = createParser({
    onEvent({ event, data }) {
      if (event === "incident") seen.push(incidentEvent.strict().parse(JSON.parse(data)));
    },
  });
  const decoder = new TextDecoder();
  try {
    for await (const chunk of answer.body) {
      parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
      const found = seen.find((one) => one.kind === kind);
      if (found) return found;
    }
  } finally {
    done.abort();
  }
  throw new Error(`the events ended without an incident of kind ${kind}`);
}

const kinds = (incidents: IncidentEvent[]) => incidents.map(({ kind }) => kind);

/** What `berth show` has of it, as JSON and in words. */
async function shown(kind: IncidentEvent["kind"]): Promise<IncidentEvent> {
  const { incidents } = await show(mine.id);
  const found = incidents.find((one) => one.kind === kind);
  if (!found) throw new Error(`berth show has only ${kinds(incidents).join() || "no incidents"}`);
  const said = ok(await berth("show", mine.id));
  expect(said).toMatch(/^ +happened +\d+[ms] /m);
  expect(said).toContain(found.text);
  return found;
}

describe("memory", () => {
  it("that is used up kills a process, which is named with the limit and the way out", async ({
    skip,
  }) => {
    skip(!hasKernelLog, "the host's kernel log cannot be read");
    const ran = await client.run(["run", "--rm", "box", "sh", "-c", "tail /dev/zero"]);
    expect(ran.code).toBe(137);
    const text = `tail was killed at 512.0 of 512.0 MiB memory; for more: berth resize ${user}/default --memory 1G`;
    expect(await incident("memory")).toMatchObject({ text, count: 1 });
    expect(await shown("memory")).toMatchObject({ text });
    const usage = await (await theirs.fetch(`/v1/sandboxes/${mine.id}/usage`)).json();
    expect(usage).toMatchObject({ memory: { kills: 1 } });
  });

  it("of an inner container, by its own limit, is told as such", async ({ skip }) => {
    skip(!hasKernelLog, "the host's kernel log cannot be read");
    const ran = await client.run(["run", "--rm", "-m", "32m", "box", "tail", "/dev/zero"]);
    expect(ran.code).toBe(137);
    const { text } = await incident("memory");
    expect(text).toMatch(/^tail was killed at the memory limit of its own container/);
    expect(text).toContain("docker run -m");
    expect((await shown("memory")).text).toBe(text);
  });

  it("is told again as a count, and after the daemon's restart it is still known", async ({
    skip,
  }) => {
    skip(!hasKernelLog, "the host's kernel log cannot be read");
    for (let i = 0; i < 3; i++) {
      await client.run(["run", "--rm", "-m", "32m", "box", "tail", "/dev/zero"]);
    }
    await incident("memory");
    await expect
      .poll(async () => (await shown("memory")).count, { timeout: patience(15_000) })
      .toBe(3);
    ok(await onHost("systemctl restart berth"));
    expect(await shown("memory")).toMatchObject({ count: 3 });
  });
});

describe("the disk", () => {
  it("that is full is told once", async () => {
    // Not --rm: the file stays, and the disk full, when the container ends.
    const fill = "dd if=/dev/zero of=/fill bs=1M; true";
    await client.run(["run", "--name", "fill", "box", "sh", "-c", fill]);
    const { text } = await incident("disk");
    expect(text).toMatch(
      /^the disk is full: \d+\.\d of \d+\.\d MiB; docker system prune frees some/,
    );
    expect(text).toContain(`berth resize ${user}/default --disk 1G`);
    expect(await shown("disk")).toMatchObject({ text, count: 1 });
    const usage = await (await theirs.fetch(`/v1/sandboxes/${mine.id}/usage`)).json();
    const { disk } = usage as { disk: { freeBytes: number } };
    expect(disk.freeBytes).toBeLessThan(6 * 1024 ** 2);
    expect(ok(await berth("show", mine.id))).toMatch(/disk used .*\((99|100) %\)/);
  });
});

describe("processes", () => {
  it("that multiply without end reach the sandbox's limit and no further", async ({ skip }) => {
    skip(!hasKernelLog, "the host's kernel log cannot be read");
    const bomb = "while :; do sleep 300 & done";
    await client.run(["run", "--rm", "box", "sh", "-c", bomb]);
    const { text } = await incident("pids");
    expect(text).toBe(
      `the limit of 300 processes was reached; new ones are refused; for more: berth resize ${user}/default --pids 600`,
    );
    expect(await shown("pids")).toMatchObject({ text });
  });
});

describe("processor time", () => {
  it("beyond the limit is told as waiting", { timeout: patience(240_000) }, async () => {
    await client.docker("run", "-d", "--name", "busy", "box", "sh", "-c", "while :; do :; done");
    const { text } = await incident("cpu");
    expect(text).toMatch(
      /^its processes had to wait for the CPU limit \(0\.5 cores\) \d+ % of the last minute; /,
    );
    expect(text).toContain(`berth resize ${user}/default --cpus 1`);
    await shown("cpu");
    const usage = await (await theirs.fetch(`/v1/sandboxes/${mine.id}/usage`)).json();
    const { cpu } = usage as { cpu: { throttledPercent: number } };
    expect(cpu.throttledPercent).toBeGreaterThanOrEqual(20);
    await client.docker("rm", "-f", "busy");
  });
});
