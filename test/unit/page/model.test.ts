import { describe, expect, it } from "vitest";
import { wantedRows } from "../../../src/http/page/model/admin-list.js";
import { Connection } from "../../../src/http/page/model/connection.js";
import { faultsOf } from "../../../src/http/page/model/faults.js";
import { highest, mergeSamples, pointsOf, sampleOf } from "../../../src/http/page/model/history.js";
import type { HostEvent } from "../../../src/http/page/model/admin-types.js";
import { eventAbout, mergeEvents } from "../../../src/http/page/model/host-events.js";
import { hostPortsOf, portUses } from "../../../src/http/page/model/ports.js";
import {
  ApiError,
  isAnswer,
  readProblem,
  whereKnown,
} from "../../../src/http/page/model/problem.js";
import { freshStory, isOver, told } from "../../../src/http/page/model/story.js";

const event = (name: string, data: object) => ({ event: name, data: JSON.stringify(data) });

describe("the story of a sandbox", () => {
  it("has its steps, its latest state, and how its creation ended", () => {
    const story = [
      event("state", { state: "creating" }),
      event("step", { step: "slice", status: "done", ms: 3 }),
      event("state", { state: "ready", ms: 840 }),
      event("state", { state: "stopped", reason: "out of memory" }),
    ].reduce(told, freshStory());
    expect(story).toMatchObject({ begun: true, end: { ms: 840 }, last: { state: "stopped" } });
    expect(isOver(story)).toBe(false);
  });

  it.each([
    [{ state: "removed" }, true],
    [{ state: "failed", problem: { code: "DISK_FULL", detail: "full" } }, true],
    [{ state: "failed" }, false],
    [{ state: "removing" }, false],
  ])("is over after %o: %s", (state, over) => {
    expect(isOver(told(freshStory(), event("state", state)))).toBe(over);
  });

  it("is not changed by what it does not understand", () => {
    const story = freshStory();
    expect(told(story, { event: "step", data: "{" })).toBe(story);
    expect(told(story, event("other", {}))).toBe(story);
  });
});

describe("what was used", () => {
  const at = (second: number) => new Date(second * 1000).toISOString();
  const usage = (second: number, usedSeconds: number) => ({
    at: at(second),
    memory: { usedBytes: 10, limitBytes: 100, kills: 0 },
    cpu: { usedSeconds, limitCpus: 2, throttledPercent: 0 },
    pids: { used: 3, limit: 9, limitHits: 0 },
    disk: { usedBytes: 5, limitBytes: 50, freeBytes: 40, freeInodes: 7 },
  });

  it("is a sample, with cores from the reading before", () => {
    expect(sampleOf(usage(10, 4), undefined)).not.toHaveProperty("cpuCores");
    expect(sampleOf(usage(10, 4), usage(5, 1.5))).toMatchObject({ cpuCores: 0.5, pids: 3 });
  });

  it("is kept once per moment, in order, and no longer than the graphs show", () => {
    const merged = mergeSamples(
      [{ at: at(0) }, { at: at(590), pids: 1 }],
      [{ at: at(605) }, { at: at(590), pids: 2 }],
    );
    expect(merged).toEqual([{ at: at(590), pids: 2 }, { at: at(605) }]);
  });

  it("becomes a line up to now, within its scale, without what was not read", () => {
    const samples = [{ at: at(0), pids: 5 }, { at: at(300) }, { at: at(600), pids: 20 }];
    expect(pointsOf(samples, "pids", 10)).toEqual([
      { x: 0, y: 0.5 },
      { x: 1, y: 1 },
    ]);
    expect(pointsOf(samples, "pids", 0)).toEqual([]);
    expect(highest(samples, "pids")).toBe(20);
    expect(highest(samples, "diskBytes")).toBeUndefined();
  });
});

describe("published ports", () => {
  const container = (ports: object[] | string[]) =>
    ({ name: "web", image: "", state: "running", ports }) as never;

  it("are read as numbers, and as docker ps writes them", () => {
    expect(hostPortsOf(container([{ hostPort: 21003, containerPort: 80 }, {}]))).toEqual([21003]);
    expect(
      hostPortsOf(container(["0.0.0.0:21003->80/tcp", ":::21003->80/tcp", "9000/tcp"])),
    ).toEqual([21003]);
  });

  it("name the container that answers there", () => {
    const uses = portUses({ from: 1, to: 3 }, [container([{ hostPort: 2 }])]);
    expect(uses).toEqual([{ port: 1 }, { port: 2, container: "web" }, { port: 3 }]);
    expect(portUses({ from: 3, to: 1 })).toEqual([]);
  });
});

