import { describe, expect, it } from "vitest";
import { builderOptions } from "../../../../src/image/preload/builder.js";

const optionsOf = (isOnline: boolean) =>
  builderOptions({
    docker: {} as never,
    name: "berth-0123abcd-build",
    image: "berth/dind:1",
    socketDir: "/run/berth/build",
    outDir: "/var/lib/berth/preloads/building",
    isOnline,
    signal: new AbortController().signal,
  });

describe("the engine of a build", () => {
  it("has a network only when it must pull", () => {
    expect(optionsOf(false).HostConfig?.NetworkMode).toBe("none");
    expect(optionsOf(true).HostConfig?.NetworkMode).toBe("bridge");
  });

  it("has no device of the host, and no more of its root than unpacking takes", () => {
    const { HostConfig: host = {} } = optionsOf(false);
    expect(host.Privileged).toBeUndefined();
    expect(host.Devices).toBeUndefined();
    expect(host.CapDrop).toEqual(["ALL"]);
    for (const capability of ["NET_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO"])
      expect(host.CapAdd).not.toContain(capability);
    expect(host.Binds).toEqual([
      "/run/berth/build:/berth/build",
      "/var/lib/berth/preloads/building:/berth/out",
    ]);
  });
});
