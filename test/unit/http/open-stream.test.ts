import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { TestApi } from "./support.js";

const password = "correct horse battery";
const mark = { "x-berth-request": "1" };

let api: TestApi;
let token: string;
beforeEach(async () => {
  api = await TestApi.start({
    groups: {},
    signIn: { proxy: { header: "Remote-User", from: ["127.0.0.1"] } },
  });
  ({ token } = await api.users.add("ann", "user", { password }));
});
afterEach(async () => {
  vi.useRealTimers();
  await api.stop();
});

async function signedIn(): Promise<string> {
  const answer = await api.fetch("/v1/session", { json: { token } });
  return (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
}

/** A stream of events, and whether it has ended by itself. */
async function follow(path: string, init: { headers?: Record<string, string>; token?: string }) {
  const answer = await api.fetch(path, init);
  expect(answer.status).toBe(200);
  let isOver = false;
  const end = answer.text().then(
    () => (isOver = true),
    // Only the end of the test cuts it.
    () => undefined,
  );
  // Whatever was said of the past has been read by now.
  await api.fetch("/healthz");
  return { end, isOver: () => isOver };
}

const ofSandbox = async () => `/v1/sandboxes/${(await api.berth.create("ann")).id}/events`;

describe("a stream of events", () => {
  it("ends when the session that opened it is signed out, and no other does", async () => {
    const path = await ofSandbox();
    const cookies = [await signedIn(), await signedIn()];
    const [one, other] = await Promise.all(
      cookies.map((cookie) => follow(path, { headers: { cookie } })),
    );
    const byToken = await follow(path, { token });
    expect(one?.isOver()).toBe(false);
    const headers = { cookie: cookies[0] ?? "", ...mark };
    expect((await api.fetch("/v1/session", { method: "DELETE", headers })).status).toBe(204);
    await one?.end;
    await api.fetch("/healthz");
    expect([other?.isOver(), byToken.isOver()]).toEqual([false, false]);
  });

  it("ends with another password, which ends sessions; one by token goes on", async () => {
    const path = await ofSandbox();
    const bySession = await follow(path, { headers: { cookie: await signedIn() } });
    const byToken = await follow(path, { token });
    await api.users.setPassword("ann", "battery horse correct");
    await bySession.end;
    await api.fetch("/healthz");
    expect(byToken.isOver()).toBe(false);
  });

  it.each(["session", "token", "proxy"])("by %s ends when its user is removed", async (way) => {
    const path = await ofSandbox();
    const stream = await follow(
      path,
      {
        session: { headers: { cookie: await signedIn() } },
        token: { token },
        proxy: { headers: { "remote-user": "ann" } },
      }[way] ?? {},
    );
    expect(stream.isOver()).toBe(false);
    api.users.revoke("ann");
    await stream.end;
  });

  it("of all sandboxes ends when its reader is no admin any more", async () => {
    await api.users.change("ann", { role: "admin" });
    const all = await follow("/v1/events/stream", { token });
    const own = await follow(await ofSandbox(), { token });
    await api.users.change("ann", { groups: [] });
    await api.fetch("/healthz");
    expect(all.isOver()).toBe(false);
    await api.users.change("ann", { role: "user" });
    await Promise.all([all.end, own.end]);
  });

  it("ends with its session's time, within a quarter of a minute", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const stream = await follow(await ofSandbox(), { headers: { cookie: await signedIn() } });
    vi.advanceTimersByTime(15_000);
    await api.fetch("/healthz");
    expect(stream.isOver()).toBe(false);
    api.berth.later(12 * 3_600_000);
    vi.advanceTimersByTime(15_000);
    await stream.end;
  });
});
