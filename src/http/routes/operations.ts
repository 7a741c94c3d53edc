import { join } from "node:path";
import { z } from "zod";
import { reapRequest, reapResult } from "../../lib/contract/sandbox.js";
import type { HttpContext } from "../context.js";
import { route, type Route } from "../route.js";

/** Routes for whoever runs Berth, and the page. */
export function operationRoutes(context: HttpContext): Route[] {
  const { provisioner, metrics, version, pageDir } = context;
  return [
    route({
      method: "post",
      path: "/v1/reap",
      summary: "Remove what has expired and repair what disagrees; with dryRun only say so",
      access: "admin",
      body: reapRequest,
      answers: { 200: { description: "What was done", schema: reapResult } },
      errors: ["FORBIDDEN", "ENGINE_UNREACHABLE", "SYSTEMD_UNREACHABLE", "SHUTTING_DOWN"],
      async handle({ body, response }) {
        response.json(await provisioner.reap({ dryRun: body.dryRun ?? false }));
      },
    }),
    route({
      method: "get",
      path: "/healthz",
      summary: "Whether the daemon answers",
      access: "open",
      answers: {
        200: {
          description: "It does",
          schema: z.object({ status: z.literal("ok"), version: z.string() }),
        },
      },
      errors: [],
      handle({ response }) {
        response.json({ status: "ok", version });
      },
    }),
    route({
      method: "get",
      path: "/metrics",
      summary: "Counts and times for Prometheus; no names",
      access: "open",
      answers: { 200: { description: "Metrics", contentTypes: ["text/plain"] } },
      errors: [],
      async handle({ response }) {
        const text = await metrics.text();
        response.setHeader("Content-Type", metrics.contentType);
        response.send(text);
      },
    }),
    route({
      method: "get",
      path: "/",
      summary: "The web page",
      access: "open",
      answers: { 200: { description: "The page", contentTypes: ["text/html"] } },
      errors: [],
      handle({ response }) {
        response.sendFile(join(pageDir, "index.html"));
      },
    }),
  ];
}
