import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { extract, pack, type Pack } from "tar-stream";
import { describe, expect, it } from "vitest";
import { copyRoot, isDropped, packFiles, readable } from "../../../src/image/root-tar.js";

type Listing = Record<string, { type: string; mode: number; content: string; linkname?: string }>;

async function listing(tar: Buffer): Promise<Listing> {
  const found: Listing = {};
  const unpacked = extract();
  unpacked.end(tar);
  for await (const entry of unpacked) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    const { name, type, mode, linkname } = entry.header;
    found[name] = {
      type,
      mode,
      content: Buffer.concat(chunks).toString(),
      ...(linkname ? { linkname } : {}),
    };
  }
  return found;
}

function debianRoot(): Pack {
  const root = pack();
  root.entry({ name: "./dev/", type: "directory", mode: 0o755 });
  root.entry({ name: "./dev/null", type: "character-device", devmajor: 1, devminor: 3 });
  root.entry({ name: "./bin", type: "symlink", linkname: "usr/bin" });
  root.entry({ name: "./usr/bin/su", mode: 0o4755 }, "su");
  root.entry({ name: "./usr/bin/su2", type: "link", linkname: "./usr/bin/su" });
  root.entry({ name: "./etc/empty", mode: 0o644 }, "");
  root.entry({ name: "./etc/hostname", mode: 0o644 }, "builder");
  root.entry({ name: "./etc/docker/daemon.json", mode: 0o600 }, "{}");
  root.finalize();
  return root;
}

const content = Buffer.from('{"mtu":1}');
const changes = {
  drop: ["/dev/*", "/etc/hostname"],
  add: [{ path: "/etc/docker/daemon.json", mode: 0o644, content }],
};

async function copied(source: Readable): Promise<{ listing: Listing; bytes: number }> {
  const target = pack();
  let bytes = 0;
  const [tar] = await Promise.all([
    buffer(readable(target)),
    copyRoot(source, target, changes, (more) => {
      bytes += more;
    }).then(() => {
      target.finalize();
    }),
  ]);
  return { listing: await listing(tar), bytes };
}

const asNode = (tar: Pack): Readable => readable(tar).pipe(new PassThrough());

describe("copying a root", () => {
  it("keeps types, modes, links and empty files, drops and replaces what it is told", async () => {
    const { listing: found, bytes } = await copied(asNode(debianRoot()));
    expect(Object.keys(found)).toEqual([
      "./dev/",
      "./bin",
      "./usr/bin/su",
      "./usr/bin/su2",
      "./etc/empty",
      "etc/docker/daemon.json",
    ]);
    expect(found["./usr/bin/su"]).toMatchObject({ mode: 0o4755, content: "su" });
    expect(found["./usr/bin/su2"]).toMatchObject({ type: "link", linkname: "./usr/bin/su" });
    expect(found["./bin"]).toMatchObject({ type: "symlink", linkname: "usr/bin" });
    expect(found["etc/docker/daemon.json"]).toMatchObject({ mode: 0o644, content: '{"mtu":1}' });
    expect(bytes).toBe(2);
  });

  it("fails when the root breaks off", async () => {
    const whole = await buffer(readable(debianRoot()));
    const source = Readable.from([whole.subarray(0, 1300)]);
    await expect(copyRoot(source, pack(), changes, () => undefined)).rejects.toThrow();
  });

  it("fails, and does not wait for ever, when the target is given up", async () => {
    const target = pack();
    const big = pack();
    big.entry({ name: "./big", mode: 0o644 }, Buffer.alloc(4 * 1024 ** 2));
    big.finalize();
    const copy = copyRoot(asNode(big), target, changes, () => undefined);
    setImmediate(() => {
      target.destroy();
    });
    await expect(copy).rejects.toThrow();
  });
});

it.each([
  ["/dev/null", true],
  ["/dev", false],
  ["/device", false],
  ["/etc/hostname", true],
  ["/etc/hostname.d", false],
])("drops %s: %s", (path, dropped) => {
  expect(isDropped(path, changes.drop)).toBe(dropped);
});

it("packs files at their places", async () => {
  const tar = packFiles([{ path: "/rootfs/usr/local/sbin/x", mode: 0o755, content }]);
  expect(await listing(await buffer(readable(tar)))).toEqual({
    "rootfs/usr/local/sbin/x": { type: "file", mode: 0o755, content: '{"mtu":1}' },
  });
});
