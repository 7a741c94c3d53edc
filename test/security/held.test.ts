import { afterAll, beforeAll } from "vitest";
import { uidsPerSandbox } from "../../src/lib/model.js";
import { ok, onHost, type Ran } from "../e2e/support.js";
import { attempts, type Attempt, type SeenToFail } from "./attempts.js";
import { against, Target } from "./target.js";

// What the host's own kernel says of the processes of a sandbox, and of two sandboxes.

let ann: Target;
let bob: Target | undefined;

beforeAll(async () => {
  ann = await Target.open("e2e-sec-held-ann");
  if (against === "userns") bob = await Target.open("e2e-sec-held-bob");
  // Besides the engine: an ordinary container and one that nothing is held back from.
  await ann.client.docker("run", "-d", "box", "sleep", "31337");
  const powerful = ["--privileged", "--pid=host", "--userns=host", "--security-opt"];
  await ann.client.docker("run", "-d", ...powerful, "seccomp=unconfined", "box", "sleep", "31337");
});

afterAll(async () => {
  await Promise.all([ann.close(), bob?.close()]);
});

/** Both containers' and the daemons' processes; the entrypoint's own leaf is real root's. */
const leastProcesses = 2;

/** Runs shell lines on the host for each process ($p) in the sandbox's cgroups; they print what is wrong. */
async function eachProcess(target: Target, look: string): Promise<Ran> {
  return onHost(`
    outer=$(docker ps -q --no-trunc --filter label=berth.sandbox=${target.sandbox.id})
    base=$(docker inspect -f '{{index .Config.Labels "berth.uids"}}' $outer)
    scope=$(find /sys/fs/cgroup -type d -name "*$outer*" -path '*/berth.slice/*' -not -path '*/unified/*' | head -n 1)
    cd "$scope"
    pids=$(find . -mindepth 2 -name cgroup.procs -not -path './init/*' -exec cat {} + | sort -u)
    [ $(echo "$pids" | wc -w) -ge ${leastProcesses} ] || { echo "too few processes: $pids"; exit 2; }
    for p in $pids; do
      [ ! -e /proc/$p/status ] || { ${look}
      }
    done | grep . || { echo "all of them are held"; exit 1; }`);
}

const ofProcesses = (
  name: string,
  look: string,
  seenToFail: SeenToFail = "privileged",
): Attempt => ({
  name,
  made: (target) => eachProcess(target, look),
  refused: /all of them are held/,
  seenToFail,
});

attempts("a process of a sandbox", () => ann, [
  ofProcesses(
    "have a uid that is not the sandbox's",
    `for id in $(sed -n 's/^Uid://p' /proc/$p/status); do
       [ "$id" -ge "\${base:-0}" ] && [ "$id" -lt $((\${base:-0} + ${uidsPerSandbox})) ] && [ "$id" != 0 ] || echo $p $id
     done`,
  ),
  ofProcesses(
    "have a group that is not the sandbox's",
    `for id in $(sed -n 's/^G\\(id\\|roups\\)://p' /proc/$p/status); do
       [ "$id" -ge "\${base:-0}" ] && [ "$id" -lt $((\${base:-0} + ${uidsPerSandbox})) ] && [ "$id" != 0 ] || echo $p $id
     done`,
  ),
  ofProcesses(
    "be in the host's user namespace",
    "[ $(readlink /proc/$p/ns/user) != $(readlink /proc/1/ns/user) ] || echo $p",
  ),
  ofProcesses(
    "run without the filter of system calls, seccomp=unconfined or not",
    "grep -q '^Seccomp:\\s*2$' /proc/$p/status || echo $p",
  ),
  ofProcesses(
    "have the container's own root, which real root works in",
    "! [ -e /proc/$p/root/usr/local/sbin/berth-entrypoint -a -e /proc/$p/root/home ] || echo $p",
    "never: a privileged sandbox's daemons are in the entrypoint's own cgroup (but see files.test.ts)",
  ),
  {
    name: "be in a namespace of the host's or of the entrypoint's, but for time",
    made: (target) =>
      eachProcess(
        target,
        // `unshare --fork`, which waits for the sandbox's first process, is in the pid namespace above.
        `init=$(docker inspect -f '{{.State.Pid}}' $outer)
         for kind in user mnt net pid_for_children ipc uts cgroup; do
           for whose in 1 $init; do
             [ $(readlink /proc/$p/ns/$kind) != $(readlink /proc/$whose/ns/$kind) ] || echo $p $kind
           done
         done`,
      ),
    refused: /all of them are held/,
    seenToFail: "privileged",
  },
]);

const uidsOf = async ({ sandbox }: Target) =>
  Number(
    ok(
      await onHost(`docker inspect -f '{{index .Config.Labels "berth.uids"}}' berth-${sandbox.id}`),
    ),
  );

const other = (): Target => {
  if (!bob) throw new Error("there is one sandbox only");
  return bob;
};

attempts("one of two sandboxes", () => ann, [
  {
    name: "have a uid of the other's",
    made: async () => {
      const [anns, bobs] = [await uidsOf(ann), await uidsOf(other())];
      const map = async (t: Target) => ok(await t.asRoot("cat /proc/self/uid_map")).trim();
      const maps = `${await map(ann)}, ${await map(other())}`;
      const told = new RegExp(`^0 +${anns} +${uidsPerSandbox}, 0 +${bobs} +${uidsPerSandbox}$`);
      const apart = Math.abs(anns - bobs) >= uidsPerSandbox && told.test(maps);
      return { code: apart ? 1 : 0, stdout: `${apart ? "apart: " : ""}${maps}`, stderr: "" };
    },
    refused: /^apart/,
    seenToFail: "never: privileged sandboxes have no uids of their own",
  },
  {
    name: "see a process of the other",
    made: async () => {
      const look = "grep -la '[3]1337' /proc/[0-9]*/cmdline";
      ok(await ann.asRoot(look));
      return other().asRoot(look);
    },
    refused: /^\s*$/,
    seenToFail: "control: the one whose process it is sees it",
  },
  {
    name: "see or reach the other's disk",
    made: async () => {
      ok(await ann.asRoot("touch /data/ann-was-here && ls /data/ann-was-here"));
      return other().asRoot("ls /data/ann-was-here || grep ann-was-here /proc/*/mountinfo");
    },
    refused: /No such file or directory/,
    seenToFail: "control: the one whose disk it is sees it",
  },
]);
