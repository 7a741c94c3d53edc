import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sandboxList, type Sandbox } from "../../src/lib/contract/sandbox.js";
import { addedUser, removedUser, userList } from "../../src/lib/contract/user.js";
import {
  addUser,
  ApiClient,
  berth,
  berthJson,
  create,
  ok,
  onHost,
  problemOf,
  traces,
} from "./support.js";

let before: string[];
let since: string;
let eve: ApiClient;
let mallory: ApiClient;
let root: ApiClient;
let nobody: ApiClient;
let eves: Sandbox;

beforeAll(async () => {
  before = await traces();
  since = ok(await onHost("date +%s"));
  eve = await addUser("e2e-eve");
  mallory = await addUser("e2e-mallory");
  root = await addUser("e2e-boss", "--admin");
  nobody = new ApiClient(eve.url);
  eves = await eve.create({ memory: "512M" });
});

afterAll(async () => {
  for (const name of ["e2e-eve", "e2e-mallory", "e2e-boss", "e2e-zoe"])
    await berth("user", "remove", name);
  expect(await traces()).toEqual(before);
});

const idsSeenBy = async (client: ApiClient, query = ""): Promise<string[]> => {
  const answer = await client.fetch(`/v1/sandboxes${query}`);
  return sandboxList.parse(await answer.json()).sandboxes.map(({ id }) => id);
};

/** What can be asked about one sandbox. */
const questions: [what: string, method: string, path: string, body?: string][] = [
  ["show", "GET", ""],
  ["remove", "DELETE", ""],
  ["extend", "POST", "/extend", '{"ttl":"1h"}'],
  ["resize", "POST", "/resize", '{"pids":600}'],
  ["usage", "GET", "/usage"],
  ["its history", "GET", "/usage/history"],
  ["containers", "GET", "/containers"],
  ["certificates", "GET", "/certificates"],
  ["bundle", "GET", "/bundle"],
  ["events", "GET", "/events"],
];

describe("a token", () => {
  it("is printed once, when the user is added, and works", async () => {
    const added = await berth("user", "add", "e2e-zoe");
    const token = ok(added);
    expect(token).toMatch(/^berth_[0-9a-f]{12}_[\w-]{43}$/);
    expect(added.stderr).not.toContain(token);
    const said = await new ApiClient(eve.url, token).fetch("/v1/me");
    expect(await said.json()).toMatchObject({ user: "e2e-zoe", role: "user" });

    const again = await berth("user", "add", "e2e-zoe", "--json");
    expect(again.code).toBe(1);
    expect(JSON.parse(again.stdout)).toMatchObject({ error: { code: "USER_EXISTS" } });
    expect(again.stdout).not.toContain("berth_");
    ok(await berth("user", "remove", "e2e-zoe"));
  });

  it("is that of an admin once root says so, and of a user again when root takes it back", async () => {
    const token = ok(await berth("user", "add", "e2e-zoe"));
    const zoe = new ApiClient(eve.url, token);
    expect((await zoe.fetch("/v1/users")).status).toBe(403);
    expect(ok(await berth("user", "set", "e2e-zoe", "--role", "admin"))).toContain("admin");
    expect((await zoe.fetch("/v1/users")).status).toBe(200);
    ok(await berth("user", "set", "e2e-zoe", "--role", "user"));
    expect((await zoe.fetch("/v1/users")).status).toBe(403);
    ok(await berth("user", "remove", "e2e-zoe"));
  });

  it("is asked for: none, a wrong one and a malformed one get 401, and learn nothing", async () => {
    const good = eve.token ?? "";
    const flipped = good.slice(0, -2) + (good.at(-2) === "A" ? "B" : "A") + good.slice(-1);
    const others = mallory.token?.split("_") ?? [];
    const crossed = [...good.split("_").slice(0, 2), ...others.slice(2)].join("_");
    const wrong: [string, string | undefined][] = [
      ["none", undefined],
      ["one letter wrong", `Bearer ${flipped}`],
      ["another user's secret", `Bearer ${crossed}`],
      ["no token at all", "Bearer hello"],
      ["empty", "Bearer "],
      ["another scheme", `Basic ${Buffer.from(`e2e-eve:${good}`).toString("base64")}`],
      ["its bare self", good],
    ];
    for (const [what, authorization] of wrong) {
      const headers = authorization === undefined ? {} : { authorization };
      const answer = await nobody.fetch(`/v1/sandboxes/${eves.id}`, { headers });
      expect(answer.headers.get("www-authenticate"), what).toBe('Bearer realm="berth"');
      const problem = await problemOf(answer);
      expect(problem, what).toMatchObject({ status: 401, code: "UNAUTHENTICATED" });
      expect(problem.detail, what).not.toContain(eves.id);
    }
    const made = await nobody.fetch("/v1/sandboxes", { json: { user: "e2e-eve" } });
    expect((await problemOf(made)).code).toBe("UNAUTHENTICATED");
    const inQuery = await nobody.fetch(`/v1/sandboxes?token=${good}`);
    expect(inQuery.status).toBe(401);
  });

  it("is known to the host as a hash only, in a file that root alone reads", async () => {
    const path = "/var/lib/berth/users/e2e-eve.json";
    expect(ok(await onHost(`stat -c '%a %U' ${path} /var/lib/berth/users`))).toBe(
      "600 root\n700 root",
    );
    const [, id, ...rest] = (eve.token ?? "").split("_");
    const secret = rest.join("_");
    const file = ok(await onHost(`cat ${path}`));
    expect(JSON.parse(file)).toMatchObject({
      name: "e2e-eve",
      token: { id, hash: expect.stringMatching(/^[\w+/]{43}=$/) as string },
    });
    expect(file).not.toContain(secret);
    expect(file).not.toContain(Buffer.from(secret, "base64url").toString("base64"));
  });
});

