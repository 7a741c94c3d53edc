import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import type { Ran } from "../e2e/support.js";
import { against, asHostRoot, type Target } from "./target.js";

/**
 * Where the attempt succeeds, and its check was seen to fail: in a `privileged` sandbox, or on the host
 * itself (see target.ts for how to see it again). `control`: a test beside it makes the same, but rightly, and
 * succeeds. `never`: nowhere on the machine this was written on.
 */
export type SeenToFail = "privileged" | "host" | `control: ${string}` | `never: ${string}`;

/** Exit code 0 is an attempt that succeeded, whoever makes it. */
type How =
  /** A shell script, run as root of the sandbox, with what `prelude` defines. */
  | { asRoot: string }
  /** Arguments of the user's docker client. */
  | { docker: string[] }
  | { made: (target: Target) => Promise<Ran> };

export type Attempt = How & {
  /** Goes on after "cannot". */
  name: string;
  /** What is said when it is refused: failing for another reason proves nothing. */
  refused: RegExp;
  seenToFail: SeenToFail;
  /** Where a host cannot hold it, it is no test there. */
  onlyIf?: { holds: () => Promise<boolean>; otherwise: string };
};

/** One test for each attempt, which fails when the attempt succeeds. */
export function attempts(who: string, target: () => Target, list: Attempt[]): void {
  describe(`${who} cannot`, () => {
    const chosen = list.filter(({ seenToFail }) => against === "userns" || seenToFail === against);
    let said: Map<string, Ran>;

    beforeAll(async () => {
      said = await runAsRoot(target(), chosen);
    });

    for (const attempt of list) {
      it.skipIf(!chosen.includes(attempt))(attempt.name, async (test) => {
        const { onlyIf } = attempt;
        if (onlyIf && !(await onlyIf.holds())) test.skip(onlyIf.otherwise);
        const ran = said.get(attempt.name) ?? (await make(attempt, target()));
        const expected = against === "userns" ? "refused" : "succeeded";
        expect(verdict(ran, attempt.refused), described(ran)).toBe(expected);
      });
    }
  });
}

async function make(attempt: Attempt, target: Target): Promise<Ran> {
  if ("docker" in attempt) return target.client.run(attempt.docker);
  if ("made" in attempt) return attempt.made(target);
  throw new Error(`"${attempt.name}" has not been made`);
}

function verdict(ran: Ran, refused: RegExp): string {
  if (ran.code === 0) return "succeeded";
  return refused.test(ran.stdout + ran.stderr) ? "refused" : "failed for another reason";
}

const described = ({ code, stdout, stderr }: Ran) =>
  `exit code ${code}, said: ${(stdout + stderr).trim()}`;

/** All scripts in one container, one after the other. */
async function runAsRoot(target: Target, list: Attempt[]): Promise<Map<string, Ran>> {
  const scripts = list.flatMap((a) => ("asRoot" in a ? [{ name: a.name, script: a.asRoot }] : []));
  if (scripts.length === 0) return new Map();
  const mark = randomUUID();
  const whole = [
    prelude,
    ...scripts.map(({ script }) => `( ${script}\n) </dev/null 2>&1\nprintf '\\n${mark} %s\\n' $?`),
  ].join("\n");
  const ran = await (against === "host" ? asHostRoot(whole) : target.asRoot(whole));
  const parts = ran.stdout.split(new RegExp(`\\n${mark} (\\d+)(?:\\n|$)`));
  return new Map(
    scripts.map(({ name }, index): [string, Ran] => {
      const [stdout, code] = parts.slice(index * 2, index * 2 + 2);
      if (code === undefined) throw new Error(`"${name}" was not run: ${described(ran)}`);
      return [name, { code: Number(code), stdout: stdout ?? "", stderr: "" }];
    }),
  );
}

/** For scripts: they may be run where they succeed, so they write what is there already. */
const prelude = `
m=$(mktemp -d)

# The shell's own echo says "I/O error", whatever the error is.
put() {
  env printf %s "$1" >"$2"
}

# Writes into a file what it holds.
same() {
  value=$(cat "$1") && put "$value" "$1"
}

# A system call by its number; text is passed by reference, "@N" as N zero bytes.
call() {
  perl -e '
    my $n = shift;
    my @a = map { /^-?\\d+$/ ? 0 + $_ : /^@(\\d+)$/ ? "\\0" x $1 : $_ } @ARGV;
    my $r = syscall(0 + $n, @a);
    die "$!\\n" if $r == -1;
    print "$r\\n"' "$@"
}

# Makes a mount writable, past what mount(8) thinks of it: MS_REMOUNT | MS_BIND.
remount() {
  call ${process.arch === "arm64" ? 40 : 165} none "$1" none 4128 0
}

# Whether a new mount of a file system succeeds; not kept.
mountable() {
  mount -t "$1" -o "\${2:-ro}" "\${3:-none}" "$m" && umount "$m"
}
`;
