import type Docker from "dockerode";
import { BerthError, codeOf, messageOf } from "../lib/errors.js";

/** What of dockerode the images need; the tests' fake has just this. */
export type DockerImages = Pick<
  Docker,
  "buildImage" | "importImage" | "getImage" | "listImages" | "listContainers"
>;

const unreachableCodes = ["ECONNREFUSED", "ENOENT", "EACCES", "ECONNRESET", "EPIPE", "ETIMEDOUT"];

/**
 * Runs a call to the engine and turns its failures into ours.
 * @param act what was tried: `import the image`
 * @throws BerthError ENGINE_UNREACHABLE, DISK_FULL or `code`
 */
export async function engineCall<T>(
  act: string,
  call: () => Promise<T>,
  code: "IMAGE_BUILD_FAILED" | "ENGINE_FAILED" = "ENGINE_FAILED",
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof BerthError) throw error;
    const said = messageOf(error);
    if (statusOf(error) === undefined && unreachableCodes.includes(codeOf(error) ?? "")) {
      throw new BerthError(
        "ENGINE_UNREACHABLE",
        `cannot ${act}: the Docker Engine does not answer (${said}); is it running? systemctl status docker`,
        { cause: error },
      );
    }
    if (said.includes("no space left on device")) {
      throw new BerthError(
        "DISK_FULL",
        `cannot ${act}: the file system of the Docker Engine's data-root is full; free some space there and try again`,
        { cause: error },
      );
    }
    throw new BerthError(code, `cannot ${act}: the Docker Engine says: ${said}`, { cause: error });
  }
}

/** The engine's HTTP status of a failed call; undefined when it did not answer. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error === "object" && error !== null && "statusCode" in error) {
    return typeof error.statusCode === "number" ? error.statusCode : undefined;
  }
  return undefined;
}

/** An image's inspection, or undefined when the engine has none of that name. */
export async function findImage(
  docker: DockerImages,
  name: string,
): Promise<Docker.ImageInspectInfo | undefined> {
  return await engineCall(`look for the image ${name}`, async () => {
    try {
      return await docker.getImage(name).inspect();
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  });
}

/**
 * Reads the engine's answer to an import or build: one JSON document a line. The status is 200 even
 * when it fails; the failure is in a line.
 */
export async function followAnswer(
  answer: NodeJS.ReadableStream,
  onMessage: (message: string) => void,
): Promise<void> {
  let rest = "";
  for await (const chunk of answer) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) readLine(line, onMessage);
  }
  readLine(rest, onMessage);
}

function readLine(line: string, onMessage: (message: string) => void): void {
  if (line.trim() === "") return;
  const said = JSON.parse(line) as { error?: string; stream?: string; status?: string };
  if (said.error !== undefined) throw new Error(said.error);
  const text = (said.stream ?? said.status ?? "").trim();
  if (text !== "") onMessage(text);
}
