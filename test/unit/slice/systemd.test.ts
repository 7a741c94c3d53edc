import { Variant } from "dbus-next";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { DbusSystemd } from "../../../src/slice/systemd.js";
import { jobRemoved, refusal, reply, startFakeBus, type Outgoing } from "./fake-bus.js";

const ann = "berth-ann.slice";
const job = "/org/freedesktop/systemd1/job/7";
const greeting: Record<string, Outgoing[]> = {
  Hello: [reply("s", [":1.2"])],
  AddMatch: [reply()],
};

// dbus-next can throw where nobody can catch it; that would end the daemon.
const uncaught: unknown[] = [];
process.on("unhandledRejection", (error) => uncaught.push(error));
afterEach(async () => {
  await new Promise(setImmediate);
  expect(uncaught.splice(0)).toEqual([]);
});

async function connect(
  answers: Record<string, Outgoing[] | "hang up">,
  options: { isMute?: boolean } = {},
) {
  const bus = await startFakeBus((member) => ({ ...greeting, ...answers })[member] ?? [], options);
  const systemd = new DbusSystemd({
    address: bus.address,
    callTimeoutMs: 100,
    jobTimeoutMs: 100,
  });
  onTestFinished(async () => {
    systemd.close();
    await bus.stop();
  });
  return { bus, systemd };
}

describe("a job", () => {
  it("is awaited when its end comes after the reply", async () => {
    const { systemd } = await connect({ StopUnit: [reply("o", [job]), jobRemoved(job, "done")] });
    await expect(systemd.stop(ann)).resolves.toBeUndefined();
  });

  it("is awaited when its end comes before the reply", async () => {
    const { systemd } = await connect({ StopUnit: [jobRemoved(job, "done"), reply("o", [job])] });
    await expect(systemd.stop(ann)).resolves.toBeUndefined();
  });

  it("that fails says with which result", async () => {
    const { systemd } = await connect({
      StartUnit: [reply("o", [job]), jobRemoved(job, "dependency")],
    });
    await expect(systemd.start(ann)).rejects.toMatchObject({
      code: "SLICE_FAILED",
      message: expect.stringContaining(`StartUnit of ${ann} ended with "dependency"`) as string,
    });
  });

  it.each([
    ["of another job", jobRemoved("/org/freedesktop/systemd1/job/8", "done")],
    ["sent by another than systemd", jobRemoved(job, "done", ":1.66")],
  ])("does not end by a signal %s", async (_, signal) => {
    const { systemd } = await connect({ StopUnit: [reply("o", [job]), signal] });
    await expect(systemd.stop(ann)).rejects.toMatchObject({
      code: "SYSTEMD_UNREACHABLE",
      message: expect.stringContaining(`no answer to the end of StopUnit ${ann}`) as string,
    });
  });
});

describe("systemd's refusals", () => {
  const prefix = "org.freedesktop.systemd1";

  it("are answers where they say that a unit exists, or does not", async () => {
    const { systemd } = await connect({
      StartTransientUnit: [refusal(`${prefix}.UnitExists`)],
      SetUnitProperties: [refusal(`${prefix}.NoSuchUnit`)],
      StopUnit: [refusal(`${prefix}.NoSuchUnit`)],
      GetUnit: [refusal(`${prefix}.NoSuchUnit`)],
    });
    expect(await systemd.startTransient(ann, [])).toBe("exists");
    expect(await systemd.setProperties(ann, [])).toBe("gone");
    expect(await systemd.isLoaded(ann)).toBe(false);
    await expect(systemd.stop(ann)).resolves.toBeUndefined();
  });

  it("are SLICE_FAILED otherwise, with systemd's own words", async () => {
    const { systemd } = await connect({
      StartTransientUnit: [refusal("org.freedesktop.DBus.Error.AccessDenied", "go away")],
    });
    await expect(systemd.startTransient(ann, [])).rejects.toMatchObject({
      code: "SLICE_FAILED",
      message: expect.stringMatching(/StartTransientUnit for berth-ann.slice: go away/) as string,
    });
  });
});

