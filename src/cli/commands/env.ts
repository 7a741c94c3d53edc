import { Option } from "commander";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { sandboxReference } from "../arguments.js";
import { fileNameOf } from "../describe.js";
import type { SandboxReference } from "../resolve.js";
import { shellLines, shells, type Shell } from "../shell.js";
import { verb, type AddVerb } from "../verb.js";
import { fetchBundle } from "./bundle.js";

export const addEnv: AddVerb = (parent, session) => {
  verb(parent, "env", {
    summary: "point this shell's docker at a sandbox",
    about:
      "Fetches the sandbox's bundle into ~/.berth/USER-NAME and prints the lines that make this\n" +
      "shell's docker use it. Certificates end after a day at the latest: then do it again.",
    examples: [
      ['eval "$(berth env alice)"', "in sh, bash, zsh"],
      ["berth env alice --shell powershell | Out-String | Invoke-Expression"],
    ],
    next: "`docker run --rm hello-world`, in that shell.",
  })
    .argument("<sandbox>", "an id, a user, or user/name", sandboxReference)
    .addOption(
      new Option("--shell <shell>", "whose language to speak").choices([...shells]).default("sh"),
    )
    .action(async (reference: SandboxReference, { shell }: { shell: Shell }) => {
      const sandbox = await session.sandbox(reference);
      const berthDir = path.join(session.deps.home, ".berth");
      await mkdir(berthDir, { recursive: true, mode: 0o700 });
      const certPath = path.join(berthDir, fileNameOf(sandbox));
      await fetchBundle(session, sandbox, certPath);
      const env = {
        DOCKER_HOST: sandbox.dockerHost,
        DOCKER_TLS_VERIFY: "1",
        DOCKER_CERT_PATH: certPath,
      };
      session.out.result({ sandbox: sandbox.id, env }, () =>
        shellLines(shell, env, `berth env ${reference.text}`),
      );
    });
};
