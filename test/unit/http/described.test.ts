import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { errorCodes } from "../../../src/lib/errors.js";
import { describeApi } from "../../../src/http/routes.js";
import { TestApi } from "./support.js";

interface Operation {
  parameters: { name: string; in: string }[];
  responses: Record<string, { description: string; content?: Record<string, { schema?: object }> }>;
}
type Document = { paths: Record<string, Record<string, Operation>> } & object;

const document = describeApi("1.2.3") as Document;
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema(document, "api");
/** What has been asked for and was answered well, as `get /v1/me`. */
const seen = new Set<string>();

let api: TestApi;
let id: string;
beforeAll(async () => {
  api = await TestApi.start({ groups: { students: { profiles: ["default"] } } });
  await api.token("ann");
  ({ id } = await api.berth.create("ann"));
  for (let i = 0; i < 3; i++) {
    api.berth.later(5_000);
    await api.berth.provisioner.lookNow();
  }
  api.berth.provisioner.incidents.add(id, { kind: "pids", limit: "sandbox" });
  api.berth.host.inner = [
    { name: "a", image: "b", state: "running", ports: [{ containerPort: 80, protocol: "tcp" }] },
  ];
});
afterAll(() => api.stop());

const pointer = (text: string) => text.replaceAll("~", "~0").replaceAll("/", "~1");

/** Fails unless the answer is one that the document has for this operation, in every respect. */
async function mustBeDescribed(method: string, path: string, answer: Response): Promise<void> {
  const what = `${method} ${path} ${answer.status}`;
  const told = document.paths[path]?.[method]?.responses[answer.status];
  expect(told, `${what} is described`).toBeDefined();
  const text = await answer.text();
  const type = answer.headers.get("content-type")?.split(";")[0];
  const types = Object.keys(told?.content ?? {});
  if (types.length === 0) expect(text, what).toBe("");
  else expect(types, what).toContain(type);
  if (!type?.endsWith("json") || !told?.content?.[type]?.schema) return;
  const place = ["paths", path, method, "responses", answer.status, "content", type, "schema"];
  const schema = `api#/${place.map((part) => encodeURIComponent(pointer(String(part)))).join("/")}`;
  const validate = ajv.getSchema(schema);
  expect(validate, schema).toBeDefined();
  const body: unknown = JSON.parse(text);
  const isValid = validate?.(body);
  expect(isValid, `${what}: ${ajv.errorsText(validate?.errors)} in ${text}`).toBe(true);
  const code = (body as { code?: string }).code;
  if (answer.status >= 400) expect(told.description.split(", "), what).toContain(code);
}

async function ask(
  method: string,
  path: string,
  json?: object,
  params: Record<string, string> = {},
) {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => params[name] ?? id);
  const init = { method: method.toUpperCase(), ...(json ? { json } : {}) };
  const answer = await api.asRoot(filled, { ...init, redirect: "manual" });
  if (answer.ok) seen.add(`${method} ${path}`);
  return answer;
}

const ann = { name: "ann" };
const password = "correct horse battery";
const one = "/v1/sandboxes/{id}";
const asked: [
  method: string,
  path: string,
  json?: object | undefined,
  params?: Record<string, string>,
][] = [
  ["get", "/healthz"],
  ["get", "/metrics"],
  ["get", "/openapi.json"],
  ["get", "/"],
  ["get", "/v1/session"],
  ["get", "/v1/me"],
  ["get", "/v1/host"],
  ["get", "/v1/events"],
  ["get", "/v1/images"],
  ["get", "/v1/profiles"],
  ["get", "/v1/groups"],
  ["post", "/v1/users", { name: "bob", groups: ["students"], password }],
  ["put", "/v1/users/{name}/password", { password }, ann],
  ["patch", "/v1/users/{name}", { groups: ["students"] }, ann],
  ["get", "/v1/users"],
  ["post", "/v1/session", { user: "ann", password }],
  ["delete", "/v1/session"],
  ["get", "/v1/sandboxes"],
  ["get", one],
  ["get", `${one}/usage`],
  ["get", `${one}/usage/history`],
  ["get", `${one}/containers`],
  ["get", `${one}/bundle`],
  ["get", `${one}/certificates`],
  ["post", `${one}/extend`, { ttl: "1h" }],
  ["post", `${one}/resize`, { memory: "2G" }],
  ["post", `${one}/verify`],
  ["post", "/v1/sandboxes", { user: "ann", name: "second" }],
  ["post", "/v1/reap", { dryRun: true }],
];
const ends: typeof asked = [
  ["delete", one],
  ["delete", "/v1/users/{name}", undefined, ann],
];
/** Without end, or with what only a browser and a provider do together; each has a test of its own. */
const elsewhere = [
  `get ${one}/events`,
  "get /v1/events/stream",
  "get /v1/session/oidc",
  "get /v1/session/oidc/callback",
];

describe("the API's description holds", () => {
  it.each([...asked, ...ends])("for the answer to %s %s", async (method, path, json, params) => {
    const headers = { "x-berth-request": "1" };
    const answer =
      method === "delete" && path === "/v1/session"
        ? await api.fetch(path, { method: "DELETE", headers })
        : await ask(method, path, json, params);
    expect(answer.ok, `${method} ${path}: ${answer.status}`).toBe(true);
    seen.add(`${method} ${path}`);
    await mustBeDescribed(method, path, answer);
  });

  it("for every route there is", () => {
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect([...seen, ...elsewhere].sort()).toEqual(described.sort());
  });

  it("for what is said to a stranger, to a user, and of nonsense", async () => {
    const token = await api.token("eve");
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, { responses }] of Object.entries(methods)) {
        if (path.includes("/session/oidc") || path === "/v1/events/stream") continue;
        const filled = path.replace(/\{\w+\}/g, "zzzzzzzz");
        for (const init of [
          {},
          { token },
          { token, body: "[" },
          { token, json: { nonsense: 1 } },
        ]) {
          const isRead = method === "get" && ("body" in init || "json" in init);
          if (isRead) continue;
          const answer = await api.fetch(filled, { ...init, method: method.toUpperCase() });
          expect(Object.keys(responses), `${method} ${path}`).toContain(String(answer.status));
          await mustBeDescribed(method, path, answer);
        }
      }
    }
  });

  it("for every code that a route can give: each is in the document", () => {
    const text = JSON.stringify(document.paths);
    // What only the command line and the start of the daemon meet.
    const local = [
      ...["CONFIG_INVALID", "DAEMON_UNREACHABLE", "ALREADY_RUNNING", "PORT_TAKEN"],
      ...["IMAGE_IN_USE", "IMAGE_BUILD_FAILED", "METHOD_NOT_ALLOWED", "SANDBOX_BUSY"],
    ];
    const missing = errorCodes.filter((code) => !text.includes(code) && !local.includes(code));
    expect(missing).toEqual([]);
  });
});
