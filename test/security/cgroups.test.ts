import { afterAll, beforeAll } from "vitest";
import { onHost } from "../e2e/support.js";
import { attempts, type Attempt } from "./attempts.js";
import { Target } from "./target.js";

// The limits of a sandbox lie on cgroups above the ones it may change.

let target: Target;

beforeAll(async () => {
  target = await Target.open("sec-cgroups");
});

afterAll(async () => {
  await target.close();
});

const onV2 = {
  holds: async () => (await onHost("test -e /sys/fs/cgroup/cgroup.controllers")).code === 0,
  otherwise: "cgroup v1 knows no such bound",
};

const denied = /Permission denied|Operation not permitted/;

/** Writes the limit that is there, at its place in cgroup v1 or in v2. */
const sameLimit = (v1: string, v2: string) => `
  cd /sys/fs/cgroup
  if [ -e cgroup.controllers ]; then same ${v2}; else same ${v1}; fi`;

attempts("root of a sandbox", () => target, [
  {
    name: "raise its memory",
    asRoot: sameLimit("memory/memory.limit_in_bytes", "memory.max"),
    refused: denied,
    seenToFail: "privileged",
  },
  {
    name: "raise its swap",
    asRoot: sameLimit("memory/memory.memsw.limit_in_bytes", "memory.swap.max"),
    refused: denied,
    seenToFail: "privileged",
  },
  {
    name: "raise its processor time",
    asRoot: sameLimit("cpu/cpu.cfs_quota_us", "cpu.max"),
    refused: denied,
    seenToFail: "privileged",
  },
  {
    name: "raise its number of processes",
    asRoot: sameLimit("pids/pids.max", "pids.max"),
    refused: denied,
    seenToFail: "privileged",
  },
  {
    name: "raise its memory through a hierarchy mounted anew",
    asRoot: `
      if [ -e /sys/fs/cgroup/cgroup.controllers ]
      then mount -t cgroup2 cgroup2 "$m" && same "$m/memory.max"
      else mount -t cgroup -o memory cgroup "$m" && same "$m/memory.limit_in_bytes"
      fi`,
    refused: denied,
    seenToFail: "privileged",
  },
  {
    name: "raise its memory from a cgroup namespace further in",
    asRoot: `unshare --cgroup --mount sh -c '
      value=$(cat /sys/fs/cgroup/memory*/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null)
      file=/sys/fs/cgroup/memory/memory.limit_in_bytes
      [ -e "$file" ] || file=/sys/fs/cgroup/memory.max
      echo "$value" >"$file"'`,
    refused: denied,
    seenToFail: "privileged",
  },
  {
    name: "freeze or kill the cgroup it lies in (opening cgroup v2's files)",
    asRoot: 'mount -t cgroup2 cgroup2 "$m"; exec 3>"$m/cgroup.freeze" 4>"$m/cgroup.kill"',
    refused: denied,
    seenToFail: "privileged",
  },
  {
    name: "leave its cgroup for one above (hybrid: the unified hierarchy)",
    asRoot: `
      [ ! -e /sys/fs/cgroup/cgroup.controllers ] || { echo "not hybrid: Permission denied"; exit 1; }
      mount -t cgroup2 cgroup2 "$m"; sh -c 'echo $$ >"$1/cgroup.procs"' sh "$m"`,
    refused: denied,
    seenToFail: "privileged",
  },
  {
    name: "use up the machine's 65,535 memory cgroups",
    asRoot: `
      mount -t cgroup2 cgroup2 "$m" && cd "$m" || exit
      mkdir $(seq -f many-%g 1100); status=$?
      rmdir many-*
      exit $status`,
    refused: /Resource temporarily unavailable/,
    seenToFail: "privileged",
    onlyIf: onV2,
  },
  {
    name: "set aside huge pages of the host (raising the bound of 0)",
    asRoot: `
      mount -t cgroup2 cgroup2 "$m" && cd "$m" || exit
      grep -Hvx 0 hugetlb.*.max && exit
      for file in hugetlb.*.max; do echo max >"$file" && exit; done
      exit 1`,
    refused: denied,
    seenToFail: "privileged",
    onlyIf: onV2,
  },
  {
    name: "see a cgroup above its own",
    asRoot: "grep -E '[.]slice|[.]scope|[.][.]' /proc/self/cgroup /proc/1/cgroup",
    refused: /^\s*$/,
    seenToFail: "host",
  },
  {
    name: "have the host run a program when a cgroup empties: release_agent",
    asRoot: `
      mount -t cgroup -o memory cgroup "$m" || exit
      exec 3>"$m/release_agent"`,
    refused: /Permission denied|nonexistent|mount: /,
    seenToFail: "never: the file is at the root of a hierarchy only, which no container sees",
  },
  {
    name: "ask for that notice on its own cgroup",
    asRoot: `
      [ ! -e /sys/fs/cgroup/cgroup.controllers ] || { echo "v2 has none: Permission denied"; exit 1; }
      same /sys/fs/cgroup/memory/notify_on_release`,
    refused: denied,
    seenToFail: "privileged",
  },
  {
    name: "make a hierarchy of its own, with a release_agent",
    asRoot: "mountable cgroup none,name=berth-test",
    refused: /permission denied/,
    seenToFail: "never: only the first cgroup namespace may, and containers have their own",
  },
  {
    name: "allow itself devices (opening cgroup v1's list)",
    asRoot: `
      [ ! -e /sys/fs/cgroup/cgroup.controllers ] || { echo "v2 has none: Permission denied"; exit 1; }
      exec 3>/sys/fs/cgroup/devices/devices.allow`,
    refused: denied,
    seenToFail: "privileged",
  },
]);

const outside = (parent: string): Attempt => ({
  name: `put a container above the sandbox with --cgroup-parent ${parent}`,
  made: async ({ client, sandbox }) => {
    const flags = ["--cgroup-parent", parent, "--cgroupns", "host"];
    const id = await client.docker("run", "-d", ...flags, "box", "sleep", "600");
    const found = await onHost(`
      outer=$(docker ps -q --no-trunc --filter label=berth.sandbox=${sandbox.id})
      all=$(find /sys/fs/cgroup -type d -name '*${id}*')
      [ -n "$outer" ] && [ -n "$all" ] || { echo "no cgroup of it at all"; exit 2; }
      echo "$all" | grep -v "$outer" || { echo "all of it is inside"; exit 1; }`);
    await client.docker("rm", "-f", id);
    return found;
  },
  refused: /all of it is inside/,
  seenToFail: "never: a privileged sandbox has a cgroup namespace as well",
});

attempts(
  "a docker client",
  () => target,
  ["/", "../../../..", "/../../../../escaped", "/system.slice"].map(outside),
);