describe("a user", () => {
  it("sees their own sandboxes only, whatever they ask", async () => {
    const [theirs] = [await mallory.create({ memory: "512M" })];
    expect(await idsSeenBy(mallory)).toEqual([theirs.id]);
    expect(await idsSeenBy(eve)).toEqual([eves.id]);
    expect(await idsSeenBy(mallory, "?user=e2e-eve")).toEqual([]);
    const seenByRoot = await idsSeenBy(root);
    expect(seenByRoot).toEqual(expect.arrayContaining([theirs.id, eves.id]));
    expect(await idsSeenBy(root, "?user=e2e-eve")).toEqual([eves.id]);
    await mallory.fetch(`/v1/sandboxes/${theirs.id}`, { method: "DELETE" });
  });

  it.each(questions)(
    "gets the very same 404 for another's sandbox as for none (%s)",
    async (_what, method, path, body) => {
      const ask = (id: string) =>
        mallory.fetch(`/v1/sandboxes/${id}${path}`, { method, ...(body ? { body } : {}) });
      const anothers = await ask(eves.id);
      const nobodys = await ask("zzzzzzzz");
      expect([...anothers.headers.keys()]).toEqual([...nobodys.headers.keys()]);
      const [problem, none] = [await problemOf(anothers), await problemOf(nobodys)];
      expect(problem).toMatchObject({ status: 404, code: "SANDBOX_NOT_FOUND" });
      expect(JSON.stringify(problem)).toBe(JSON.stringify(none).replaceAll("zzzzzzzz", eves.id));
      const still = await eve.fetch(`/v1/sandboxes/${eves.id}`);
      expect(await still.json()).toEqual(eves);
    },
  );

  it("cannot make sandboxes for others, nor for users there are none of", async () => {
    for (const user of ["e2e-eve", "e2e-ghost"]) {
      const problem = await problemOf(await mallory.fetch("/v1/sandboxes", { json: { user } }));
      expect(problem).toMatchObject({ status: 403, code: "FORBIDDEN" });
    }
    expect(await idsSeenBy(eve)).toEqual([eves.id]);
  });

  it("cannot list, add or remove users, nor reap", async () => {
    const refused = [
      await mallory.fetch("/v1/users"),
      await mallory.fetch("/v1/users", { json: { name: "e2e-ghost", role: "admin" } }),
      await mallory.fetch("/v1/users/e2e-eve", { method: "DELETE" }),
      await mallory.fetch("/v1/users/e2e-ghost", { method: "DELETE" }),
      await mallory.fetch("/v1/reap", { json: { dryRun: true } }),
    ];
    for (const answer of refused)
      expect(await problemOf(answer)).toMatchObject({ status: 403, code: "FORBIDDEN" });
    const { users } = userList.parse(await (await root.fetch("/v1/users")).json());
    const names = users.map(({ name }) => name);
    expect(names).toContain("e2e-eve");
    expect(names).not.toContain("e2e-ghost");
  });
});

describe("an admin", () => {
  it("touches everyone's sandboxes, and makes them for users there are", async () => {
    const shown = await root.fetch(`/v1/sandboxes/${eves.id}`);
    expect(await shown.json()).toEqual(eves);
    const unknown = await root.fetch("/v1/sandboxes", { json: { user: "e2e-ghost" } });
    expect(await problemOf(unknown)).toMatchObject({ status: 404, code: "USER_NOT_FOUND" });
    const made = await root.create({ user: "e2e-mallory", memory: "512M" });
    expect(await idsSeenBy(mallory)).toEqual([made.id]);
    const removed = await root.fetch(`/v1/sandboxes/${made.id}`, { method: "DELETE" });
    expect(removed.status).toBe(204);
  });

  it("adds users over the API, whose token is told this once", async () => {
    const answer = await root.fetch("/v1/users", { json: { name: "e2e-zoe" } });
    expect(answer.status).toBe(201);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const { token, ...zoe } = addedUser.strict().parse(await answer.json());
    const list = await (await root.fetch("/v1/users")).text();
    expect(userList.parse(JSON.parse(list)).users).toContainEqual(zoe);
    expect(list).not.toContain(token.split("_").slice(2).join("_"));
    const removed = await root.fetch("/v1/users/e2e-zoe", { method: "DELETE" });
    expect(await removed.json()).toEqual({ name: "e2e-zoe", removedSandboxes: [] });
    const again = await root.fetch("/v1/users/e2e-zoe", { method: "DELETE" });
    expect(await problemOf(again)).toMatchObject({ status: 404, code: "USER_NOT_FOUND" });
  });
});

