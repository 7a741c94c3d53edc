import { pipeline } from "node:stream/promises";
import { z } from "zod";
import {
  createRequest,
  extendRequest,
  resizeRequest,
  sandbox,
  sandboxList,
  userName,
  type CreateRequest,
} from "../../lib/contract/sandbox.js";
import { verification } from "../../lib/contract/verify.js";
import { BerthError } from "../../lib/errors.js";
import type { SandboxRecord } from "../../provisioner/records.js";
import { maySee, type Caller } from "../caller.js";
import type { HttpContext } from "../context.js";
import { isHangup } from "../problem.js";
import { route, type Route } from "../route.js";
import { eventsRoute } from "./events.js";
import { lookRoutes } from "./looks.js";
import { theirs, view } from "./theirs.js";

const creationErrors = [
  "FORBIDDEN",
  "USER_NOT_FOUND",
  "PROFILE_UNKNOWN",
  "TTL_TOO_LONG",
  "LIMIT_OUT_OF_RANGE",
  "SANDBOX_EXISTS",
  "SANDBOX_LIMIT_REACHED",
  "PORTS_EXHAUSTED",
  "ADDRESSES_EXHAUSTED",
  "UIDS_EXHAUSTED",
  "DISK_FULL",
  "DISK_FAILED",
  "ENGINE_UNREACHABLE",
  "ENGINE_FAILED",
  "ENGINE_START_FAILED",
  "ISOLATION_NOT_HELD",
  "SYSTEMD_UNREACHABLE",
  "SLICE_FAILED",
  "SLICE_LIMITS_NOT_APPLIED",
  "FORWARDING_FAILED",
  "IMAGE_MISSING",
  "CREATE_CANCELLED",
  "SHUTTING_DOWN",
] as const;

/** Routes below /v1/sandboxes. */
export function sandboxRoutes(context: HttpContext): Route[] {
  return [
    createRoute(context),
    listRoute(context),
    ...oneSandboxRoutes(context),
    resizeRoute(context),
    ...lookRoutes(context),
    verifyRoute(context),
    bundleRoute(context),
    eventsRoute(context),
  ];
}

function createRoute(context: HttpContext): Route {
  const { provisioner } = context;
  return route({
    method: "post",
    path: "/v1/sandboxes",
    summary:
      "Create a sandbox. Answers when it is ready; with `Prefer: respond-async` at once (202), and its events tell the rest. A client that hangs up while it waits breaks the creation off.",
    access: "user",
    body: createRequest,
    answers: {
      201: { description: "The sandbox, ready", schema: sandbox },
      202: { description: "The sandbox, being created", schema: sandbox },
    },
    errors: [...creationErrors],
    async handle({ caller, body, request, response }) {
      const user = ownerFor(context, caller, body);
      const { record, ready } = await provisioner.begin({ ...body, user });
      await ownerStays(context, caller, record);
      response.location(`/v1/sandboxes/${record.id}`);
      if (/\brespond-async\b/.test(request.get("Prefer") ?? "")) {
        response.status(202).json(view(context, record));
        return;
      }
      const breakOff = () => {
        if (!response.writableEnded) void provisioner.cancel(record.id, "the client hung up");
      };
      // It may have done so while the request was read.
      if (response.closed) breakOff();
      else response.once("close", breakOff);
      response.status(201).json(view(context, await ready));
    },
  });
}

function listRoute(context: HttpContext): Route {
  return route({
    method: "get",
    path: "/v1/sandboxes",
    summary: "List your sandboxes; admins see all, or those of one user",
    access: "user",
    query: z.strictObject({
      user: userName.optional(),
      usage: z.enum(["true", "false"]).optional().meta({
        description: "Whether to tell what each used when it was looked at last",
      }),
    }),
    answers: { 200: { description: "Oldest first", schema: sandboxList } },
    errors: [],
    handle({ caller, query, response }) {
      const sandboxes = context.provisioner
        .list()
        .filter((record) => maySee(caller, record.user))
        .filter((record) => query.user === undefined || record.user === query.user)
        .sort((a, b) => a.createdAt.localeCompare(b.createdAt))
        .map((record) => {
          const usage =
            query.usage === "true" ? context.provisioner.looks.usage(record) : undefined;
          return { ...view(context, record), ...(usage ? { usage } : {}) };
        });
      response.json({ sandboxes });
    },
  });
}

function oneSandboxRoutes(context: HttpContext): Route[] {
  const { provisioner } = context;
  const path = "/v1/sandboxes/{id}";
  return [
    route({
      method: "get",
      path,
      summary: "Show a sandbox",
      access: "user",
      answers: { 200: { description: "The sandbox", schema: sandbox } },
      errors: ["SANDBOX_NOT_FOUND"],
      handle({ caller, params, response }) {
        response.json(view(context, theirs(context, caller, params)));
      },
    }),
    route({
      method: "delete",
      path,
      summary: "Remove a sandbox and everything in it; answers when it is gone",
      access: "user",
      answers: { 204: { description: "Gone" } },
      errors: ["SANDBOX_NOT_FOUND", "ENGINE_UNREACHABLE", "ENGINE_FAILED", "DISK_FAILED"],
      async handle({ caller, params, response }) {
        await provisioner.remove(theirs(context, caller, params).id);
        response.status(204).end();
      },
    }),
    route({
      method: "post",
      path: `${path}/extend`,
      summary: "Add time to a sandbox",
      access: "user",
      body: extendRequest,
      answers: { 200: { description: "The sandbox with its new end", schema: sandbox } },
      errors: ["SANDBOX_NOT_FOUND", "SANDBOX_NOT_READY", "TTL_TOO_LONG"],
      async handle({ caller, params, body, response }) {
        const { id } = theirs(context, caller, params);
        response.json(view(context, await provisioner.extend(id, body.ttl)));
      },
    }),
  ];
}

