import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pack } from "tar-stream";
import { describe, expect, it } from "vitest";
import { TarMeter } from "../../../../src/image/preload/meter.js";

const long = `${"d".repeat(90)}/${"f".repeat(90)}`;

function tar(): Promise<Buffer> {
  const packed = pack();
  packed.entry({ name: "blobs", type: "directory" });
  packed.entry({ name: "blobs/sha256/aa" }, randomBytes(100_000));
  packed.entry({ name: long }, randomBytes(700));
  packed.entry({ name: "blobs/sha256/bb" }, randomBytes(512));
  packed.entry({ name: "manifest.json" }, "[]");
  packed.finalize();
  return buffer(packed);
}

async function follow(bytes: Buffer, pieceBytes: number) {
  const seen = new Map<string, number>();
  const meter = new TarMeter((count, entry) => seen.set(entry, (seen.get(entry) ?? 0) + count));
  const pieces = Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, i) =>
    bytes.subarray(i * pieceBytes, (i + 1) * pieceBytes),
  );
  return { out: await buffer(Readable.from(pieces).pipe(meter)), seen };
}

describe("a tar that is followed", () => {
  it.each([1, 511, 512, 513, 65_536, 1_000_000])(
    "comes out as it went in, in pieces of %i bytes",
    async (pieceBytes) => {
      const bytes = await tar();
      const { out, seen } = await follow(bytes, pieceBytes);
      expect(out.equals(bytes)).toBe(true);
      expect([...seen.values()].reduce((sum, count) => sum + count, 0)).toBe(bytes.length);
    },
  );

  it("tells what entry goes by", async () => {
    const { seen } = await follow(await tar(), 512);
    expect(seen.get("blobs/sha256/aa")).toBeGreaterThan(99_000);
    expect(seen.get("blobs/sha256/bb")).toBe(2 * 512);
    expect([...seen.keys()]).toContain("manifest.json");
  });
});
