import { BerthError } from "../../src/lib/errors.js";
import type { Parts } from "../../src/provisioner/parts.js";
import type { FakeHost } from "./host.js";

const MiB = 1024 ** 2;

/** Disks as the fake host has them. */
export function fakeDisks(host: FakeHost): Parts["disks"] {
  return {
    create: (id, sizeBytes) =>
      host.call("disks.create", () => {
        if (host.disks.has(id)) return;
        host.disks.set(id, { mounted: false, sizeBytes, fileSystemBytes: sizeBytes });
      }),
    checkGrowth: () =>
      host.call("disks.checkGrowth", () => {
        if (!host.mayGrow) throw new BerthError("DISK_FAILED", "cannot enlarge a disk here");
      }),
    grow: (id, sizeBytes) =>
      host.call("disks.grow", () => {
        const disk = host.diskOf(id);
        disk.sizeBytes = Math.max(disk.sizeBytes, sizeBytes);
        if (disk.mounted) disk.fileSystemBytes = Math.max(disk.fileSystemBytes, sizeBytes);
      }),
    mount: (id) =>
      host.call("disks.mount", () => {
        host.diskOf(id).mounted = true;
        return `/run/berth/disks/${id}`;
      }),
    remove: (id) =>
      host.call("disks.remove", () => {
        if (host.containers.get(id)?.running) throw new BerthError("DISK_FAILED", "busy");
        host.disks.delete(id);
      }),
    withdraw: () =>
      host.call("disks.withdraw", () => {
        if (host.disks.size > 0) throw new BerthError("DISK_FAILED", "a disk is mounted");
      }),
    space: (id) =>
      host.call("disks.space", () => {
        if (!host.disks.get(id)?.mounted) throw new BerthError("DISK_FAILED", "not mounted");
        const empty = { usedBytes: MiB, freeBytes: 1024 * MiB, freeInodes: 100_000 };
        return host.spaces.get(id) ?? empty;
      }),
    attached: () =>
      host.call("disks.attached", () =>
        [...host.disks].filter(([, { mounted }]) => mounted).map(([id]) => id),
      ),
  };
}
