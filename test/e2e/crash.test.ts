import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ApiClient } from "../../src/cli/client.js";
import { sandboxList, steps, type Sandbox, type Step } from "../../src/lib/contract/sandbox.js";
import {
  armed,
  berth,
  berthJson,
  create,
  daemonAnswers,
  DockerClient,
  ok,
  onHost,
  rootApi,
  traces,
} from "./support.js";

// The daemon dies at every step of a creation and in the middle of removals. What is half made must be
// gone once it is back, and a sandbox that has nothing to do with it must not notice.

const user = "e2e-crash";
/** A profile with images: only its sandboxes take the step `preload`. */
const preloading = "shell";
/** The two ways to end it, told to a shell that waits on the host, so that they hit the aimed moment. */
const ends = {
  "kill -9": {
    line: "kill -KILL $pid",
    before: "pid=$(systemctl show --property MainPID --value berth)",
  },
  "systemctl restart": { line: "systemctl restart berth", before: ":" },
};
type End = keyof typeof ends;

let clean: string[];
let bystander: Sandbox;
let client: DockerClient;
let running: string;
let before: string[];
let api: ApiClient;

const containerOf = async ({ id }: Sandbox) =>
  ok(await onHost(`docker inspect -f '{{.Id}} {{.State.StartedAt}}' berth-${id}`));

beforeAll(async () => {
  ok(await berth("image", "build", preloading));
  clean = await traces();
  bystander = await create("e2e-bystander");
  client = await DockerClient.of("e2e-bystander", bystander.dockerHost);
  running = await containerOf(bystander);
});

afterAll(async () => {
  for (const name of ["e2e-bystander", user]) await berth("user", "remove", name);
  await client.remove();
  expect(await traces()).toEqual(clean);
});

beforeEach(async () => {
  before = await traces();
  api = await rootApi();
});

afterEach(async () => {
  await api.close();
  expect(await traces()).toEqual(before);
  const [listed, container, version] = await Promise.all([
    sandboxesOf("e2e-bystander"),
    containerOf(bystander),
    client.docker("version", "--format", "{{.Server.Os}}"),
  ]);
  expect(listed).toMatchObject([{ id: bystander.id, state: "ready" }]);
  expect(container).toBe(running);
  expect(version).toBe("linux");
});

const sandboxesOf = async (name: string) =>
  sandboxList.parse(await berthJson("list", "--user", name)).sandboxes;

/** There is no stream of all sandboxes, so the list is asked until one of the user's is in it. */
async function appears(): Promise<Sandbox> {
  for (;;) {
    const [found] = await api.list(user);
    if (found) return found;
  }
}

async function stepStarts(id: string, step: Step): Promise<void> {
  for await (const event of api.events(id)) {
    if (event.event === "step" && event.step === step && event.status === "started") return;
  }
  throw new Error(`the events ended before the step ${step} started`);
}

/** Resolves when this moment's removal shows. */
async function removalBegins(id: string): Promise<void> {
  for await (const event of api.events(id)) {
    if (event.event === "state" && event.state === "removing") return;
  }
}

const clearErrors = /\((DAEMON_UNREACHABLE|CREATE_CANCELLED|SHUTTING_DOWN)\)/;

async function createBrokenOffAt(step: Step, end: End) {
  const trap = await armed(ends[end].line, ends[end].before);
  const profile = step === "preload" ? preloading : "default";
  const creating = berth("create", user, "--profile", profile);
  const { id } = await appears();
  await stepStarts(id, step);
  ok(await trap.fire());
  const said = await creating;
  await daemonAnswers();
  return said;
}

async function removeBrokenOffAfter(ms: number, end: End) {
  const { id } = await create(user);
  const trap = await armed(ends[end].line, ends[end].before);
  const begins = removalBegins(id);
  const removing = berth("remove", user);
  await begins;
  await delay(ms);
  ok(await trap.fire());
  const said = await removing;
  await daemonAnswers();
  return said;
}

describe.each(Object.keys(ends) as End[])("%s of the daemon", (end) => {
  it.each(steps)("leaves nothing of a creation that was at the step %s", async (step) => {
    const said = await createBrokenOffAt(step, end);
    // It was not too late for any of these: the events aim at a step's start.
    expect(said.stderr).toMatch(clearErrors);
    expect(said.code).toBe(1);
    // Ends with exit code 1 if any repair failed.
    ok(await berth("reap"));
    expect(await sandboxesOf(user)).toEqual([]);
  });

  it.each(end === "kill -9" ? [0, 100, 400] : [0, 250])(
    "does not keep a removal from its end, %i ms into it",
    async (ms) => {
      const said = await removeBrokenOffAfter(ms, end);
      if (said.code !== 0) {
        expect(said.code).toBe(1);
        expect(said.stderr).toMatch(clearErrors);
      }
      ok(await berth("reap"));
      expect(await sandboxesOf(user)).toEqual([]);
    },
  );
});

describe("after kill -9", () => {
  it("systemd starts the daemon again by itself, and creating works at once", async () => {
    const trap = await armed(ends["kill -9"].line, ends["kill -9"].before);
    ok(await trap.fire());
    await daemonAnswers();
    const made = await create(user);
    expect(made.state).toBe("ready");
    ok(await berth("remove", user));
  });
});
