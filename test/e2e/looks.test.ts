import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { host, hostEventList, imageList } from "../../src/lib/contract/host.js";
import { certificateList, containerList, usageHistory } from "../../src/lib/contract/looks.js";
import { sandboxList, type Sandbox } from "../../src/lib/contract/sandbox.js";
import { addUser, berth, DockerClient, ok, patience, traces, type ApiClient } from "./support.js";

let before: string[];
let theirs: ApiClient;
let admins: ApiClient;
let mine: Sandbox;
let client: DockerClient;

beforeAll(async () => {
  before = await traces();
  theirs = await addUser("si-lou");
  admins = await addUser("si-boss", "--admin");
  mine = await theirs.create({ memory: "512M", disk: "1G" });
  client = await DockerClient.of(mine.id, mine.dockerHost);
  await client.importBox();
});
afterAll(async () => {
  ok(await berth("user", "remove", "si-lou"));
  ok(await berth("user", "remove", "si-boss"));
  await client.remove();
  expect(await traces()).toEqual(before);
});

const get = async (path: string) => (await theirs.fetch(`/v1/sandboxes/${mine.id}/${path}`)).json();

describe("a sandbox that runs", () => {
  it("tells what runs inside, and at which of its ports", async () => {
    const { from } = mine.ports;
    await client.docker("run", "-d", "--name", "web", "-p", `${from}:80`, "box", "sleep", "600");
    await client.docker("run", "--name", "over", "box", "true");
    const { containers } = containerList.strict().parse(await get("containers"));
    expect(containers).toEqual([
      {
        name: "web",
        image: "box",
        state: "running",
        ports: [{ containerPort: 80, hostPort: from, protocol: "tcp" }],
      },
    ]);
  });

  it("tells what it used, every five seconds", async () => {
    const samples = async () => usageHistory.strict().parse(await get("usage/history")).samples;
    await expect
      .poll(async () => (await samples()).length, { timeout: patience(30_000) })
      .toBeGreaterThan(2);
    const last = (await samples()).at(-1);
    expect(last?.memoryBytes).toBeGreaterThan(1024 ** 2);
    expect(last?.memoryBytes).toBeLessThan(512 * 1024 ** 2);
    expect(last?.cpuCores).toBeGreaterThanOrEqual(0);
    expect(last?.pids).toBeGreaterThan(5);
    expect(last?.diskBytes).toBeGreaterThan(1024);
    const list = sandboxList.parse(await (await theirs.fetch("/v1/sandboxes?usage=true")).json());
    expect(list.sandboxes[0]?.usage?.memory.usedBytes).toBeGreaterThan(1024 ** 2);
  });

  it("tells the certificates of its bundles", async () => {
    const { certificates } = certificateList.strict().parse(await get("certificates"));
    expect(certificates.length).toBeGreaterThan(0);
    expect(certificates[0]?.expiresAt.slice(0, 19)).toBe(mine.expiresAt.slice(0, 19));
  });
});

describe("the host", () => {
  it("tells admins what it has, uses and has promised, and what happened", async () => {
    const ask = async (path: string) => (await admins.fetch(path)).json();
    const told = host.strict().parse(await ask("/v1/host"));
    expect(told.memory.usedBytes).toBeLessThan(told.memory.totalBytes);
    expect(told.memory.promisedBytes).toBeGreaterThanOrEqual(512 * 1024 ** 2);
    expect(told.sandboxes).toBeGreaterThan(0);
    const { events } = hostEventList.strict().parse(await ask("/v1/events?limit=500"));
    expect(events).toContainEqual(
      expect.objectContaining({ sandbox: mine.id, user: "si-lou", type: "state" }),
    );
    expect(
      imageList
        .strict()
        .parse(await ask("/v1/images"))
        .images.some(({ current }) => current),
    ).toBe(true);
  });
});
