import { describe, expect, it } from "vitest";
import { Tally } from "../../../../src/image/preload/tally.js";
import { reporter, type BuildProgress } from "../../../../src/image/progress.js";

const MiB = 1024 ** 2;

describe("the tally of a build", () => {
  it("tells bytes, rate and time left, at most four times a second", () => {
    let now = 0;
    const told: BuildProgress[] = [];
    const tally = new Tally(
      reporter(
        (step) => told.push(step),
        () => now,
      ),
      () => now,
    );
    tally.expect("a:1", 40 * MiB);
    tally.expect("b:1", 60 * MiB);
    for (let i = 0; i < 10; i++) {
      tally.add("a:1", 2 * MiB);
      now += 100;
    }
    tally.add("b:1", 2 * MiB);
    expect(told.map(({ image, bytes }) => [image, bytes])).toEqual([
      ["a:1", 2 * MiB],
      ["a:1", 8 * MiB],
      ["a:1", 14 * MiB],
      ["a:1", 20 * MiB],
      ["b:1", 2 * MiB],
    ]);
    expect(told.at(-1)).toMatchObject({
      totalBytes: 60 * MiB,
      bytesPerSecond: 22 * MiB,
      secondsLeft: 78 / 22,
    });
    expect(tally.images()).toEqual([
      { name: "a:1", bytes: 20 * MiB },
      { name: "b:1", bytes: 2 * MiB },
    ]);
    expect(tally.movedBytes).toBe(22 * MiB);
  });
});
