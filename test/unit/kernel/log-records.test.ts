import { describe, expect, it } from "vitest";
import { messageIn, parseRecord } from "../../../src/kernel/log-records.js";

const mine = "3f".repeat(32);
const other = "0b".repeat(32);
const slice = "/berth.slice/berth-ann.slice";
const scope = `${slice}/docker-${mine}.scope`;

/** The line as Linux 6.18 writes it (seen), with what varies. */
const kill = (memcg: string, taskMemcg: string, task = "tail", cpuset = "/") =>
  `oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=${cpuset},mems_allowed=0,` +
  `${memcg === "" ? "global_oom" : `oom_memcg=${memcg}`},task_memcg=${taskMemcg},task=${task},pid=29136,uid=0`;

const messageOf = (text: string, prefix = "6,539,1101093880,-") => {
  const record = parseRecord(`${prefix};${text}`);
  return record && messageIn(record);
};

describe("parseRecord", () => {
  it.each([
    ["6,539,1101093880,-;hello", { sequence: 539, isKernels: true, text: "hello" }],
    ["4,7,1,c,caller=T12;a;b", { sequence: 7, isKernels: true, text: "a;b" }],
    ["14,8,2,-;from a process", { sequence: 8, isKernels: false, text: "from a process" }],
    [" SUBSYSTEM=block", undefined],
    ["", undefined],
    ["6,x,1,-;hello", undefined],
  ])("reads %j", (line, record) => {
    expect(parseRecord(line)).toEqual(record);
  });
});

describe("an OOM kill", () => {
  const inner = `${scope}/docker/${other}`;
  it.each([
    ["the sandbox's own limit", kill(scope, inner), "sandbox"],
    ["its own limit, of a process in its own cgroup", kill(scope, scope), "sandbox"],
    ["a container inside (docker run -m)", kill(inner, inner), "inner"],
    ["the user's slice", kill(slice, inner), "slice"],
    ["the slice over all", kill("/berth.slice", inner), "host"],
    ["the machine", kill("", inner).replace("CONSTRAINT_MEMCG", "CONSTRAINT_NONE"), "host"],
    ["the embedded host's own tree", kill(`/host-1${scope}`, `/host-1${inner}`), "sandbox"],
    [
      "a host that is a container itself",
      kill(`/docker/${other}${scope}`, `/docker/${other}${scope}`),
      "sandbox",
    ],
    [
      "an engine with the cgroupfs driver",
      kill(`${slice}/${mine}`, `${slice}/${mine}/docker/${other}`),
      "sandbox",
    ],
    [
      "a slice with an escaped name",
      kill("/berth.slice/berth-a\\x5cx2db.slice", `/berth.slice/berth-a\\x5cx2db.slice/${mine}`),
      "slice",
    ],
  ])("by %s is told apart", (_, text, limit) => {
    expect(messageOf(text)).toEqual({ kind: "oom-kill", containerId: mine, limit, task: "tail" });
  });

  it.each([
    ["postgres: ckpt", "postgres: ckpt"],
    ["a,task=b", "b"],
    ["\\x1b[31mred", "?[31mred"],
    ["\\xe2\\x80\\xaeevil", "?evil"],
    ["Gr\\xc3\\xb6\\xc3\\x9fe", "Größe"],
    ["\\xff\\xfe", "\ufffd\ufffd"],
    ["<b>", "<b>"],
    ["x".repeat(40), "x".repeat(15)],
    ["  ", undefined],
  ])("names the process, printable: %j", (name, task) => {
    expect(messageOf(kill(scope, scope, name))).toMatchObject({ task });
  });

  it("still counts for its sandbox when the kernel broke the line off", () => {
    const text = kill(scope, scope).replace(/,task=.*/, "");
    expect(messageOf(text)).toMatchObject({ containerId: mine, task: undefined });
  });

  it.each([
    ["a cgroup", `${scope}/x,task_memcg=${slice}/docker-${other}.scope`],
    ["a cgroup", `${scope}/x${slice}/docker-${other}.scope`],
  ])("is not put on another sandbox by the name of %s", (_, path) => {
    expect(messageOf(kill(path, path))).toMatchObject({ containerId: mine, limit: "inner" });
  });

  it("is not put on another sandbox by the name of a cpuset", () => {
    const text = kill(scope, scope, "tail", `a,oom_memcg=docker-${other}.scope`);
    expect(messageOf(text)).toMatchObject({ containerId: mine, limit: "sandbox" });
  });

  it.each([
    ["is not of a sandbox", kill("/system.slice/x.service", "/system.slice/x.service")],
    ["is of a container elsewhere", kill(`/docker/${other}`, `/docker/${other}`)],
    ["only looks like one", `usb 1-1: Product: ${kill(scope, scope)}`],
  ])("that %s is passed over", (_, text) => {
    expect(messageOf(text)).toBeUndefined();
  });

  it("that a process wrote to the log is not believed", () => {
    expect(messageOf(kill(scope, scope), "14,540,1101093881,-")).toBeUndefined();
  });
});

describe("a refused fork", () => {
  const text = (path: string) => `cgroup: fork rejected by pids controller in ${path}`;
  it.each([
    [scope, { kind: "fork-rejected", containerId: mine, inner: false }],
    [`${scope}/docker/${other}`, { kind: "fork-rejected", containerId: mine, inner: true }],
    [`/host${slice}/${mine}`, { kind: "fork-rejected", containerId: mine, inner: false }],
    ["/user.slice", undefined],
  ])("in %s is attributed", (path, message) => {
    expect(messageOf(text(path))).toEqual(message);
  });
});
