import { contextName } from "../../lib/context-name.js";
import path from "node:path";
import type { Sandbox } from "../../lib/contract/sandbox.js";
import { sandboxReference } from "../arguments.js";
import { fileNameOf, titleOf } from "../describe.js";
import { UsageError } from "../failure.js";
import type { SandboxReference } from "../resolve.js";
import type { Session } from "../session.js";
import { verb, type AddVerb } from "../verb.js";

export const addBundle: AddVerb = (parent, session) => {
  verb(parent, "bundle", {
    summary: "fetch what Docker needs to reach a sandbox",
    about:
      "Fetches a sandbox's bundle: its CA, a fresh client certificate and key, a Docker context to\n" +
      "import and a README. The certificate ends with the sandbox, and after a day at the latest:\n" +
      "then fetch the bundle again.",
    examples: [
      ["bundle alice -o ./alice", "into a directory"],
      ["bundle alice -o alice.zip", "as a zip file"],
      ["bundle alice -o - | ssh alice@laptop tar -xC berth", "as a tar on stdout"],
    ],
    next: "`docker context import alice ./alice/berth.dockercontext`.",
  })
    .argument("<sandbox>", "an id, a user, or user/name", sandboxReference)
    .option(
      "-o, --output <where>",
      "DIR, FILE.zip, or - for a tar on stdout (default: ./USER-NAME)",
    )
    .action(async (reference: SandboxReference, { output }: { output?: string }) => {
      if (output === "-") await toStdout(session, reference);
      else if (output?.endsWith(".zip")) await toZip(session, reference, output);
      else await toDirectory(session, reference, output);
    });
};

async function toStdout(session: Session, reference: SandboxReference): Promise<void> {
  if (session.out.json) throw new UsageError("stdout takes the tar of `-o -` or --json, not both");
  if (session.deps.stdout.isTTY) {
    throw new UsageError(
      "`-o -` writes a tar, and stdout is a terminal; pipe it on, or name a DIR",
    );
  }
  const { id } = await session.sandbox(reference);
  await session.out.bytes(await (await session.api()).bundle(id, "x-tar"));
}

async function toZip(session: Session, reference: SandboxReference, file: string): Promise<void> {
  const sandbox = await session.sandbox(reference);
  const zip = await (await session.api()).bundle(sandbox.id, "zip");
  const target = session.pathOf(file);
  const { default: writeFileAtomic } = await import("write-file-atomic");
  await writeFileAtomic(target, zip, { mode: 0o600 });
  session.out.result({ sandbox: sandbox.id, path: target }, () => []);
  session.out.note(
    `Wrote the bundle of ${titleOf(sandbox)} to ${file}; it holds a key, keep it private.`,
  );
}

async function toDirectory(
  session: Session,
  reference: SandboxReference,
  directory: string | undefined,
): Promise<void> {
  const sandbox = await session.sandbox(reference);
  const typed = directory ?? `./${fileNameOf(sandbox)}`;
  const target = session.pathOf(typed);
  const files = await fetchBundle(session, sandbox, target);
  session.out.result({ sandbox: sandbox.id, path: target, files }, () => []);
  const context = contextName(sandbox);
  session.out.note(
    `Wrote the bundle of ${titleOf(sandbox)} to ${typed}: ${files.join(", ")}`,
    "Next:",
    `  docker context import ${context} ${path.join(typed, "berth.dockercontext")}`,
    `  docker --context ${context} run --rm hello-world`,
  );
}

/** Puts a fresh bundle into `directory` (made 0700) and gives its file names. */
export async function fetchBundle(
  session: Session,
  sandbox: Sandbox,
  directory: string,
): Promise<string[]> {
  const tar = await (await session.api()).bundle(sandbox.id, "x-tar");
  const { unpackBundle } = await import("../../lib/bundle-archive.js");
  return unpackBundle(tar, directory);
}
