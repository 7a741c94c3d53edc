import type { SandboxEvent } from "../../provisioner/events.js";
import { sandboxNotFound } from "../../provisioner/refusals.js";
import { maySee } from "../caller.js";
import type { HttpContext } from "../context.js";
import { openStream } from "../open-stream.js";
import { route, type Route } from "../route.js";

/** GET …/events. */
export function eventsRoute({ provisioner, signIn }: HttpContext): Route {
  return route({
    method: "get",
    path: "/v1/sandboxes/{id}/events",
    summary:
      "Server-sent events of a sandbox: `step` (StepEvent) for each step of its creation, `state` (StateEvent) for each change, `incident` (IncidentEvent) when a limit did something to it. What happened before comes first; the stream ends with the sandbox.",
    access: "user",
    answers: { 200: { description: "The stream", contentTypes: ["text/event-stream"] } },
    errors: ["SANDBOX_NOT_FOUND"],
    handle(call) {
      const { caller, params, request, response } = call;
      const id = params["id"] ?? "";
      const record = provisioner.list().find((known) => known.id === id);
      // A creation that failed has no record any more, but its story can still be read.
      const owner = record?.user ?? provisioner.events.ownerOf(id);
      if (owner === undefined || !maySee(caller, owner)) throw sandboxNotFound(id);
      // Whoever asks for the headers alone must not wait for the stream's end.
      if (request.method === "HEAD") {
        response.type("text/event-stream").end();
        return;
      }

      const stream = openStream(signIn, call, () => {
        unfollow();
      });
      const unfollow = provisioner.events.follow(id, (event) => {
        stream.send(event.type, event.data);
        if (isLast(event)) stream.end();
      });
    },
  });
}

/** `removed`, or a creation's failure: nothing comes after these. */
function isLast({ type, data }: SandboxEvent): boolean {
  return type === "state" && (data.state === "removed" || data.problem !== undefined);
}
