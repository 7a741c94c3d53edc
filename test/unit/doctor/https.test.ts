import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/config.js";
import { checkHttps, checkSignIn } from "../../../src/doctor/https.js";

const config = (given: object) => parseConfig(given, "test config");

describe("doctor on plain HTTP", () => {
  it.each([
    ["ok", "on loopback", {}],
    [
      "ok",
      "behind a proxy with HTTPS",
      { publicUrl: "https://b.test", listen: { host: "10.0.0.1", plainHttp: true } },
    ],
    ["warning", "for others", { listen: { host: "0.0.0.0", plainHttp: true } }],
  ])("is %s %s: cookies go to published ports as well", async (status, _where, given) => {
    expect(await checkHttps(config(given))).toMatchObject({ check: "https", status });
  });
});

describe("doctor on a proxy's header", () => {
  it.each([
    ["ok", {}],
    ["ok", { proxy: { header: "Remote-User", from: ["10.0.0.2"] } }],
    ["ok", { proxy: { header: "Remote-User", from: ["127.0.0.1"], secretFile: "/etc/s" } }],
    ["warning", { proxy: { header: "Remote-User", from: ["10.0.0.2", "127.0.0.0/8"] } }],
    ["warning", { proxy: { header: "Remote-User", from: ["::1"] } }],
  ])("is %s with %j", (status, signIn) => {
    expect(checkSignIn(config({ signIn }))).toMatchObject({ check: "sign-in", status });
  });
});