function resizeRoute(context: HttpContext): Route {
  return route({
    method: "post",
    path: "/v1/sandboxes/{id}/resize",
    summary:
      "Change a sandbox's limits while it runs; what is left out stays. Memory and pids not below what is used, the disk only to a larger one.",
    access: "user",
    body: resizeRequest,
    answers: { 200: { description: "The sandbox with its new limits", schema: sandbox } },
    errors: [
      "SANDBOX_NOT_FOUND",
      "SANDBOX_NOT_READY",
      "LIMIT_OUT_OF_RANGE",
      "DISK_FULL",
      "DISK_FAILED",
      "ENGINE_UNREACHABLE",
      "ENGINE_FAILED",
      "SYSTEMD_UNREACHABLE",
      "SLICE_FAILED",
      "SLICE_LIMITS_NOT_APPLIED",
      "SHUTTING_DOWN",
    ],
    async handle({ caller, params, body, response }) {
      const { id } = theirs(context, caller, params);
      response.json(view(context, await context.provisioner.resize(id, body)));
    },
  });
}

function verifyRoute(context: HttpContext): Route {
  return route({
    method: "post",
    path: "/v1/sandboxes/{id}/verify",
    summary:
      "Look at how a sandbox is held: from the host, and from inside by a container that tries to get out",
    access: "user",
    answers: { 200: { description: "What was found", schema: verification } },
    errors: [
      "SANDBOX_NOT_FOUND",
      "SANDBOX_NOT_READY",
      "ENGINE_UNREACHABLE",
      "ENGINE_FAILED",
      "RECORD_INVALID",
    ],
    async handle({ caller, params, response }) {
      const { id } = theirs(context, caller, params);
      response.json(await context.provisioner.verify(id));
    },
  });
}

const archives = { "application/zip": "zip", "application/x-tar": "tar" } as const;

function bundleRoute(context: HttpContext): Route {
  return route({
    method: "get",
    path: "/v1/sandboxes/{id}/bundle",
    summary: "A fresh bundle: address, client certificate and Docker context, as zip or tar",
    access: "user",
    answers: { 200: { description: "The bundle", contentTypes: Object.keys(archives) } },
    errors: ["SANDBOX_NOT_FOUND", "SANDBOX_NOT_READY", "INVALID_REQUEST", "RECORD_INVALID"],
    async handle({ caller, params, request, response }) {
      const record = theirs(context, caller, params);
      const type = request.accepts(Object.keys(archives)) as keyof typeof archives | false;
      if (!type) {
        throw new BerthError(
          "INVALID_REQUEST",
          "a bundle comes as application/zip or application/x-tar; name one of them in Accept",
        );
      }
      const archive = await context.provisioner.bundle(record.id, archives[type]);
      response.type(type).attachment(`berth-${record.user}-${record.name}.${archives[type]}`);
      try {
        await pipeline(archive, response);
      } catch (error) {
        if (!isHangup(error)) throw error;
      }
    },
  });
}

/** Whose sandbox a request makes. */
function ownerFor({ users }: HttpContext, caller: Caller, body: CreateRequest): string {
  const user = body.user ?? caller.name;
  if (user === undefined) {
    throw new BerthError("INVALID_REQUEST", "say whose sandbox it becomes: user is missing", {
      issues: [{ path: "user", message: "is missing" }],
    });
  }
  if (user !== caller.name && caller.role !== "admin") {
    throw new BerthError("FORBIDDEN", "only admins create sandboxes for others");
  }
  if (!isRootItself(caller) && !users.has(user)) throw userNotFound(user);
  return user;
}

/**
 * Root's word adds the user, once the request is accepted: a refused one leaves nothing. Anyone else's
 * user may have been removed meanwhile, and that removal did not see this sandbox.
 */
async function ownerStays(
  { users, provisioner }: HttpContext,
  caller: Caller,
  { id, user }: SandboxRecord,
): Promise<void> {
  try {
    if (isRootItself(caller)) await users.ensure(user);
    if (!users.has(user)) throw userNotFound(user);
  } catch (error) {
    await provisioner.cancel(id, `its user ${user} is not there`);
    throw error;
  }
}

const isRootItself = (caller: Caller): boolean => caller.name === undefined;

function userNotFound(user: string): BerthError {
  return new BerthError("USER_NOT_FOUND", `there is no user ${user}; berth user add ${user}`);
}