describe("a slice", () => {
  const variant = (type: string, value: unknown) => reply("v", [new Variant(type, value)]);
  it.each([
    ["with a bound", 1_073_741_824n, 1_073_741_824],
    ["without one", 2n ** 64n - 1n, undefined],
  ])("%s is told as systemd has it", async (_which, told, memoryMaxBytes) => {
    const values = [
      variant("s", "loaded"),
      variant("s", "/etc/systemd/system/berth.slice"),
      variant("b", true),
      variant("t", told),
    ];
    const bus = await startFakeBus((member) =>
      member === "Get" ? values.splice(0, 1) : (greeting[member] ?? []),
    );
    const systemd = new DbusSystemd({ address: bus.address, callTimeoutMs: 1000 });
    onTestFinished(async () => {
      systemd.close();
      await bus.stop();
    });
    expect(await systemd.sliceFacts("berth.slice")).toEqual({
      loadState: "loaded",
      file: "/etc/systemd/system/berth.slice",
      isStale: true,
      memoryMaxBytes,
    });
  });
});

describe("SYSTEMD_UNREACHABLE names the address and comes", () => {
  const fails = (address: string, why: string | RegExp) => ({
    code: "SYSTEMD_UNREACHABLE",
    message: expect.stringMatching(
      new RegExp(`at ${address}: .*${why instanceof RegExp ? why.source : why}.*; Berth needs`),
    ) as string,
  });

  it.each([
    ["unix:path=/nowhere/bus", "ENOENT"],
    ["tcp:host=127.0.0.1,port=1", "ECONNREFUSED"],
    ["rubbish", "not an address"],
    ["", "not an address"],
  ])("when there is no bus at %j", async (address, why) => {
    const systemd = new DbusSystemd({ address });
    await expect(systemd.listActive("*")).rejects.toMatchObject(fails(address, why));
  });

  it("when no systemd is on the bus", async () => {
    const { systemd, bus } = await connect({
      GetUnit: [refusal("org.freedesktop.DBus.Error.ServiceUnknown", "not provided")],
    });
    await expect(systemd.isLoaded(ann)).rejects.toMatchObject(fails(bus.address, "not provided"));
  });

  it("when the bus refuses the greeting", async () => {
    const { systemd, bus } = await connect({
      Hello: [refusal("org.freedesktop.DBus.Error.LimitsExceeded")],
    });
    await expect(systemd.isLoaded(ann)).rejects.toMatchObject(fails(bus.address, "LimitsExceeded"));
  });

  it("when the bus says nothing at all", async () => {
    const { systemd, bus } = await connect({}, { isMute: true });
    await expect(systemd.isLoaded(ann)).rejects.toMatchObject(fails(bus.address, "within 100 ms"));
  });

  it("when systemd does not answer in time, and the connection stays for the next call", async () => {
    const { systemd, bus } = await connect({
      StopUnit: [reply("o", [job]), jobRemoved(job, "done")],
    });
    await expect(systemd.isLoaded(ann)).rejects.toMatchObject(fails(bus.address, "within 100 ms"));
    await systemd.stop(ann);
    expect(bus.connections()).toBe(1);
  });

  it("when the bus goes in the middle of a call, and of a job", async () => {
    const { systemd, bus } = await connect({ GetUnit: "hang up" });
    await expect(
      Promise.allSettled([systemd.isLoaded(ann), systemd.stop(ann)]),
    ).resolves.toMatchObject([
      { reason: fails(bus.address, /closed|EPIPE|ECONNRESET/) },
      { reason: fails(bus.address, /closed|EPIPE|ECONNRESET/) },
    ]);
  });
});

describe("the connection", () => {
  it("is made at first use, shared by all calls, and made anew after the bus went away", async () => {
    const { systemd, bus } = await connect({ GetUnit: [reply("o", ["/unit"])] });
    expect(bus.connections()).toBe(0);
    await Promise.all([systemd.isLoaded(ann), systemd.isLoaded(ann)]);
    await systemd.isLoaded(ann);
    expect(bus.connections()).toBe(1);
    bus.hangUp();
    await expect.poll(() => systemd.isLoaded(ann).catch(() => "not yet")).toBe(true);
    expect(bus.connections()).toBe(2);
  });

  it("is not made anew after close, which would keep an ending daemon alive", async () => {
    const { systemd, bus } = await connect({ GetUnit: [reply("o", ["/unit"])] });
    await systemd.isLoaded(ann);
    systemd.close();
    await expect(systemd.isLoaded(ann)).rejects.toMatchObject({ code: "SYSTEMD_UNREACHABLE" });
    expect(bus.connections()).toBe(1);
  });
});
