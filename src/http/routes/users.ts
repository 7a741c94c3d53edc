import {
  addedUser,
  addUserRequest,
  changeUserRequest,
  user,
  setPasswordRequest,
  me,
  removedUser,
  userList,
  type Me,
} from "../../lib/contract/user.js";
import { groupList } from "../../lib/contract/group.js";
import { BerthError, messageOf } from "../../lib/errors.js";
import { suggestion } from "../../lib/strict-issues.js";
import type { HttpContext } from "../context.js";
import { withReadiness } from "../readiness.js";
import { route, type Route } from "../route.js";

/** Routes about people. */
export function userRoutes(context: HttpContext): Route[] {
  const { provisioner, users } = context;
  return [
    meRoute(context),
    passwordRoute(context),
    route({
      method: "get",
      path: "/v1/users",
      summary: "List users",
      access: "admin",
      answers: { 200: { description: "All users, by name", schema: userList } },
      errors: ["FORBIDDEN"],
      handle({ response }) {
        response.json({ users: users.list() });
      },
    }),
    route({
      method: "post",
      path: "/v1/users",
      summary: "Add a user. The answer holds their token, which is shown only this once",
      access: "admin",
      body: addUserRequest,
      answers: { 201: { description: "The user and the token", schema: addedUser } },
      errors: ["FORBIDDEN", "USER_EXISTS"],
      async handle({ body, response }) {
        const { name, role, password, groups } = body;
        mustKnowGroups(context, groups);
        const added = await users.add(name, role, {
          ...(password === undefined ? {} : { password }),
          ...(groups === undefined ? {} : { groups }),
        });
        response.status(201).json(added);
      },
    }),
    changeRoute(context),
    groupsRoute(context),
    route({
      method: "delete",
      path: "/v1/users/{name}",
      summary: "Remove a user and everything of theirs",
      access: "admin",
      answers: { 200: { description: "What was removed", schema: removedUser } },
      errors: ["FORBIDDEN", "USER_NOT_FOUND", "ENGINE_UNREACHABLE", "ENGINE_FAILED"],
      async handle({ params, response }) {
        const name = params["name"] ?? "";
        // The token goes first, so that nothing new comes; the record last of what must be written,
        // so that a removal that breaks off can be asked for again.
        users.revoke(name);
        const ids = await provisioner.condemn(name);
        await users.remove(name);
        const removals = await Promise.allSettled(ids.map((id) => provisioner.remove(id)));
        const failed = removals.find((removal) => removal.status === "rejected");
        if (failed) {
          throw new BerthError(
            "ENGINE_FAILED",
            `user ${name} is removed, but not all of their sandboxes yet: ${messageOf(failed.reason)}; reap finishes it`,
            { cause: failed.reason },
          );
        }
        response.json({ name, removedSandboxes: ids });
      },
    }),
  ];
}

function meRoute(context: HttpContext): Route {
  const { provisioner, users } = context;
  return route({
    method: "get",
    path: "/v1/me",
    summary: "Who you are and what you may ask for",
    access: "user",
    answers: { 200: { description: "You", schema: me } },
    errors: [],
    async handle({ caller, response }) {
      const { name } = caller;
      const settings = name === undefined ? provisioner.settings : provisioner.settingsOf(name);
      const answer: Me = {
        ...(name === undefined ? {} : { user: name }),
        role: caller.role,
        groups: name === undefined ? [] : users.groupsOf(name),
        sandboxesPerUser: settings.sandboxesPerUser,
        ttl: { defaultMs: settings.profiles[0]?.ttlMs ?? 0, maxMs: settings.maxTtlMs },
        profiles: await withReadiness(context, settings.profiles),
        maxLimits: settings.maxLimits,
      };
      // Profiles say more than users need to know: not where they may connect to, nor the host's devices.
      response.json(me.parse(answer));
    },
  });
}

function passwordRoute({ users, signIn }: HttpContext): Route {
  return route({
    method: "put",
    path: "/v1/users/{name}/password",
    summary:
      "Set a password, which ends all sessions of the user's. Admins set anybody's; users their own, and give the one until now",
    access: "user",
    body: setPasswordRequest,
    answers: { 204: { description: "It counts from now on" } },
    errors: ["FORBIDDEN", "USER_NOT_FOUND"],
    async handle({ caller, params, body, request, response }) {
      const name = params["name"] ?? "";
      if (caller.role !== "admin") {
        const isTheirs =
          caller.name === name &&
          body.current !== undefined &&
          (await signIn.checkPassword(request, name, body.current)) !== undefined;
        if (!isTheirs) {
          throw new BerthError(
            "FORBIDDEN",
            "to change your own password give the one until now; an admin sets it anew",
          );
        }
      }
      await users.setPassword(name, body.password);
      response.status(204).end();
    },
  });
}

function changeRoute(context: HttpContext): Route {
  return route({
    method: "patch",
    path: "/v1/users/{name}",
    summary: "Change a user's role and groups; sandboxes they have stay as they are",
    access: "admin",
    body: changeUserRequest,
    answers: { 200: { description: "The user as they are now", schema: user } },
    errors: ["FORBIDDEN", "USER_NOT_FOUND"],
    async handle({ params, body, response }) {
      mustKnowGroups(context, body.groups);
      const { role, groups } = body;
      const changed = await context.users.change(params["name"] ?? "", {
        ...(role === undefined ? {} : { role }),
        ...(groups === undefined ? {} : { groups }),
      });
      response.json(changed);
    },
  });
}

function groupsRoute({ provisioner, users }: HttpContext): Route {
  return route({
    method: "get",
    path: "/v1/groups",
    summary: "The groups of the configuration, and what their members may have",
    access: "admin",
    answers: { 200: { description: "All groups", schema: groupList } },
    errors: ["FORBIDDEN"],
    handle({ response }) {
      const all = users.list();
      const groups = provisioner.settings.groups.map((group) => ({
        ...group,
        members: all.filter((one) => one.groups.includes(group.name)).length,
      }));
      response.json({ groups });
    },
  });
}

/** @throws BerthError INVALID_REQUEST: a group that means nothing is a mistake */
function mustKnowGroups({ provisioner }: HttpContext, groups: string[] = []): void {
  const known = provisioner.settings.groups.map(({ name }) => name);
  const strange = groups.find((name) => !known.includes(name));
  if (strange === undefined) return;
  const message = `there is no group "${strange}" in the configuration${suggestion(strange, known)}`;
  throw new BerthError("INVALID_REQUEST", message, { issues: [{ path: "groups", message }] });
}
