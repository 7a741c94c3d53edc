import type { Express, Response } from "express";
import type { User } from "../../src/http/page/model/admin-types.js";
import type { PageApi } from "./page-api.js";
import * as data from "./page-data.js";
import { writeEvent } from "./page-events.js";
import type { Caller } from "./page-sessions.js";

/** The admins' part of the fake: users that can be changed, and things to look at. */
export function addAdminRoutes(app: Express, api: PageApi): void {
  const users = new Map<string, User>();
  const add = (name: string, role: User["role"] = "user", groups: string[] = []) => {
    const createdAt = new Date().toISOString();
    users.set(name, { name, role, groups, createdAt, hasToken: true, hasPassword: false });
  };
  add("alice", "user", ["course-101"]);
  add("root", "admin");
  app.use(["/v1/users", "/v1/host", "/v1/events", "/v1/images"], (_request, response, next) => {
    const caller = response.locals["caller"] as Caller;
    if (caller.role === "admin") next();
    else data.sendProblem(response, 403, "FORBIDDEN", "only admins may do this");
  });
  const { sendProblem } = data;
  app.get("/v1/users", (_request, response) => response.json({ users: [...users.values()] }));
  app.post("/v1/users", (request, response) => {
    const { name = "", role, groups } = request.body as Partial<User>;
    if (!/^[a-z]/.test(name)) {
      const errors = [{ path: "name", message: "must begin with a lower-case letter" }];
      sendProblem(response, 400, "INVALID_REQUEST", "name: see there", errors);
      return;
    }
    add(name, role, groups);
    response.status(201).json({ ...users.get(name), token: `token-of-${name}` });
  });
  app.patch("/v1/users/:name", (request, response) => {
    const user = users.get(request.params.name);
    if (user) Object.assign(user, request.body);
    if (user) response.json(user);
    else sendProblem(response, 404, "USER_NOT_FOUND", "there is no such user");
  });
  app.delete("/v1/users/:name", (request, response) => {
    users.delete(request.params.name);
    response.json({ name: request.params.name, removedSandboxes: [] });
  });
  app.get("/v1/groups", (_request, response) => response.json({ groups: data.groups }));
  app.get("/v1/host", (_request, response) => response.json(data.host));
  app.get("/v1/images", (_request, response) => response.json(data.images));
  app.get("/v1/profiles", (_request, response) => response.json({ profiles: data.profiles }));
  addEventRoutes(app, api);
}

function addEventRoutes(app: Express, api: PageApi): void {
  const about = { type: "state", sandbox: "k0000001", user: "alice", name: "default", data: {} };
  const event = (minutes: number, text: string) => ({
    at: new Date(api.now() - minutes * 60_000).toISOString(),
    ...about,
    text,
  });
  app.get("/v1/events", (_request, response) => {
    response.json({
      events: [
        event(2, "is ready, made in 0.84 s"),
        event(7, "was killed: <script>alert(1)</script>"),
      ],
    });
  });
  app.get("/v1/events/stream", (_request, response: Response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    writeEvent(response, { event: "event", data: event(0, "was extended by 2 hours") });
  });
}
