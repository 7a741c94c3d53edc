import { certificateList, containerList, usageHistory } from "../../lib/contract/looks.js";
import { usage } from "../../lib/contract/sandbox.js";
import type { HttpContext } from "../context.js";
import { route, type Route } from "../route.js";
import { theirs } from "./theirs.js";

const path = "/v1/sandboxes/{id}";

/** Routes that look at one sandbox. */
export function lookRoutes(context: HttpContext): Route[] {
  const { provisioner } = context;
  return [
    route({
      method: "get",
      path: `${path}/usage`,
      summary: "What the sandbox uses now, beside its limits",
      access: "user",
      answers: { 200: { description: "Usage of the sandbox as a whole", schema: usage } },
      errors: ["SANDBOX_NOT_FOUND", "SANDBOX_NOT_READY", "ENGINE_UNREACHABLE", "DISK_FAILED"],
      async handle({ caller, params, response }) {
        response.json(await provisioner.usage(theirs(context, caller, params).id));
      },
    }),
    route({
      method: "get",
      path: `${path}/usage/history`,
      summary: "What the sandbox used over the last ten minutes",
      access: "user",
      answers: { 200: { description: "Samples, oldest first", schema: usageHistory } },
      errors: ["SANDBOX_NOT_FOUND"],
      handle({ caller, params, response }) {
        response.json(provisioner.looks.history(theirs(context, caller, params).id));
      },
    }),
    route({
      method: "get",
      path: `${path}/containers`,
      summary: "The containers that run in the sandbox, as its own engine tells them",
      access: "user",
      answers: { 200: { description: "What runs inside", schema: containerList } },
      errors: [
        "SANDBOX_NOT_FOUND",
        "SANDBOX_NOT_READY",
        "ENGINE_UNREACHABLE",
        "ENGINE_FAILED",
        "RECORD_INVALID",
      ],
      async handle({ caller, params, response }) {
        const containers = await provisioner.looks.containers(theirs(context, caller, params));
        response.json({ containers });
      },
    }),
    route({
      method: "get",
      path: `${path}/certificates`,
      summary: "The client certificates of its bundles; a fresh bundle brings a new one",
      access: "user",
      answers: { 200: { description: "Those that are still good", schema: certificateList } },
      errors: ["SANDBOX_NOT_FOUND"],
      handle({ caller, params, response }) {
        const { id } = theirs(context, caller, params);
        response.json({ certificates: provisioner.certificates.of(id) });
      },
    }),
  ];
}
