import { describe, expect, it } from "vitest";
import { encode, type Instruction } from "../../../src/isolation/bpf.js";
import { encodedFilter, refusals, sandboxFilter } from "../../../src/isolation/seccomp.js";

const x86_64 = 0xc000003e;
const i386 = 0x40000003;
const arm64 = 0xc00000b7;

/** Runs the program as the kernel does (Documentation/networking/filter.rst), for the codes we use. */
function decide(
  program: Instruction[],
  call: { arch: number; nr: number; arg?: number; second?: number },
): "allow" | number {
  const words = new Map([
    [0, call.nr],
    [4, call.arch],
    [16, call.arg ?? 0],
    [24, call.second ?? 0],
  ]);
  let loaded = 0;
  for (let at = 0; at < program.length; at++) {
    const instruction = program[at];
    if (!instruction) break;
    const { code, jt, jf, k } = instruction;
    if (code === 0x20) loaded = words.get(k) ?? NaN;
    else if (code === 0x15) at += loaded === k ? jt : jf;
    else if (code === 0x35) at += loaded >= k ? jt : jf;
    else if (code === 0x05) at += k;
    else if (code === 0x06) return k === 0x7fff0000 ? "allow" : k & 0xffff;
    else throw new Error(`no such code: ${code}`);
  }
  throw new Error("ran off the end");
}

const filter = sandboxFilter();

describe("the filter of a sandbox", () => {
  const listed = refusals.flatMap(({ calls, errno }) =>
    Object.entries(calls).flatMap(([name, numbers]) =>
      [x86_64, i386, arm64].flatMap((arch, i) =>
        numbers[i] === undefined ? [] : [{ name, arch, nr: numbers[i], errno }],
      ),
    ),
  );
  it.each(listed)("refuses $name ($arch, $nr)", ({ arch, nr, errno }) => {
    expect(decide(filter, { arch, nr })).toBe(errno);
  });

  it.each([
    ["read", x86_64, 0],
    ["mount", x86_64, 165],
    ["unshare", x86_64, 272],
    ["setns", x86_64, 308],
    ["clone3", x86_64, 435],
    ["mount_setattr", x86_64, 442],
    ["mount", i386, 21],
    ["mount", arm64, 40],
  ])("lets %s pass", (_, arch, nr) => {
    expect(decide(filter, { arch, nr })).toBe("allow");
  });

  it("lets a 32-bit program's socketcall do all but make sockets of a family that cannot be seen", () => {
    const calls = Array.from({ length: 21 }, (_, arg) => arg);
    const refused = calls.filter((arg) => decide(filter, { arch: i386, nr: 102, arg }) !== "allow");
    expect(refused).toEqual([1, 8]);
    expect(decide(filter, { arch: i386, nr: 102, arg: 1 })).toBe(97);
  });

  it.each([
    [x86_64, 41],
    [i386, 359],
    [arm64, 198],
    [x86_64, 53],
    [i386, 360],
    [arm64, 199],
  ])("lets only usual families have a socket (%d)", (arch, nr) => {
    const families = Array.from({ length: 64 }, (_, arg) => arg);
    const open = families.filter((arg) => decide(filter, { arch, nr, arg }) === "allow");
    expect(open).toEqual([1, 2, 10, 16, 17]);
    // AF_VSOCK, to a hypervisor: EAFNOSUPPORT
    expect(decide(filter, { arch, nr, arg: 40 })).toBe(97);
  });

  it.each([
    [x86_64, 72],
    [i386, 55],
    [i386, 221],
    [arm64, 25],
  ])("lets nobody have a lease on a file, and all else of fcntl (%d, %d)", (arch, nr) => {
    const commands = [...Array.from({ length: 40 }, (_, i) => i), 1024, 1025, 1026, 1033, 1040];
    const refused = commands.filter((second) => decide(filter, { arch, nr, second }) !== "allow");
    expect(refused).toEqual([1024, 1040]);
    expect(decide(filter, { arch, nr, second: 1024 })).toBe(22);
  });

  it("refuses x32 and unknown architectures whole", () => {
    expect(decide(filter, { arch: x86_64, nr: 0x40000000 + 321 })).toBe(38);
    expect(decide(filter, { arch: 0x40000028, nr: 1 })).toBe(38);
  });

  it("jumps no farther than eight bits reach", () => {
    expect(Math.max(...filter.flatMap(({ jt, jf }) => [jt, jf]))).toBeLessThan(256);
  });
});

describe("encode", () => {
  it("writes struct sock_filter, little-endian", () => {
    expect(encode([{ code: 0x15, jt: 1, jf: 2, k: 0x01020304 }])).toEqual(
      Buffer.from([0x15, 0, 1, 2, 4, 3, 2, 1]),
    );
    expect(Buffer.from(encodedFilter(), "base64")).toHaveLength(filter.length * 8);
  });
});
