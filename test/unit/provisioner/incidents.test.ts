import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { IncidentEvent } from "../../../src/lib/contract/sandbox.js";
import { fold, type StoredIncident } from "../../../src/provisioner/incidents.js";
import type { Sighting } from "../../../src/provisioner/sightings.js";
import { TestBerth } from "../../fakes/berth.js";

const minute = 60_000;
const kill = (task: string): Sighting => ({ kind: "memory", limit: "sandbox", task, times: 1 });
const nameless = (times: number): Sighting => ({ kind: "memory", limit: "unknown", times });
const crowd: Sighting = { kind: "pids", limit: "sandbox" };

describe("fold", () => {
  /** Folds what is seen at these minutes; how many were news, and what is known at the end. */
  function foldAll(seen: [minutes: number, sighting: Sighting, text?: string][]) {
    let known: StoredIncident[] = [];
    let news = 0;
    for (const [minutes, sighting, text = "it"] of seen) {
      const folded = fold(known, sighting, text, new Date(minutes * minute));
      known = folded.incidents;
      if (folded.isNew) news++;
    }
    return { news, known: known.map(({ text, count }) => [text, count]) };
  }

  it("counts the same thing again, and tells the last number of it", () => {
    const cpu = (percent: number): Sighting => ({ kind: "cpu", percent });
    const { news, known } = foldAll([
      [0, cpu(20), "20 %"],
      [9, cpu(40), "40 %"],
      [18, cpu(30), "30 %"],
    ]);
    expect({ news, known }).toEqual({ news: 1, known: [["30 %", 3]] });
  });

  it("takes it for news after ten quiet minutes", () => {
    expect(
      foldAll([
        [0, kill("a")],
        [10, kill("a")],
      ]).news,
    ).toBe(2);
  });

  it("tells different things apart", () => {
    const { known } = foldAll([
      [0, kill("a"), "a"],
      [0, kill("b"), "b"],
      [0, crowd, "crowd"],
      [1, kill("a"), "a"],
    ]);
    expect(known).toEqual([
      ["b", 1],
      ["crowd", 1],
      ["a", 2],
    ]);
  });

  it("puts kills without a name to those that have one", () => {
    expect(
      foldAll([
        [0, kill("a"), "a"],
        [0, nameless(3), "?"],
      ]).known,
    ).toEqual([["a", 4]]);
    expect(foldAll([[0, nameless(3), "?"]]).known).toEqual([["?", 3]]);
  });

  it("takes two signs in one moment for one refused fork", () => {
    const after = (seconds: number) => seconds / 60;
    expect(
      foldAll([
        [0, crowd],
        [after(5), crowd],
        [after(8), crowd],
      ]).known,
    ).toEqual([["it", 2]]);
  });

  it("is not flooded by a process that is killed under a new name each time", () => {
    const flood = Array.from(
      { length: 5000 },
      (_, i) => [i / 1000, kill(`n${i}`), `n${i}`] as const,
    );
    const { news, known } = foldAll(flood.map((one) => [...one]));
    expect(news).toBe(4);
    expect(known).toEqual([
      ["n0", 1],
      ["n1", 1],
      ["n2", 1],
      ["n3", 4997],
    ]);
  });

  it("keeps the latest twenty", () => {
    const { known } = foldAll(
      Array.from(
        { length: 30 },
        (_, i) => [i * 20, kill("a"), `${i}`] as [number, Sighting, string],
      ),
    );
    expect(known).toHaveLength(20);
    expect(known.at(-1)).toEqual(["29", 1]);
  });
});

describe("the incidents of a sandbox", () => {
  let berth: TestBerth;
  let id: string;
  let told: IncidentEvent[];
  beforeEach(async () => {
    berth = await TestBerth.start();
    ({ id } = await berth.create("ann"));
    told = [];
    berth.provisioner.events.onAny((_, event) => {
      if (event.type === "incident") told.push(event.data);
    });
  });
  afterEach(() => berth.stop());

  const file = () => join(berth.dir, id, "incidents.json");
  const incidents = () => berth.provisioner.incidents;

  it("are told as an event, once, and counted from then on", () => {
    incidents().add(id, kill("tail"));
    berth.later(minute);
    incidents().add(id, kill("tail"));
    const text =
      "tail was killed at 1.0 of 1.0 GiB memory; for more: berth resize ann/default --memory 2G";
    const at = "2026-01-01T12:00:00.000Z";
    expect(told).toEqual([{ kind: "memory", text, at, count: 1 }]);
    expect(incidents().of(id)).toEqual([
      { kind: "memory", text, at: "2026-01-01T12:01:00.000Z", count: 2 },
    ]);
  });

  it("are there after the daemon's next start, with their counts", async () => {
    incidents().add(id, kill("tail"));
    incidents().add(id, kill("tail"));
    const known = incidents().of(id);
    await berth.provisioner.close();
    await berth.restart();
    expect(incidents().of(id)).toEqual(known);
    incidents().add(id, kill("tail"));
    expect(incidents().of(id)).toMatchObject([{ count: 3 }]);
  });

  it.each([
    "{ damaged",
    '{"version":2,"incidents":[]}',
    '{"version":1,"incidents":[{"kind":"x"}]}',
  ])("are none when the file says %j; the sandbox is as it was", async (text) => {
    await writeFile(file(), text);
    await berth.restart();
    expect(incidents().of(id)).toEqual([]);
    expect(berth.provisioner.get(id).state).toBe("ready");
    incidents().add(id, kill("tail"));
    await incidents().flush();
    expect(JSON.parse(await readFile(file(), "utf8"))).toMatchObject({ version: 1 });
  });

  it("are gone with the sandbox, whatever happens to it meanwhile", async () => {
    const before = berth.provisioner.incidents;
    const hang = berth.host.hangAt("disks.remove");
    incidents().add(id, kill("tail"));
    const removed = berth.provisioner.remove(id);
    await hang.reached;
    incidents().add(id, crowd);
    hang.release();
    await removed;
    before.add(id, kill("late"));
    await before.flush();
    expect(before.of(id)).toEqual([]);
    expect(await berth.leftovers()).toEqual([]);
  });

  it("do not hold up the daemon when they cannot be written", async () => {
    await writeFile(join(berth.dir, id, "sandbox.json"), "");
    const directory = join(berth.dir, id);
    berth.records.directory = () => join(directory, "sandbox.json");
    incidents().add(id, kill("tail"));
    await incidents().flush();
    expect(incidents().of(id)).toHaveLength(1);
  });
});
