import { describe, expect, it } from "vitest";
import { sliceProperties, startProperties } from "../../../src/slice/properties.js";

const GiB = 2 ** 30;
const noCeilings = {
  IOReadBandwidthMax: [],
  IOWriteBandwidthMax: [],
  IOReadIOPSMax: [],
  IOWriteIOPSMax: [],
};

describe("sliceProperties", () => {
  it.each([
    {
      limits: { memoryBytes: GiB, cpus: 1.5, pids: 512 },
      MemoryMax: 1_073_741_824n,
      MemoryHigh: 1_040_187_392n,
      CPUQuotaPerSecUSec: 1_500_000n,
      TasksMax: 512n,
    },
    {
      limits: { memoryBytes: 3 * 1024 * GiB, cpus: 64, pids: 100_000 },
      MemoryMax: 3_298_534_883_328n,
      MemoryHigh: 3_195_455_668_224n,
      CPUQuotaPerSecUSec: 64_000_000n,
      TasksMax: 100_000n,
    },
    {
      limits: { memoryBytes: 64 * 2 ** 20, cpus: 1 / 3, pids: 16 },
      MemoryMax: 67_108_864n,
      MemoryHigh: 65_011_712n,
      CPUQuotaPerSecUSec: 333_333n,
      TasksMax: 16n,
    },
    {
      // 0.1 + 0.2 is a little more than 0.3
      limits: { memoryBytes: 1, cpus: 0.1 + 0.2, pids: 1 },
      MemoryMax: 1n,
      MemoryHigh: 1n,
      CPUQuotaPerSecUSec: 300_000n,
      TasksMax: 1n,
    },
  ])("holds a slice to $limits", ({ limits, ...quotas }) => {
    const properties = sliceProperties(limits);
    const as = (signature: string) =>
      Object.fromEntries(
        properties.flatMap(([name, variant]) =>
          variant.signature === signature ? [[name, variant.value as unknown]] : [],
        ),
      );
    expect(as("t")).toEqual({ ...quotas, MemorySwapMax: 0n, CPUWeight: 100n, IOWeight: 100n });
    expect(as("b")).toEqual({
      MemoryAccounting: true,
      CPUAccounting: true,
      TasksAccounting: true,
      IOAccounting: true,
    });
    expect(as("a(st)")).toEqual(noCeilings);
    expect(properties).toHaveLength(15);
  });

  it("bounds what is read and written where the operator says so, and forgets other disks", () => {
    const io = { path: "/data", readBytes: 2 ** 20, writeIops: 100 };
    const properties = sliceProperties({ memoryBytes: GiB, cpus: 1, pids: 16, io })
      .filter(([, { signature }]) => signature === "a(st)")
      .map(([name, { value }]) => [name, value as unknown]);
    expect(properties).toEqual([
      ["IOReadBandwidthMax", []],
      ["IOReadBandwidthMax", [["/data", 1_048_576n]]],
      ["IOWriteBandwidthMax", []],
      ["IOReadIOPSMax", []],
      ["IOWriteIOPSMax", []],
      ["IOWriteIOPSMax", [["/data", 100n]]],
    ]);
  });
});

describe("startProperties", () => {
  it("names the user and lets systemd forget the slice however it ends", () => {
    expect(startProperties("ann", "0123abcd")).toMatchObject([
      ["Description", { signature: "s", value: "Docker Engines of ann (Berth 0123abcd)" }],
      ["CollectMode", { signature: "s", value: "inactive-or-failed" }],
    ]);
  });
});
