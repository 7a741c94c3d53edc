import { describe, expect, it } from "vitest";
import { adminPath, parseRoute, Router, sandboxPath } from "../../../src/http/page/model/router.js";

describe("the addresses of views", () => {
  it.each([
    ["/", { view: "home" }],
    ["/new", { view: "new" }],
    ["/new/", { view: "new" }],
    ["/sandboxes/k3x9f2ab", { view: "sandbox", id: "k3x9f2ab" }],
    ["/sandboxes/a%2Fb", { view: "sandbox", id: "a/b" }],
    ["/sandboxes/%", { view: "sandbox", id: "%" }],
    ["/admin", { view: "admin", page: "sandboxes" }],
    ["/admin/host", { view: "admin", page: "host" }],
    ["/admin/constructor", { view: "nowhere" }],
    ["/sandboxes", { view: "nowhere" }],
    ["/sandboxes/a/b", { view: "nowhere" }],
    ["//evil.example", { view: "nowhere" }],
  ])("%s", (path, route) => {
    expect(parseRoute(path)).toEqual(route);
  });

  it("lead back to what they were made from", () => {
    expect(parseRoute(sandboxPath("a/?b"))).toEqual({ view: "sandbox", id: "a/?b" });
    expect(parseRoute(adminPath("users"))).toEqual({ view: "admin", page: "users" });
    expect(adminPath("sandboxes")).toBe("/admin");
  });
});

describe("Router", () => {
  it("counts visits, so that a view knows whether somebody came within the page", () => {
    const location = { pathname: "/" };
    const go = (_state: unknown, _title: string, path: string) => {
      location.pathname = path;
    };
    const history = { pushState: go, replaceState: go };
    const router = new Router({ location, history, scrollTo: () => undefined });
    let told = 0;
    router.place.subscribe(() => told++);
    router.go("/new");
    expect(router.place.value).toEqual({ path: "/new", visit: 1 });
    location.pathname = "/";
    router.follow();
    expect(router.place.value).toEqual({ path: "/", visit: 2 });
    expect(told).toBe(2);
  });
});
