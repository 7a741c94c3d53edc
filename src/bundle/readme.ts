import { contextName } from "../lib/context-name.js";
import type { BundleInput, Isolation } from "../lib/model.js";
import { formatDuration } from "../lib/units.js";

/** What a user has to know about how the sandbox is held; a new isolation must say its own. */
const isolationNotes: Record<Isolation, string> = {
  userns: "",
  privileged: `
WARNING: this sandbox is "privileged". Its Docker Engine runs as real root: whoever
has the files of this bundle can become root on the host. Give them to nobody you
would not give root to, and run no image you would not run as root on the host.
`,
};

/** README.txt: what this is, until when, and lines to copy. Times in UTC, and relative to `now`. */
export function readme(input: BundleInput, now: Date): string {
  const context = contextName(input);
  const until = (date: Date) =>
    `${utc(date)} (in ${formatDuration(wholeMinutes(date.getTime() - now.getTime()))})`;
  return `A Docker Engine of your own: ${input.user}/${input.name}
${isolationNotes[input.isolation]}
Sandbox          ${input.id} (profile ${input.profile}, isolation ${input.isolation})
Engine           ${input.dockerHost}
Ports            ${input.publicHost}, ${input.ports.from} to ${input.ports.to}
Certificate ends ${until(input.client.expiresAt)}
Sandbox ends     ${until(input.expiresAt)}: then everything in it is deleted

Times in brackets count from ${utc(now)}, when this bundle was made.
key.pem and berth.dockercontext are as good as a password to this engine: keep them
to yourself. Run the lines below in the directory of this file.


1. AS A DOCKER CONTEXT

    docker context import ${context} berth.dockercontext
    docker --context ${context} run --rm hello-world
    docker context use ${context}            # from now on without --context

2. IN THIS SHELL ONLY (bash, zsh; other shells: from this directory)

    . ./env.sh
    docker version

3. IN POWERSHELL

    . .\\env.ps1
    docker version

4. DOCKER COMPOSE

    docker --context ${context} compose up -d

   "-v ./dir:/dir" and bind mounts name directories of the sandbox, not of your
   machine: copy files in with a build, with "docker cp", or keep them in a volume.


PUBLISHED PORTS

Ports ${input.ports.from} to ${input.ports.to} of the sandbox can be reached from outside under the same
number, other ports cannot:

${portExample(input)}

WHEN THE CERTIFICATE IS OVER

An error that says "bad certificate" or "expired certificate" means: fetch a new
bundle, from Berth's page or, here, with

    berth bundle ${input.id} -o .

and, if you use the context, import it again:

    docker context rm --force ${context}
    docker context import ${context} berth.dockercontext

More time for the sandbox itself: berth extend ${input.id} --ttl 4h
Done with it:                     berth remove ${input.id}
`;
}

/** `2026-03-01 09:30 UTC` */
export function utc(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** A certificate counts whole seconds, so that "1h" would read "59m 59s". */
function wholeMinutes(ms: number): number {
  return Math.round(ms / 60_000) * 60_000;
}

function portExample({ publicHost, ports }: BundleInput): string {
  const port = Math.min(ports.from + 3, ports.to);
  const host = publicHost.includes(":") ? `[${publicHost.replace(/^\[|\]$/g, "")}]` : publicHost;
  return `    docker run -d -p ${port}:80 nginx        # then http://${host}:${port}`;
}
