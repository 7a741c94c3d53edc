import type { Command } from "commander";
import { bashCompletion } from "./bash.js";
import { fishCompletion } from "./fish.js";
import type { CompletionShell } from "./shells.js";
import { treeOf } from "./tree.js";
import { zshCompletion } from "./zsh.js";

const generators = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

/** What a shell reads to complete the words of `program`. */
export function completionScript(shell: CompletionShell, program: Command): string {
  return generators[shell](treeOf(program));
}
