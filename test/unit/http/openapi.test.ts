import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { steps } from "../../../src/lib/contract/sandbox.js";
import { errorCodes } from "../../../src/lib/errors.js";
import { TestApi } from "./support.js";

interface Schema {
  $ref?: string;
  required?: string[];
  minProperties?: number;
  additionalProperties?: unknown;
  properties?: Record<string, { enum?: string[] }>;
}
interface Operation {
  security?: object[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { description: string; content?: Record<string, { schema?: Schema }> }>;
}

let api: TestApi;
let text: string;
let document: {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};
beforeAll(async () => {
  api = await TestApi.start();
  text = await (await api.fetch("/openapi.json")).text();
  document = JSON.parse(text) as typeof document;
});
afterAll(() => api.stop());

describe("/openapi.json", () => {
  it("says each named schema once, and refers to it by a reference that resolves", () => {
    const schemas = Object.keys(document.components.schemas);
    expect(schemas).toEqual(
      expect.arrayContaining([
        "Problem",
        "Sandbox",
        "SandboxList",
        "CreateRequest",
        "StepEvent",
        "IncidentEvent",
      ]),
    );
    for (const [, name] of text.matchAll(/"\$ref":"([^"]*)"/g))
      expect(schemas.map((schema) => `#/components/schemas/${schema}`)).toContain(name);
    expect(text).not.toContain("$defs");
    for (const [name, schema] of Object.entries(document.components.schemas))
      expect(schema.$ref, name).toBeUndefined();
  });

  it("describes requests as they are written, and answers as they come", () => {
    const { CreateRequest: request, Sandbox: sandbox } = document.components.schemas;
    expect(request?.required ?? []).toEqual([]);
    expect(request?.additionalProperties).toBe(false);
    expect(Object.keys(request?.properties ?? {})).toEqual(
      expect.arrayContaining(["name", "ttl", "memory"]),
    );
    expect(sandbox?.required).toEqual(expect.arrayContaining(["id", "dockerHost", "slice"]));
    expect(sandbox?.required).not.toContain("reason");
  });

  it("says that a resize names one limit at least, and takes those of a creation", () => {
    const { CreateRequest: creation, ResizeRequest: resize } = document.components.schemas;
    expect(resize).toMatchObject({ additionalProperties: false, minProperties: 1 });
    expect(resize?.required ?? []).toEqual([]);
    for (const limit of ["memory", "cpus", "pids", "disk"])
      expect(resize?.properties?.[limit]).toEqual(creation?.properties?.[limit]);
    const { responses } = document.paths["/v1/sandboxes/{id}/resize"]?.["post"] ?? {};
    expect(responses?.["400"]?.description).toContain("LIMIT_OUT_OF_RANGE");
    expect(responses?.["409"]?.description).toContain("SANDBOX_NOT_READY");
  });

  it("knows every code and every step", () => {
    const { Problem: problem, StepEvent: step } = document.components.schemas;
    expect(problem?.properties?.["code"]?.enum).toEqual([...errorCodes]);
    expect(step?.properties?.["step"]?.enum).toEqual([...steps]);
  });

  it("asks for a token where one is needed, and says what comes without one", () => {
    const browsers = ["/v1/session", "/v1/session/oidc", "/v1/session/oidc/callback"];
    const open = ["/healthz", "/metrics", "/", "/openapi.json", ...browsers];
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, { security, responses }] of Object.entries(methods)) {
        expect(security === undefined, path).toBe(open.includes(path));
        const signsIn = path === "/v1/session" && method === "post";
        expect(responses["401"] === undefined, path).toBe(open.includes(path) && !signsIn);
        expect(responses["500"]?.description, path).toContain("INTERNAL");
      }
    }
  });
});
