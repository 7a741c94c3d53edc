import { extract } from "tar-stream";
import { describe, expect, it } from "vitest";
import { probeImage } from "../../../src/probe/image.js";
import { parseReport } from "../../../src/probe/report.js";

/** A log as the engine gives it. */
function framed(...texts: string[]): Buffer {
  return Buffer.concat(
    texts.map((text) => {
      const head = Buffer.alloc(8);
      head[0] = 1;
      head.writeUInt32BE(Buffer.byteLength(text), 4);
      return Buffer.concat([head, Buffer.from(text)]);
    }),
  );
}

describe("a probe's report", () => {
  it("is lines of verdict, name and detail; complaints between them are passed over", () => {
    const raw = framed("ok\tuse bpf\trefused\n", "sh: warning\nFAIL\tswap on\tit worked\n");
    expect(parseReport(raw)).toEqual([
      { name: "use bpf", ok: true, detail: "refused" },
      { name: "swap on", ok: false, detail: "it worked" },
    ]);
  });

  it("shows a forged one safely, and no more of it than is read", () => {
    const long = "x".repeat(10_000);
    const lines = Array.from({ length: 500 }, () => `ok\t\u001b[31m\u202eevil\t${long}\n`);
    const checks = parseReport(framed(...lines));
    expect(checks).toHaveLength(100);
    expect(checks[0]?.name).toBe("?[31m?evil");
    expect(checks[0]?.detail.length).toBeLessThanOrEqual(300);
  });

  it.each([Buffer.alloc(0), framed("nothing of the kind"), Buffer.from("ok\ta\tb")])(
    "that is none is a failed check",
    (raw) => {
      expect(parseReport(raw)).toMatchObject([{ name: "probe", ok: false }]);
    },
  );
});

describe("the probe's image", () => {
  it("has the script, and no program of its own", async () => {
    const entries: Record<string, string | null | undefined> = {};
    const reader = probeImage(Buffer.from("#!/bin/sh\n")).pipe(extract());
    for await (const entry of reader) {
      const { name, type, linkname } = entry.header;
      entries[name] = type === "symlink" ? linkname : type;
      entry.resume();
    }
    expect(entries).toMatchObject({ bin: "usr/bin", sbin: "usr/sbin", probe: "file" });
    expect(Object.values(entries).filter((type) => type === "file")).toHaveLength(1);
  });
});
