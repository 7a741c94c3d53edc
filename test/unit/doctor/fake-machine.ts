import type { Machine, Outcome } from "../../../src/doctor/machine.js";

/** A machine that is nothing but these files; a directory is there when one of them is in it. */
export function fakeMachine(
  files: Record<string, string> = {},
  programs: Record<string, Outcome> = {},
): Machine {
  const paths = Object.keys(files);
  return {
    read: (path) => Promise.resolve(files[path]),
    exists: (path) => Promise.resolve(paths.some((file) => `${file}/`.startsWith(`${path}/`))),
    list: (path) =>
      Promise.resolve([
        ...new Set(
          paths
            .filter((file) => file.startsWith(`${path}/`))
            .map((file) => file.slice(path.length + 1).split("/")[0] ?? ""),
        ),
      ]),
    run: (file) => Promise.resolve(programs[file] ?? notInstalled),
  };
}

export const notInstalled: Outcome = {
  ok: false,
  reason: { kind: "not installed", text: "it is not installed" },
};

export const done = (stdout = ""): Outcome => ({ ok: true, stdout });

export const failed = (text: string): Outcome => ({ ok: false, reason: { kind: "failed", text } });
