import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** /proc/self/mountinfo of real machines, shortened to what matters. */
export const mountTables = {
  // Debian 12 and 13, as installed
  v2: `22 28 0:21 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
26 22 0:25 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
28 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
`,
  // systemd.unified_cgroup_hierarchy=0 of older distributions: co-mounted, and v2 without controllers
  hybrid: `31 22 0:26 / /sys/fs/cgroup ro,nosuid,nodev,noexec shared:9 - tmpfs tmpfs ro,mode=755
32 31 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw,nsdelegate
33 31 0:28 / /sys/fs/cgroup/systemd rw,nosuid shared:11 - cgroup cgroup rw,xattr,name=systemd
36 31 0:31 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:15 - cgroup cgroup rw,cpu,cpuacct
37 31 0:32 / /sys/fs/cgroup/memory rw,nosuid shared:16 - cgroup cgroup rw,memory
38 31 0:33 / /sys/fs/cgroup/pids rw,nosuid shared:17 - cgroup cgroup rw,pids
`,
} as const;

const readBack = {
  v2: (p: Record<string, unknown>) => ({
    "sys/fs/cgroup:memory.max": bytes(p["MemoryMax"], "max"),
    "sys/fs/cgroup:memory.high": bytes(p["MemoryHigh"], "max"),
    "sys/fs/cgroup:memory.swap.max": bytes(p["MemorySwapMax"], "max"),
    "sys/fs/cgroup:cpu.max": `${quota(p["CPUQuotaPerSecUSec"], "max")} 100000`,
    "sys/fs/cgroup:pids.max": count(p["TasksMax"]),
  }),
  hybrid: (p: Record<string, unknown>) => ({
    "sys/fs/cgroup/memory:memory.limit_in_bytes": bytes(p["MemoryMax"], "9223372036854771712"),
    "sys/fs/cgroup/cpu,cpuacct:cpu.cfs_quota_us": quota(p["CPUQuotaPerSecUSec"], "-1"),
    "sys/fs/cgroup/cpu,cpuacct:cpu.cfs_period_us": "100000",
    "sys/fs/cgroup/pids:pids.max": count(p["TasksMax"]),
  }),
};

/** A root directory with a mount table, in which cgroups come and go as a kernel would make them. */
export function makeCgroupTree(
  kind: keyof typeof mountTables,
  mountTable: string = mountTables[kind],
) {
  const root = mkdtempSync(join(tmpdir(), "berth-cgroup-"));
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  write("proc/self/mountinfo", mountTable);
  return {
    root,
    write,
    realise: (cgroup: string, properties: Record<string, unknown> | undefined) => {
      for (const [place, text] of Object.entries(readBack[kind](properties ?? {}))) {
        const [mountPoint = "", file = ""] = place.split(":");
        if (properties) write(join(mountPoint, cgroup, file), `${text}\n`);
        else rmSync(join(root, mountPoint, cgroup), { recursive: true, force: true });
      }
    },
    [Symbol.dispose]() {
      rmSync(root, { recursive: true });
    },
  };
}

/** Whole pages, as the kernel counts. */
function bytes(value: unknown, unlimited: string): string {
  return typeof value === "bigint" ? String((value / 4096n) * 4096n) : unlimited;
}

function quota(perSecond: unknown, unlimited: string): string {
  return typeof perSecond === "bigint" ? String(perSecond / 10n) : unlimited;
}

function count(value: unknown): string {
  return typeof value === "bigint" ? String(value) : "max";
}
