/**
 * Classic BPF as seccomp(2) takes it: an array of `struct sock_filter` (linux/filter.h) that reads
 * `struct seccomp_data` (linux/seccomp.h) and returns what becomes of the system call.
 */
export interface Instruction {
  code: number;
  /** Instructions to skip when the comparison holds, or does not; 0 to 255. */
  jt: number;
  jf: number;
  k: number;
}

/** Offsets in `struct seccomp_data`; of an argument's 64 bits the low half, on little-endian machines. */
export const offsets = {
  number: 0,
  architecture: 4,
  firstArgument: 16,
  secondArgument: 24,
} as const;

export const load = (offset: number): Instruction => ({ code: 0x20, jt: 0, jf: 0, k: offset });
/** Goes on with the next instruction when the loaded word equals `k`, else skips `otherwise`. */
export const ifEqual = (k: number, otherwise: number): Instruction => ({
  code: 0x15,
  jt: 0,
  jf: otherwise,
  k,
});
/** The same for "at least `k`", unsigned. */
export const ifAtLeast = (k: number, otherwise: number): Instruction => ({
  code: 0x35,
  jt: 0,
  jf: otherwise,
  k,
});
export const skip = (count: number): Instruction => ({ code: 0x05, jt: 0, jf: 0, k: count });
export const allow: Instruction = { code: 0x06, jt: 0, jf: 0, k: 0x7fff0000 };
/** The call is not made and fails with this errno. */
export const refuse = (errno: number): Instruction => ({
  code: 0x06,
  jt: 0,
  jf: 0,
  k: 0x00050000 | errno,
});

/** The program's bytes, as images/dind/load-filter reads them. */
export function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(({ code, jt, jf, k }, i) => {
    bytes.writeUInt16LE(code, i * 8);
    bytes.writeUInt8(jt, i * 8 + 2);
    bytes.writeUInt8(jf, i * 8 + 3);
    bytes.writeUInt32LE(k, i * 8 + 4);
  });
  return bytes;
}
