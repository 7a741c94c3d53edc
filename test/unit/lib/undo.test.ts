import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { Undo } from "../../../src/lib/undo.js";

/** Runs `work`, and gives the names of the undos that ran, in order, and what was logged. */
async function undoing(
  work: (undo: Undo, undone: (name: string) => () => Promise<void>) => Promise<void> | void,
) {
  const order: string[] = [];
  const logged: { undo?: string; err?: { message: string } }[] = [];
  const write = (line: string) => void logged.push(JSON.parse(line) as (typeof logged)[number]);
  const result = (async () => {
    await using undo = new Undo(pino({}, { write }));
    await work(undo, (name) => () => {
      order.push(name);
      return Promise.resolve();
    });
  })();
  const error: unknown = await result.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { order, logged, error };
}

describe("an undo", () => {
  it("runs what was added, the last first, when the work fails, and passes its error on", async () => {
    const failure = new Error("the engine did not start");
    const { order, error, logged } = await undoing((undo, undone) => {
      undo.add("slice", undone("slice"));
      undo.add("disk", undone("disk"));
      undo.add("container", undone("container"));
      throw failure;
    });
    expect(order).toEqual(["container", "disk", "slice"]);
    expect(error).toBe(failure);
    expect(logged).toEqual([]);
  });

  it("runs nothing once the work is to be kept", async () => {
    const { order, error } = await undoing((undo, undone) => {
      undo.add("slice", undone("slice"));
      undo.keep();
    });
    expect(order).toEqual([]);
    expect(error).toBeUndefined();
  });

  it("runs what was added after it was said to keep", async () => {
    const { order } = await undoing((undo, undone) => {
      undo.add("slice", undone("slice"));
      undo.keep();
      undo.add("disk", undone("disk"));
    });
    expect(order).toEqual(["disk"]);
  });

  it("goes on after an undo that fails, logs its name, and hides nothing of the first error", async () => {
    const failure = new Error("the first");
    const { order, error, logged } = await undoing((undo, undone) => {
      undo.add("slice", undone("slice"));
      undo.add("disk", () => Promise.reject(new Error("busy")));
      undo.add("network", () => {
        throw new Error("at once");
      });
      undo.add("container", undone("container"));
      throw failure;
    });
    expect(order).toEqual(["container", "slice"]);
    expect(error).toBe(failure);
    expect(logged.map(({ undo, err }) => [undo, err?.message])).toEqual([
      ["network", "at once"],
      ["disk", "busy"],
    ]);
  });
});
