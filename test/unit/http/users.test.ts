import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { groupList } from "../../../src/lib/contract/group.js";
import { me, user, userList } from "../../../src/lib/contract/user.js";
import { problemIn, TestApi } from "./support.js";

const groups = { students: { limits: { memory: "512M" }, profiles: ["default"] }, staff: {} };
let api: TestApi;
let admin: string;
let token: string;
beforeEach(async () => {
  api = await TestApi.start({ groups });
  admin = await api.token("boss", "admin");
  token = await api.token("ann");
});
afterEach(() => api.stop());

const patch = (name: string, json: object, who = admin) =>
  api.fetch(`/v1/users/${name}`, { method: "PATCH", json, token: who });

describe("an admin", () => {
  it("puts users into groups and takes them out, which counts at once", async () => {
    const answer = await patch("ann", { groups: ["students"] });
    expect(user.strict().parse(await answer.json())).toMatchObject({ groups: ["students"] });
    const mine = me.strict().parse(await (await api.fetch("/v1/me", { token })).json());
    expect(mine).toMatchObject({
      groups: ["students"],
      maxLimits: { memoryBytes: 512 * 1024 ** 2 },
    });
    const json = { memory: "1G" };
    const refused = await problemIn(await api.fetch("/v1/sandboxes", { token, json }));
    expect(refused.code).toBe("LIMIT_OUT_OF_RANGE");
    await patch("ann", { groups: [] });
    expect((await api.fetch("/v1/sandboxes", { token, json })).status).toBe(201);
  });

  it("makes others admins, and not any more", async () => {
    await patch("ann", { role: "admin" });
    expect((await api.fetch("/v1/users", { token })).status).toBe(200);
    await patch("ann", { role: "user" });
    expect((await api.fetch("/v1/users", { token })).status).toBe(403);
    await api.restart();
    expect((await api.fetch("/v1/users", { token })).status).toBe(403);
  });

  it("sees the groups, with what they may and how many are in them", async () => {
    await patch("ann", { groups: ["students", "staff"] });
    const told = await (await api.fetch("/v1/groups", { token: admin })).json();
    expect(groupList.strict().parse(told).groups).toEqual([
      {
        name: "students",
        maxLimits: { memoryBytes: 512 * 1024 ** 2 },
        profiles: ["default"],
        members: 1,
      },
      { name: "staff", maxLimits: {}, members: 1 },
    ]);
  });

  it("sees when users were there last", async () => {
    await api.fetch("/v1/me", { token });
    const { users } = userList.parse(await (await api.fetch("/v1/users", { token: admin })).json());
    expect(users).toMatchObject([
      { name: "ann", lastSeenAt: "2026-01-01T12:00:00.000Z" },
      { name: "boss" },
    ]);
  });

  it("adds users into groups", async () => {
    const json = { name: "bob", groups: ["staff"] };
    const added = await api.fetch("/v1/users", { token: admin, json });
    expect(await added.json()).toMatchObject({ name: "bob", groups: ["staff"] });
  });

  it.each([
    [{ groups: ["student"] }, /did you mean "students"/],
    [{}, /changes nothing/],
    [{ role: "god" }, /role/],
    [{ name: "eve" }, /unknown key/],
  ])("is told of mistakes (%j)", async (json, why) => {
    const problem = await problemIn(await patch("ann", json));
    expect(problem).toMatchObject({ status: 400, code: "INVALID_REQUEST" });
    expect(problem.detail).toMatch(why);
  });

  it("cannot change whom there is none of", async () => {
    expect((await problemIn(await patch("eve", { role: "admin" }))).code).toBe("USER_NOT_FOUND");
    expect(api.users.list()).toHaveLength(2);
  });
});

describe("a user", () => {
  it("changes nobody, themselves neither, and sees no groups but their own", async () => {
    expect((await patch("ann", { role: "admin" }, token)).status).toBe(403);
    expect((await api.fetch("/v1/groups", { token })).status).toBe(403);
    expect(api.users.list()[0]).toMatchObject({ name: "ann", role: "user" });
  });
});
