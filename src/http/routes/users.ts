import {
  addedUser,
  addUserRequest,
  setPasswordRequest,
  me,
  removedUser,
  userList,
  type Me,
} from "../../lib/contract/user.js";
import { BerthError, messageOf } from "../../lib/errors.js";
import type { HttpContext } from "../context.js";
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
        const added = await users.add(body.name, body.role, {
          ...(body.password === undefined ? {} : { password: body.password }),
        });
        response.status(201).setHeader("Cache-Control", "no-store").json(added);
      },
    }),
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

function meRoute({ provisioner }: HttpContext): Route {
  return route({
    method: "get",
    path: "/v1/me",
    summary: "Who you are and what you may ask for",
    access: "user",
    answers: { 200: { description: "You", schema: me } },
    errors: [],
    handle({ caller, response }) {
      const { settings } = provisioner;
      const answer: Me = {
        ...(caller.name === undefined ? {} : { user: caller.name }),
        role: caller.role,
        sandboxesPerUser: settings.sandboxesPerUser,
        ttl: { defaultMs: settings.profiles[0]?.ttlMs ?? 0, maxMs: settings.maxTtlMs },
        profiles: settings.profiles,
        maxLimits: settings.maxLimits,
      };
      response.json(answer);
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
