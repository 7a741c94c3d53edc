import type Docker from "dockerode";

/**
 * Joins the frames of a log without terminal: 1 byte stream, 3 zero, 4 length (big-endian), then the
 * text (Docker Engine API, "Attach to a container", stream format).
 */
export function demultiplex(raw: Buffer): string {
  const texts: Buffer[] = [];
  let at = 0;
  while (at + 8 <= raw.length) {
    const length = raw.readUInt32BE(at + 4);
    texts.push(raw.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(texts).toString("utf8");
}

/** Enough to see why a dockerd died, little enough for an error message. */
const lineCount = 15;

/** The last lines a container wrote, both streams; empty when they cannot be had. */
export async function lastLogLines(
  docker: Pick<Docker, "getContainer">,
  container: string,
): Promise<string> {
  try {
    const raw = await docker
      .getContainer(container)
      .logs({ stdout: true, stderr: true, tail: lineCount, follow: false });
    return demultiplex(raw).trim();
  } catch {
    return "";
  }
}
