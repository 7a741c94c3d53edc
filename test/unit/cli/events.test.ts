import { expect, it } from "vitest";
import { readEvents } from "../../../src/cli/events.js";

it("skips events of a kind it does not know, such as incidents, wherever they come", async () => {
  const at = "2025-06-01T10:00:00.000Z";
  const event = (kind: string, data: object) =>
    `event: ${kind}\ndata: ${JSON.stringify({ ...data, at })}\n\n`;
  const stream =
    event("incident", { kind: "memory", text: "tail was killed", count: 1 }) +
    event("step", { step: "slice", status: "started" }) +
    event("news", { any: "thing" }) +
    event("incident", { kind: "of the future" }) +
    event("state", { state: "ready" });
  const seen: string[] = [];
  // eslint-disable-next-line @typescript-eslint/require-await
  async function* body() {
    yield Buffer.from(stream);
  }
  for await (const { event: kind } of readEvents(body())) seen.push(kind);
  expect(seen).toEqual(["step", "state"]);
});
