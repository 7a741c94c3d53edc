import type Docker from "dockerode";
import { engineFind } from "../lib/engine-call.js";

/** What of dockerode the images need; the tests' fake has just this. */
export type DockerImages = Pick<
  Docker,
  "buildImage" | "importImage" | "getImage" | "listImages" | "listContainers"
>;

/** An image's inspection, or undefined when the engine has none of that name. */
export async function findImage(
  docker: DockerImages,
  name: string,
): Promise<Docker.ImageInspectInfo | undefined> {
  return engineFind(`look for the image ${name}`, () => docker.getImage(name).inspect());
}

/** An image's own tags, `latest` last; the engine writes `<none>:<none>` for one without. */
export function tagsOf(image: { RepoTags?: string[] | null | undefined }): string[] {
  const tags = (image.RepoTags ?? []).filter((tag) => !tag.startsWith("<none>"));
  const isLatest = (tag: string) => tag.endsWith(":latest");
  return [...tags.filter((tag) => !isLatest(tag)), ...tags.filter(isLatest)];
}

/**
 * Reads the engine's answer to an import or build: one JSON document a line. The status is 200 even
 * when it fails; the failure is in a line.
 * @param onMessage called with each message and the short id of the layer it is about
 */
export async function followAnswer(
  answer: NodeJS.ReadableStream,
  onMessage: (message: string, id: string | undefined) => void,
): Promise<void> {
  let rest = "";
  for await (const chunk of answer) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) readLine(line, onMessage);
  }
  readLine(rest, onMessage);
}

function readLine(line: string, onMessage: (message: string, id?: string) => void): void {
  if (line.trim() === "") return;
  const said = JSON.parse(line) as {
    error?: string;
    stream?: string;
    status?: string;
    /** Of the layer it is about. */
    id?: string;
  };
  if (said.error !== undefined) throw new Error(said.error);
  const text = (said.stream ?? said.status ?? "").trim();
  if (text !== "") onMessage(text, said.id);
}
