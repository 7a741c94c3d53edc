import { describe, expect, it } from "vitest";
import { allocateUids } from "../../../src/lib/uids.js";

const range = { from: 1_000_000, to: 1_000_000 + 4 * 65_536 - 1 };
const block = (n: number) => range.from + n * 65_536;

describe("allocateUids", () => {
  it("gives the lowest block that nobody has, and released ones again", () => {
    expect(allocateUids({ range, used: [] })).toBe(block(0));
    expect(allocateUids({ range, used: [block(1), block(0)] })).toBe(block(2));
    expect(allocateUids({ range, used: [block(0), block(2)] })).toBe(block(1));
  });

  it("keeps off blocks of another range that lie across its own", () => {
    expect(allocateUids({ range, used: [block(0) + 1] })).toBe(block(2));
    expect(allocateUids({ range, used: [block(0) - 65_535] })).toBe(block(1));
    expect(allocateUids({ range, used: [block(0) - 65_536] })).toBe(block(0));
  });

  it("gives the last block that fits whole, and none that does not", () => {
    const used = [block(0), block(1), block(2)];
    expect(allocateUids({ range, used })).toBe(block(3));
    const short = { ...range, to: range.to - 1 };
    expect(() => allocateUids({ range: short, used })).toThrow(
      expect.objectContaining({
        code: "UIDS_EXHAUSTED",
        message: expect.stringMatching(/3 sandboxes .* subordinateUids/) as string,
      }),
    );
  });
});
