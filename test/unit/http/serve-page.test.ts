import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { problemIn, TestApi } from "./support.js";

const browser = { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };
const script = "console.log(1)".repeat(100);

let api: TestApi;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "berth-page-"));
  await mkdir(join(dir, "assets"));
  await writeFile(join(dir, "index.html"), "<!doctype html><title>Berth</title>");
  await writeFile(join(dir, "assets", "main-1a2b.js"), script);
  await writeFile(join(dir, "assets", "main-1a2b.js.gz"), gzipSync(script));
  await writeFile(join(dir, "assets", "plain-3c4d.css"), "a{}");
  api = await TestApi.start({}, { pageDir: dir });
});
afterAll(async () => {
  await api.stop();
  await rm(dir, { recursive: true });
});

describe("the page", () => {
  it.each(["/", "/new", "/sandboxes/k3x9f2ab", "/admin/users", "/what/ever"])(
    "is at %s, and asked for anew each time",
    async (path) => {
      const answer = await api.fetch(path, { headers: browser });
      expect(answer.status).toBe(200);
      expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(answer.headers.get("cache-control") ?? "").not.toMatch(/immutable|max-age=[1-9]/);
      expect(await answer.text()).toContain("<title>Berth</title>");
    },
  );

  it.each(["/v1/nothing", "/v2/sandboxes", "/v1", "/assets/gone-9.js", "/app.js", "/page/gone.js"])(
    "is not at %s",
    async (path) => {
      const problem = await problemIn(await api.fetch(path, { headers: browser }));
      expect(problem).toMatchObject({ status: 404, code: "NOT_FOUND" });
    },
  );

  it("is not what a program gets for a path it mistyped", async () => {
    for (const accept of ["*/*", "application/json"])
      expect((await api.fetch("/sandboxes", { headers: { accept } })).status).toBe(404);
    const written = await api.fetch("/new", { method: "POST", headers: browser });
    expect(written.status).toBe(404);
  });

  it("has files whose names tell their content, kept by browsers, compressed for those that can", async () => {
    for (const encoding of ["gzip", "identity"]) {
      const headers = { "accept-encoding": encoding };
      const answer = await api.fetch("/assets/main-1a2b.js", { headers });
      expect(answer.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
      expect(answer.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
      expect(answer.headers.get("content-encoding") === "gzip").toBe(encoding === "gzip");
      expect(answer.headers.get("vary")).toBe("Accept-Encoding");
      expect(await answer.text()).toBe(script);
    }
    expect((await api.fetch("/assets/plain-3c4d.css")).status).toBe(200);
    for (const path of ["/assets/%2e%2e/index.html", "/assets/..%2findex.html", "/assets/"])
      expect((await api.fetch(path)).status, path).toBe(404);
  });

  it("may load, run, ask and frame nothing from elsewhere", async () => {
    for (const path of ["/", "/assets/main-1a2b.js", "/v1/me", "/nothing"]) {
      const { headers } = await api.fetch(path, { headers: browser });
      expect(headers.get("content-security-policy"), path).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
          "img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'self'; " +
          "frame-ancestors 'none'",
      );
      expect(headers.get("x-content-type-options"), path).toBe("nosniff");
    }
  });
});
