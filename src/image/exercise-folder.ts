import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { BerthError, codeOf, ignoring, messageOf } from "../lib/errors.js";
import type { InputFile } from "./recipe.js";

/** Client and exercise files for people whose own machine lacks them; an image, but no exercise. */
export const toolbox = "toolbox";

/** What a learner reads and runs beside the image: no change there makes a new image. */
const besideTheImage = ["README.md", "compose.yaml", "solution"];

/** Folders of images/exercises that are exercises: those with a compose.yaml. */
export async function exerciseNames(dir: string): Promise<string[]> {
  const names = (await readdir(dir)).sort();
  const files = await Promise.all(
    names.map((name) => ignoring(stat(join(dir, name, "compose.yaml")), "ENOENT", "ENOTDIR")),
  );
  return names.filter((_, index) => files[index] !== undefined);
}

/**
 * What an image is built from: its Dockerfile, by that name, and what that copies. The toolbox has every
 * exercise whole, below `exercises/`.
 * @throws BerthError INVALID_REQUEST when there is no such exercise, IMAGE_BUILD_FAILED
 */
export async function readContext(dir: string, name: string): Promise<InputFile[]> {
  const exercises = await exerciseNames(dir);
  if (name !== toolbox && !exercises.includes(name)) {
    throw new BerthError(
      "INVALID_REQUEST",
      `there is no exercise "${name}"; there are: ${exercises.join(", ")}`,
    );
  }
  try {
    const own = await readTree(join(dir, name));
    if (name !== toolbox) return own.filter((file) => !besideTheImage.includes(file.name));
    const all = await Promise.all(
      exercises.map((each) => readTree(join(dir, each), `exercises/${each}/`)),
    );
    return [...own, ...all.flat()];
  } catch (error) {
    throw new BerthError(
      "IMAGE_BUILD_FAILED",
      `cannot read ${join(dir, name)}: ${messageOf(error)}; is this installation complete?`,
      { cause: error },
    );
  }
}

/** Every file below a directory, by its path from there with `prefix` before it. */
async function readTree(dir: string, prefix = ""): Promise<InputFile[]> {
  const names = (await readdir(dir)).sort();
  const found = await Promise.all(names.map((name) => readEntry(dir, name, prefix)));
  return found.flat();
}

async function readEntry(dir: string, name: string, prefix: string): Promise<InputFile[]> {
  const path = join(dir, name);
  try {
    const content = await readFile(path);
    const executable = ((await stat(path)).mode & 0o100) !== 0;
    return [{ name: prefix + name, executable, content }];
  } catch (error) {
    if (codeOf(error) !== "EISDIR") throw error;
    return readTree(path, `${prefix}${name}/`);
  }
}
