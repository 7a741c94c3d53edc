import { Transform, type TransformCallback } from "node:stream";

const blockBytes = 512;

/**
 * Passes a tar on as it is, and tells what of it went by: the engine's own stream is followed, not
 * taken apart, so that it costs nothing.
 */
export class TarMeter extends Transform {
  #header: Buffer[] = [];
  #headerBytes = 0;
  /** Of the entry that goes by: content and padding still to come. */
  #left = 0;
  #entry = "";

  /** @param onBytes called with each piece's size and the path of the entry that it ends in */
  constructor(private readonly onBytes: (bytes: number, entry: string) => void) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.#follow(chunk);
    this.onBytes(chunk.length, this.#entry);
    done(null, chunk);
  }

  #follow(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, chunk.length - at);
        this.#left -= skipped;
        at += skipped;
        continue;
      }
      const part = chunk.subarray(at, at + blockBytes - this.#headerBytes);
      this.#header.push(part);
      this.#headerBytes += part.length;
      at += part.length;
      if (this.#headerBytes === blockBytes) this.#read(Buffer.concat(this.#header));
    }
  }

  #read(header: Buffer): void {
    this.#header = [];
    this.#headerBytes = 0;
    const size = sizeOf(header.subarray(124, 136));
    this.#left = Math.ceil(size / blockBytes) * blockBytes;
    const type = String.fromCharCode(header[156] ?? 0);
    // Headers about the next entry (pax, GNU long names) are no entries; blobs have short names.
    if (type === "0" || type === "\0") this.#entry = textOf(header.subarray(0, 100));
  }
}

/** Octal digits, or for 8 GiB and more a big-endian number whose first bit is set (tar(5)). */
function sizeOf(field: Buffer): number {
  if (((field[0] ?? 0) & 0x80) === 0) return parseInt(textOf(field).trim(), 8) || 0;
  let size = 0;
  for (const byte of field.subarray(4)) size = size * 256 + byte;
  return size;
}

const textOf = (field: Buffer): string => field.toString("latin1").split("\0", 1)[0] ?? "";