describe("removing a user", () => {
  it("removes their running sandboxes, and refuses their token at once", async () => {
    const zoe = await addUser("e2e-zoe");
    const bystanders = await traces();
    const made = [
      await zoe.create({ name: "one", memory: "256M" }),
      await create("e2e-zoe", "--name", "two", "--memory", "256M"),
    ].map(({ id }) => id);
    expect(await idsSeenBy(zoe)).toEqual(made);

    const said = removedUser.parse(await berthJson("user", "remove", "e2e-zoe"));
    expect(said.name).toBe("e2e-zoe");
    expect(said.removedSandboxes.sort()).toEqual(made.sort());
    expect((await zoe.fetch("/v1/sandboxes")).status).toBe(401);
    expect(await traces()).toEqual(bystanders);
    expect((await onHost("ls /var/lib/berth/users/e2e-zoe.json")).code).not.toBe(0);
    expect((await eve.fetch(`/v1/sandboxes/${eves.id}`)).status).toBe(200);
  });

  it("breaks off the sandbox that is just being made for them", async () => {
    const zoe = await addUser("e2e-zoe");
    const bystanders = await traces();
    const headers = { prefer: "respond-async" };
    expect((await zoe.fetch("/v1/sandboxes", { json: {}, headers })).status).toBe(202);
    const removed = await root.fetch("/v1/users/e2e-zoe", { method: "DELETE" });
    expect(removed.status).toBe(200);
    expect(await traces()).toEqual(bystanders);
  });

  it("added by root's create without a token, they get one when they are added", async () => {
    await create("e2e-zoe", "--memory", "256M");
    const { users } = userList.parse(await (await root.fetch("/v1/users")).json());
    expect(users).toContainEqual(expect.objectContaining({ name: "e2e-zoe", hasToken: false }));
    const zoe = await addUser("e2e-zoe");
    expect(await idsSeenBy(zoe)).toHaveLength(1);
    ok(await berth("user", "remove", "e2e-zoe"));
  });
});

describe("secrets", () => {
  it("are in no log, no listing, no process's arguments and no container's settings", async () => {
    ok(await berth("bundle", eves.id, "-o", "-"));
    const places = {
      journal: await onHost(`journalctl --since @${since} -o json --no-pager`),
      processes: await onHost("cat /proc/[0-9]*/cmdline | tr '\\0' ' '"),
      containers: await onHost("docker ps -aq | xargs docker inspect"),
      records: await onHost("cat /var/lib/berth/sandboxes/*/sandbox.json"),
      list: await berth("list", "--json"),
      show: await berth("show", eves.id, "--json"),
      users: await berth("user", "list", "--json"),
      metrics: { code: 0, stdout: await (await nobody.fetch("/metrics")).text(), stderr: "" },
    };
    for (const [place, said] of Object.entries(places)) {
      const text = ok(said);
      expect(text.length, place).toBeGreaterThan(10);
      for (const { token } of [eve, mallory, root]) {
        const secret = token?.split("_").slice(2).join("_") ?? "";
        expect(secret.length).toBe(43);
        expect(text.includes(secret), `a token's secret in ${place}`).toBe(false);
      }
      expect(text.includes("PRIVATE KEY"), `a private key in ${place}`).toBe(false);
    }
    expect(places.journal.stdout).toContain("sandbox ready");
  });

  it("lie in files of root's, and the key that signs is in no container's sight", async () => {
    const files = ok(
      await onHost(
        "find /var/lib/berth -name '*.pem' -exec grep -l 'PRIVATE KEY' {} + | xargs stat -c '%a %U %n'",
      ),
    ).split("\n");
    expect(files).toContain("600 root /var/lib/berth/ca-key.pem");
    expect(files).toContain(`600 root /var/lib/berth/sandboxes/${eves.id}/certs/server-key.pem`);
    for (const file of files) expect(file).toMatch(/^600 root .*(ca|server)-key\.pem$/);
    const mounts = ok(
      await onHost(
        "docker ps -q --filter label=berth.sandbox | xargs docker inspect -f '{{range .Mounts}}{{println .Source}}{{end}}'",
      ),
    );
    for (const source of mounts.split("\n").filter((line) => line.includes("berth")))
      expect(source).toMatch(/^\/(var\/lib\/berth\/sandboxes|run\/berth\/disks)\/[a-z0-9]{8}/);
  });
});