describe("faultsOf", () => {
  const problem = (errors: { path: string; message: string }[]) => ({
    title: "t",
    detail: "d",
    code: "c",
    errors,
  });
  const memory = { path: "body.memory", message: "no size" };

  it("puts faults to their fields and says the rest above", () => {
    expect(faultsOf(problem([memory]), ["name", "memory"])).toEqual({
      fields: { memory: "no size" },
      first: "memory",
    });
    const other = { path: "x", message: "y" };
    expect(faultsOf(problem([memory, other]), ["memory"]).rest?.errors).toEqual([other]);
    expect(faultsOf(problem([]), ["memory"]).rest).toMatchObject({ detail: "d" });
    expect(faultsOf(undefined, ["memory"])).toEqual({ fields: {} });
  });
});

describe("the admins' list", () => {
  const row = (user: string, name: string, cores?: number) =>
    ({ sandbox: { user, name, id: `${user}${name}`, state: "ready" }, cores }) as never;
  const rows = [row("bob", "a", 1), row("alice", "b"), row("alice", "a", 2)];
  const names = (sort: string, direction: string, search = "") =>
    wantedRows([...rows], { sort, direction, search }).map(
      ({ sandbox }) => `${sandbox.user}/${sandbox.name}`,
    );

  it("is sorted, unmeasured sandboxes first, equal ones by name", () => {
    expect(names("user", "up")).toEqual(["alice/a", "alice/b", "bob/a"]);
    expect(names("cpu", "up")).toEqual(["alice/b", "bob/a", "alice/a"]);
    expect(names("cpu", "down")).toEqual(["alice/a", "bob/a", "alice/b"]);
    expect(names("state", "down")).toEqual(["alice/a", "alice/b", "bob/a"]);
  });

  it("is searched for every word, in any case", () => {
    expect(names("user", "up", "ALICE  ready")).toEqual(["alice/a", "alice/b"]);
    expect(names("user", "up", "alice/a")).toEqual(["alice/a"]);
    expect(names("user", "up", "nobody")).toEqual([]);
  });
});

describe("the host's events", () => {
  const event = (at: string, more: Partial<HostEvent> = {}): HostEvent => ({
    at,
    type: "state",
    sandbox: "k1",
    text: "is ready",
    data: {},
    ...more,
  });

  it("are about a user's sandbox, or one that nobody knows any more", () => {
    expect(eventAbout(event("1", { user: "a", name: "b" }))).toBe("a/b");
    expect(eventAbout(event("1"))).toBe("k1");
  });

  it("are kept once, newest first", () => {
    const [a, b] = [event("1"), event("2")];
    expect(mergeEvents([a], [b, a], 5)).toEqual([b, a]);
    expect(mergeEvents([a], [b], 1)).toEqual([b]);
  });
});

describe("answers that say no", () => {
  const refused = (status: number, code: string) =>
    new ApiError(status, { title: "", detail: "", code });

  it("hide a part where the route is missing, and nothing else", async () => {
    expect(await whereKnown(Promise.reject<string>(refused(404, "NOT_FOUND")))).toBeUndefined();
    await expect(
      whereKnown(Promise.reject<string>(refused(404, "SANDBOX_NOT_FOUND"))),
    ).rejects.toThrow();
    await expect(
      whereKnown(Promise.reject<string>(refused(503, "SHUTTING_DOWN"))),
    ).rejects.toThrow();
  });

  it("are Berth's own, or those of something in between that stands in for a lost one", () => {
    expect(isAnswer(refused(503, "ENGINE_UNREACHABLE"))).toBe(true);
    expect(isAnswer(refused(502, ""))).toBe(false);
    expect(isAnswer(new TypeError("Failed to fetch"))).toBe(false);
  });

  it("may hold anything", async () => {
    const read = (body: string) => readProblem(new Response(body, { status: 502 }));
    expect((await read("<html>")).detail).toContain("HTTP status 502");
    expect(await read('{"title":1,"detail":{},"code":null,"errors":"x"}')).not.toHaveProperty(
      "errors",
    );
  });
});

describe("Connection", () => {
  it("is lost while any asker got no answer, and forgets askers that ask no more", () => {
    const connection = new Connection();
    connection.set("list", false);
    connection.set("events", false);
    connection.set("list", true);
    expect(connection.isLost.value).toBe(true);
    connection.forget("events");
    expect(connection.isLost.value).toBe(false);
  });
});
