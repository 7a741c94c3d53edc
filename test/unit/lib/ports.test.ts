import { describe, expect, it } from "vitest";
import { allocatePorts, type SandboxPorts } from "../../../src/lib/ports.js";

const ranges = {
  engineRange: { from: 20000, to: 20003 },
  userRange: { from: 21000, to: 21039 },
  blockSize: 10,
};
const first = { engine: 20000, from: 21000, to: 21009 };
const second = { engine: 20001, from: 21010, to: 21019 };

const allocate = (used: SandboxPorts[], taken: number[] = []) =>
  allocatePorts({ ...ranges, used, isTaken: (port) => taken.includes(port) });

describe("allocatePorts", () => {
  it("gives the lowest engine port and block when nobody has any", () => {
    expect(allocate([])).toEqual(first);
  });

  it("gives the next ones when the lowest are held", () => {
    expect(allocate([first])).toEqual(second);
  });

  it("gives released ports again", () => {
    expect(allocate([second])).toEqual(first);
  });

  it("skips an engine port that a stranger listens on, and the whole block of such a user port", () => {
    expect(allocate([], [20000, 21007])).toEqual({ engine: 20001, from: 21010, to: 21019 });
  });

  it("keeps off blocks of another size, from before the configuration changed", () => {
    expect(allocate([{ engine: 20000, from: 21005, to: 21014 }])).toEqual({
      engine: 20001,
      from: 21020,
      to: 21029,
    });
  });

  it("never gives the engine port inside the block when the ranges overlap", () => {
    const ports = allocatePorts({
      engineRange: { from: 21000, to: 21020 },
      userRange: { from: 21000, to: 21039 },
      blockSize: 10,
      used: [],
    });
    expect(ports).toEqual({ engine: 21000, from: 21010, to: 21019 });
  });

  it("leaves the rest of a range alone that is no whole block", () => {
    const narrow = { ...ranges, userRange: { from: 21000, to: 21014 } };
    expect(() => allocatePorts({ ...narrow, used: [first] })).toThrow(/21000-21014/);
  });

  it("never hands out a port twice until the range is exhausted, and then says so", () => {
    const used: SandboxPorts[] = [];
    for (let i = 0; i < 4; i++) used.push(allocate(used));
    const ports = used.flatMap(({ engine, from, to }) => [
      engine,
      ...Array.from({ length: to - from + 1 }, (_, i) => from + i),
    ]);
    expect(new Set(ports).size).toBe(4 * 11);
    expect(() => allocate(used)).toThrow(
      expect.objectContaining({
        code: "PORTS_EXHAUSTED",
        message: expect.stringMatching(
          /engine port in 20000-20003: 4 sandboxes.*ports\.engine/,
        ) as string,
      }),
    );
  });

  it("names the range of user ports when only that is exhausted", () => {
    const used = [0, 1, 2, 3].map((i) => ({
      engine: 30000 + i,
      from: 21000 + 10 * i,
      to: 21009 + 10 * i,
    }));
    expect(() => allocate(used)).toThrow(
      /block of 10 user ports in 21000-21039: 4 sandboxes.*ports\.user/,
    );
  });
});
