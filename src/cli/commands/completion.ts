import { Argument, type Command } from "commander";
import { completionShells, type CompletionShell } from "../completion/shells.js";
import { verb, type AddVerb } from "../verb.js";

export const addCompletion: AddVerb = (parent, session) => {
  verb(parent, "completion", {
    summary: "print what makes a shell complete berth's words by TAB",
    about:
      "Prints completion for a shell: of verbs, options and their values, and of the sandboxes, users\n" +
      "and profiles that the daemon knows when it is asked. Put it where the shell looks, and start a new\n" +
      "shell. bash looks there with the package bash-completion; without it have the second line in\n" +
      "~/.bashrc. zsh looks in the directories of fpath: have `fpath+=~/.zfunc` before compinit in ~/.zshrc.",
    examples: [
      ["completion bash > ~/.local/share/bash-completion/completions/berth"],
      ["source <(berth completion bash)"],
      ["completion zsh > ~/.zfunc/_berth"],
      ["completion fish > ~/.config/fish/completions/berth.fish"],
    ],
    next: "`berth show `, and TAB.",
  })
    .addArgument(new Argument("<shell>", "whose completion").choices(completionShells))
    .action(async (shell: CompletionShell, _options: object, command: Command) => {
      const { completionScript } = await import("../completion/scripts.js");
      const script = completionScript(shell, command.parent ?? command);
      session.out.result({ shell, script }, () => script.trimEnd().split("\n"));
    });
};
