import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { BuildReporter } from "../../../src/cli/build-reporter.js";
import type { Terminal } from "../../../src/cli/deps.js";
import { Progress } from "../../../src/cli/progress.js";

const MiB = 1024 ** 2;

function screen(isTTY: boolean): { terminal: Terminal; text: () => string } {
  let written = "";
  const terminal = new Writable({
    write(chunk, _encoding, done) {
      written += String(chunk);
      done();
    },
  });
  return { terminal: Object.assign(terminal, { isTTY, columns: 80 }), text: () => written };
}

const onItsWay = (image: string, bytes: number) => ({
  phase: "collect",
  message: image,
  image,
  bytes,
  totalBytes: 400 * MiB,
  bytesPerSecond: 120 * MiB,
  secondsLeft: 95,
  seconds: 3.2,
});

describe("a build's progress", () => {
  it("shows of each image bytes, rate and time left in what a terminal holds", () => {
    const { terminal, text } = screen(true);
    const reporter = new BuildReporter(new Progress(terminal));
    reporter.tell(onItsWay(`registry.test/${"long/".repeat(20)}image:1`, 100 * MiB));
    const last = text().split("\r\u001b[K").at(-1) ?? "";
    expect(last).toContain("    3.2 s  100 MiB of 400 MiB, 120 MiB/s, 1m 35s left  registry.test/");
    expect(last.length).toBeLessThan(80);
  });

  it("is a line for each image where nothing can be replaced", () => {
    const { terminal, text } = screen(false);
    const reporter = new BuildReporter(new Progress(terminal));
    for (const image of ["a:1", "a:1", "b:1"]) reporter.tell(onItsWay(image, MiB));
    expect(text()).toBe("    3.2 s  collect: a:1\n    3.2 s  collect: b:1\n");
  });
});
