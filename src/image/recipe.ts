import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { BerthError, messageOf } from "../lib/errors.js";
import type { AddedFile } from "./root-tar.js";

const insidePath = z.string().regex(/^\/[^\0\n]*[^/\0\n]$/, "must be an absolute path");

/** What a recipe.json (images/dind, images/exercises/base) may say. */
const recipeSchema = z.strictObject({
  /** Debian release, as apt names it. */
  suite: z.string().regex(/^[a-z][a-z0-9-]*$/),
  /** How much of Debian besides the packages (mmdebstrap(1), VARIANTS). */
  variant: z.enum(["essential", "apt", "minbase"]),
  packages: z.array(z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/)).min(1),
  /** Globs of dpkg's path-exclude: not unpacked from any package (dpkg(1)). No spaces. */
  exclude: z.array(insidePath.regex(/^\S+$/)),
  /** Globs unpacked all the same (path-include). */
  keep: z.array(insidePath.regex(/^\S+$/)),
  /** Left out of the root afterwards; a trailing `/*` keeps the directory and drops what it holds. */
  drop: z.array(insidePath),
  /** Files of the recipe's folder and their places in the image, owned by root. */
  files: z.array(
    z.strictObject({
      from: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
      to: insidePath,
      mode: z.enum(["0644", "0755"]),
    }),
  ),
  entrypoint: z.array(z.string()).min(1).optional(),
  command: z.array(z.string()).min(1).optional(),
  stopSignal: z
    .string()
    .regex(/^SIG[A-Z]+$/)
    .optional(),
});

export type Recipe = z.infer<typeof recipeSchema>;

/** A file of the recipe's folder. */
export interface InputFile {
  name: string;
  executable: boolean;
  content: Buffer;
}

export interface RecipeFolder {
  recipe: Recipe;
  /** Every file of the folder, by name. */
  files: InputFile[];
}

/**
 * Reads a recipe's folder (images/dind, images/exercises/base).
 * @throws BerthError IMAGE_BUILD_FAILED when it is incomplete or says what no recipe may
 */
export async function readRecipe(dir: string): Promise<RecipeFolder> {
  try {
    const files = await readFolder(dir);
    const recipe = recipeSchema.parse(JSON.parse(textOf(files, "recipe.json")));
    for (const { from } of recipe.files) contentOf(files, from);
    return { recipe, files };
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    throw new BerthError(
      "IMAGE_BUILD_FAILED",
      `cannot read the image's recipe in ${dir}: ${why}; is this installation complete?`,
      { cause: error },
    );
  }
}

async function readFolder(dir: string): Promise<InputFile[]> {
  const names = (await readdir(dir)).sort();
  return await Promise.all(
    names.map(async (name) => {
      const path = join(dir, name);
      const { mode } = await stat(path);
      return { name, executable: (mode & 0o100) !== 0, content: await readFile(path) };
    }),
  );
}

/** dpkg options for what is and is not unpacked; the last that matches a path wins. */
export const dpkgOptions = ({ exclude, keep }: Recipe): string[] => [
  ...exclude.map((glob) => `path-exclude=${glob}`),
  ...keep.map((glob) => `path-include=${glob}`),
];

/** The recipe's files at their places. */
export const filesInPlace = ({ recipe, files }: RecipeFolder): AddedFile[] =>
  recipe.files.map(({ from, to, mode }) => ({
    path: to,
    mode: parseInt(mode, 8),
    content: contentOf(files, from),
  }));

export function contentOf(files: InputFile[], name: string): Buffer {
  const file = files.find((candidate) => candidate.name === name);
  if (!file) throw new Error(`there is no file ${name}`);
  return file.content;
}

const textOf = (files: InputFile[], name: string): string => contentOf(files, name).toString();
