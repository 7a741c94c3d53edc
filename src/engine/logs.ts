import type Docker from "dockerode";
import { demultiplex } from "../lib/engine-log.js";

/** Enough to see why a dockerd died, little enough for an error message. */
const lineCount = 15;

/** The last lines a container wrote, both streams; empty when they cannot be had. */
export async function lastLogLines(docker: Docker, container: string): Promise<string> {
  try {
    const raw = await docker
      .getContainer(container)
      .logs({ stdout: true, stderr: true, tail: lineCount, follow: false });
    return demultiplex(raw).trim();
  } catch {
    return "";
  }
}
