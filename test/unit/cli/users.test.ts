import { PassThrough, Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bench } from "./support.js";

let bench: Bench;
beforeEach(async () => {
  bench = await Bench.start();
});
afterEach(() => bench[Symbol.asyncDispose]());

describe("berth user", () => {
  it("add prints the token alone on stdout, so that it can be captured", async () => {
    const { code, stdout, stderr } = await bench.berth(["user", "add", "alice"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "berth_secret\n" });
    expect(stderr).toContain("Added alice (user)");
    expect(stderr).not.toContain("berth_secret");
  });

  it("add --admin makes an admin, and --json carries the token", async () => {
    const { stdout } = await bench.berth(["user", "add", "ops", "--admin", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ name: "ops", role: "admin", token: "berth_secret" });
  });

  it("list and remove", async () => {
    await bench.berth(["user", "add", "alice"]);
    bench.api.add("aaaaaaa1", "alice");
    const { stdout } = await bench.berth(["user", "list"]);
    expect(stdout).toBe(
      "NAME   ROLE  GROUPS  TOKEN  PASSWORD  LAST SEEN  ADDED\n" +
        "alice  user          yes    no        never      2025-06-01T10:00:00.000Z\n",
    );
    const listed: unknown = JSON.parse((await bench.berth(["user", "list", "--json"])).stdout);
    expect(listed).toMatchObject({ users: [{ name: "alice" }] });
    const removal = await bench.berth(["user", "remove", "alice"]);
    expect(removal.stdout).toBe("removed alice and their sandboxes aaaaaaa1\n");
    const again = await bench.berth(["user", "remove", "alice"]);
    expect(again).toEqual({
      code: 1,
      stdout: "",
      stderr: "berth: no user alice (USER_NOT_FOUND)\n",
    });
  });
});

describe("berth user set", () => {
  beforeEach(() => bench.berth(["user", "add", "alice"]));
  const asked = () => bench.api.seen.at(-1);

  it("changes role and groups, and says what they are now", async () => {
    const words = ["user", "set", "alice", "--role", "admin", "--group", "lab", "--group", "staff"];
    const { code, stdout, stderr } = await bench.berth(words);
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: "alice: admin, in lab, staff\n",
      stderr: "",
    });
    expect(asked()).toMatchObject({
      method: "PATCH",
      path: "/users/alice",
      body: { role: "admin", groups: ["lab", "staff"] },
    });
  });

  it("leaves alone what is not given", async () => {
    await bench.berth(["user", "set", "alice", "--role", "admin"]);
    expect(asked()?.body).toEqual({ role: "admin" });
    await bench.berth(["user", "set", "alice", "--no-groups"]);
    expect(asked()?.body).toEqual({ groups: [] });
    const { stdout } = await bench.berth(["user", "set", "alice", "--group", "lab", "--json"]);
    expect(asked()?.body).toEqual({ groups: ["lab"] });
    expect(JSON.parse(stdout)).toMatchObject({ name: "alice", role: "admin", groups: ["lab"] });
  });

  it("says when somebody stays an admin by another's word", async () => {
    const alice = bench.api.users.get("alice");
    if (alice) Object.defineProperty(alice, "role", { get: () => "admin", set: () => undefined });
    const { stdout, stderr } = await bench.berth(["user", "set", "alice", "--role", "user"]);
    expect(stdout).toBe("alice: admin, in no group\n");
    expect(stderr).toContain("is an admin still");
  });

  it("of nobody fails", async () => {
    const { code, stderr } = await bench.berth(["user", "set", "eve", "--role", "admin"]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "berth: no user eve (USER_NOT_FOUND)\n" });
  });
});

describe("a password", () => {
  const typed = (text: string) => ({ stdin: Readable.from([text]) });

  it("is read from stdin, and stands neither in the command line nor in what is printed", async () => {
    const { code, stdout, stderr } = await bench.berth(
      ["user", "add", "alice", "--password"],
      typed("correct horse\n"),
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: "berth_secret\n" });
    expect(stderr).not.toContain("horse");
    expect(bench.api.seen.at(-1)?.body).toMatchObject({ password: "correct horse" });
    const set = await bench.berth(["user", "password", "alice"], typed("battery staple"));
    expect(set).toMatchObject({ code: 0, stdout: "the password of alice is set\n", stderr: "" });
    expect(bench.api.seen.at(-1)).toMatchObject({
      method: "PUT",
      path: "/users/alice/password",
      body: { password: "battery staple" },
    });
  });

  it("that is too short asks nothing of the daemon", async () => {
    const { code, stderr } = await bench.berth(["user", "password", "alice"], typed("short\n"));
    expect({ code, asked: bench.api.seen.length }).toEqual({ code: 2, asked: 0 });
    expect(stderr).toContain("10 characters");
    expect(stderr).not.toContain("short\n");
  });

  it("is asked for twice at a terminal, which does not show it", async () => {
    const stdin = Object.assign(new PassThrough(), { isTTY: true });
    const asked = bench.berth(["user", "password", "alice"], { stdin });
    stdin.write("correct horse\n");
    await new Promise((resolve) => setImmediate(resolve));
    stdin.write("correct horsf\n");
    const { code, stderr } = await asked;
    expect(code).toBe(2);
    expect(stderr).toContain("New password for alice: ");
    expect(stderr).toContain("not the same");
    expect(stderr).not.toMatch(/hors[ef]/);
    expect(bench.api.seen).toEqual([]);
  });
});

describe("berth whoami", () => {
  it("shows the profiles and what may be asked for", async () => {
    const { stdout } = await bench.berth(["whoami"]);
    expect(stdout).toMatchInlineSnapshot(`
      "root, over the socket (admin)
        sandboxes  3 per user at most
        time       1d, 7d at most
        at most    1 GiB memory, 1.5 cpus, 512 pids, 10 GiB disk

      PROFILE    TIME  LIMITS
      default    1d    1 GiB memory, 1.5 cpus, 512 pids, 10 GiB disk  An empty Docker Engine
      databases  4h    1 GiB memory, 1.5 cpus, 512 pids, 10 GiB disk  not ready: its images are not built yet
      "
    `);
  });
});

describe("a token", () => {
  const url = () => `http://127.0.0.1:${bench.api.port}`;
  const connection = (token?: string) => ({
    ...bench.deps().connection,
    url: `${url()}/`,
    ...(token === undefined ? {} : { token }),
  });
  beforeEach(async () => {
    await bench.api.close();
    await bench.api.listen(0);
    bench.api.token = "right";
  });

  it("goes to BERTH_URL as a bearer", async () => {
    const { code } = await bench.berth(["list"], { connection: connection("right") });
    expect(code).toBe(0);
  });

  it("that is missing is asked for by name", async () => {
    const { code, stderr } = await bench.berth(["list"], { connection: connection() });
    expect(code).toBe(1);
    expect(stderr).toContain("BERTH_TOKEN (UNAUTHENTICATED)");
  });

  it("goes to --url in place of BERTH_URL", async () => {
    const elsewhere = { ...connection("right"), url: "http://127.0.0.1:1" };
    expect((await bench.berth(["list"], { connection: elsewhere })).code).toBe(1);
    const { code } = await bench.berth(["list", "--url", url()], { connection: elsewhere });
    expect(code).toBe(0);
  });
});
