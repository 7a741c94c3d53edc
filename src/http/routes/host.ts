import { z } from "zod";
import { host, hostEventList, imageList, profileList } from "../../lib/contract/host.js";
import { sandboxStates } from "../../lib/contract/sandbox.js";
import type { HttpContext } from "../context.js";
import { openStream } from "../open-stream.js";
import { withReadiness } from "../readiness.js";
import { route, type Route } from "../route.js";

/** Routes by which admins look at the whole host. */
export function hostRoutes(context: HttpContext): Route[] {
  return [
    hostRoute(context),
    ...eventRoutes(context),
    imagesRoute(context),
    profilesRoute(context),
  ];
}

function hostRoute({ provisioner, users, host: machine, version }: HttpContext): Route {
  return route({
    method: "get",
    path: "/v1/host",
    summary: "What the host has, what is used of it, and what the sandboxes are promised",
    access: "admin",
    answers: { 200: { description: "The host now", schema: host } },
    errors: ["FORBIDDEN"],
    async handle({ response }) {
      const { at, memory, cpu, disk } = await machine.read();
      const records = provisioner.list();
      const sum = (one: (record: (typeof records)[number]) => number) =>
        records.reduce((total, record) => total + one(record), 0);
      response.json({
        at,
        memory: { ...memory, promisedBytes: sum(({ limits }) => limits.memoryBytes) },
        cpu: { ...cpu, promisedCores: sum(({ limits }) => limits.cpus) },
        disk: { ...disk, promisedBytes: sum(({ limits }) => limits.diskBytes) },
        sandboxes: records.length,
        states: Object.fromEntries(
          sandboxStates.map((state) => [state, sum((record) => (record.state === state ? 1 : 0))]),
        ),
        users: users.list().length,
        version,
      });
    },
  });
}

const limit = z
  .string()
  .regex(/^\d{1,4}$/, "must be a number")
  .transform(Number)
  .pipe(z.int().min(1).max(500))
  .meta({ description: "How many at most, 1 to 500; 100 unless said" });

function eventRoutes({ provisioner, signIn }: HttpContext): Route[] {
  const path = "/v1/events";
  return [
    route({
      method: "get",
      path,
      summary: "What happened last to any sandbox since Berth's start",
      access: "admin",
      query: z.strictObject({ limit: limit.optional() }),
      answers: { 200: { description: "Newest first", schema: hostEventList } },
      errors: ["FORBIDDEN"],
      handle({ query, response }) {
        response.json({ events: provisioner.recent.latest(query.limit ?? 100) });
      },
    }),
    route({
      method: "get",
      path: `${path}/stream`,
      summary:
        "Server-sent events of all sandboxes from now on: `state`, `step` (one that failed) and `incident`, each with a HostEvent. Without end.",
      access: "admin",
      answers: { 200: { description: "The stream", contentTypes: ["text/event-stream"] } },
      errors: ["FORBIDDEN"],
      handle(call) {
        const { request, response } = call;
        // Whoever asks for the headers alone must not wait for the stream's end.
        if (request.method === "HEAD") {
          response.type("text/event-stream").end();
          return;
        }
        const stream = openStream(signIn, call, () => {
          unfollow();
        });
        const unfollow = provisioner.recent.follow((event) => {
          stream.send(event.type, event);
        });
      },
    }),
  ];
}

function imagesRoute({ images }: HttpContext): Route {
  return route({
    method: "get",
    path: "/v1/images",
    summary: "The images that sandboxes start from, and those that are being built",
    access: "admin",
    answers: { 200: { description: "Newest first", schema: imageList } },
    errors: ["FORBIDDEN", "ENGINE_UNREACHABLE", "ENGINE_FAILED"],
    async handle({ response }) {
      const [list, building] = await Promise.all([images.list(), images.building()]);
      response.json({ images: list, building });
    },
  });
}

function profilesRoute(context: HttpContext): Route {
  return route({
    method: "get",
    path: "/v1/profiles",
    summary: "The profiles of the configuration, with their limits",
    access: "admin",
    answers: { 200: { description: "The default first", schema: profileList } },
    errors: ["FORBIDDEN"],
    async handle({ response }) {
      const profiles = await withReadiness(context, context.provisioner.settings.profiles);
      response.json(profileList.parse({ profiles }));
    },
  });
}
