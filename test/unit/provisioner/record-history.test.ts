import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sandboxVersion } from "../../../src/provisioner/record-history.js";
import { Records } from "../../../src/provisioner/records.js";

// Records exactly as earlier daemons wrote them.

const common = {
  version: 1,
  user: "ann",
  name: "default",
  profile: "default",
  state: "ready",
  createdAt: "2026-01-01T12:00:00.000Z",
  expiresAt: "2026-01-02T12:00:00.000Z",
  image: "berth/dind:0123456789ab",
  limits: { memoryBytes: 1073741824, cpus: 1.5, pids: 512, diskBytes: 10737418240 },
  ports: { engine: 20000, from: 21000, to: 21009 },
  publicHost: "berth.test",
};

/** Before user namespaces: all dockerds were real root's, each on a network of its own. */
const beforeUserns = {
  ...common,
  id: "prlt4il2",
  isolation: "privileged",
  network: { subnet: "10.210.0.4/30", address: "10.210.0.6" },
};

/** With user namespaces, egress and devices, and still of version 1. */
const withUserns = {
  ...common,
  id: "gcfw49fg",
  isolation: "userns",
  network: { subnet: "10.210.128.0/17", address: "10.210.128.2" },
  uidBase: 1073741824,
  egress: { mode: "list", to: ["192.0.2.0/24"] },
  devices: ["/dev/kvm"],
  preload: "0123456789ab",
};

let dir: string;
let logged: string[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "berth-records-"));
  logged = [];
});
afterEach(() => rm(dir, { recursive: true }));

const fileOf = (id: string) => join(dir, id, "sandbox.json");

async function write(id: string, record: unknown): Promise<void> {
  await mkdir(join(dir, id), { recursive: true });
  await writeFile(fileOf(id), JSON.stringify(record, null, 2) + "\n");
}

const readBack = async (id: string): Promise<unknown> =>
  JSON.parse(await readFile(fileOf(id), "utf8"));

async function loaded(): Promise<Records> {
  const log = pino({}, { write: (line: string) => void logged.push(line) });
  const records = new Records({ dir, log });
  await records.load();
  return records;
}

describe("records of older versions", () => {
  it("are read with what they lack, each as its daemon would have meant it", async () => {
    await write("prlt4il2", beforeUserns);
    await write("gcfw49fg", withUserns);
    const records = await loaded();
    expect(records.get("prlt4il2")).toEqual({
      ...beforeUserns,
      version: sandboxVersion,
      egress: { mode: "open", to: [] },
      devices: [],
    });
    expect(records.get("gcfw49fg")).toEqual({ ...withUserns, version: sandboxVersion });
    expect(records.unreadable.size).toBe(0);
  });

  it("stay on the disk as they are until something of them changes", async () => {
    await write("prlt4il2", beforeUserns);
    const records = await loaded();
    expect(await readBack("prlt4il2")).toEqual(beforeUserns);
    await records.update("prlt4il2", { state: "stopped" });
    expect(await readBack("prlt4il2")).toEqual(records.get("prlt4il2"));
    expect(await readBack("prlt4il2")).toMatchObject({ version: sandboxVersion, state: "stopped" });
    expect(await readdir(join(dir, "prlt4il2"))).toEqual(["sandbox.json"]);
  });
});

describe("a record of a newer version", () => {
  it("is left alone, and the log names file, versions and the way out", async () => {
    const newer = { ...withUserns, version: sandboxVersion + 1, colour: "red" };
    await write("gcfw49fg", newer);
    const records = await loaded();
    expect(records.all()).toEqual([]);
    expect([...records.unreadable]).toEqual(["gcfw49fg"]);
    expect(await records.halfMade()).toEqual([]);
    expect(await readBack("gcfw49fg")).toEqual(newer);
    const told = logged.join();
    expect(told).toContain(`${fileOf("gcfw49fg")} is of version ${sandboxVersion + 1}`);
    expect(told).toContain(`none above ${sandboxVersion}`);
    expect(told).toContain("install that Berth again");
  });
});

it("a record without a version is damaged: none was ever written so", async () => {
  await write("prlt4il2", { ...beforeUserns, version: undefined });
  expect([...(await loaded()).unreadable]).toEqual(["prlt4il2"]);
});
