import { describe, expect, it } from "vitest";
import { bundleFiles } from "../../../src/bundle/files.js";
import { contextName as onPage } from "../../../src/http/page/model/connect.js";
import { contextName } from "../../../src/lib/context-name.js";
import type { BundleInput } from "../../../src/lib/model.js";
import { input, now } from "./support.js";

async function textOf(name: string, changes: Partial<BundleInput> = {}): Promise<string> {
  const files = await bundleFiles(input(changes), now);
  return files.find((file) => file.name === name)?.content.toString() ?? "";
}

describe("a bundle", () => {
  it("has the files that docker looks for, and only its owner may read what holds the key", async () => {
    const files = await bundleFiles(input(), now);
    const modes = Object.fromEntries(files.map(({ name, mode }) => [name, mode.toString(8)]));
    expect(modes).toEqual({
      "berth.dockercontext": "600",
      "ca.pem": "644",
      "cert.pem": "644",
      "key.pem": "600",
      "env.sh": "644",
      "env.ps1": "644",
      "README.txt": "644",
    });
    expect(await textOf("ca.pem")).toBe("the CA certificate\n");
    expect(await textOf("cert.pem")).toBe("the certificate\n");
    expect(await textOf("key.pem")).toBe("the key\n");
  });

  it("is the same for the same input", async () => {
    expect(await bundleFiles(input(), now)).toEqual(await bundleFiles(input(), now));
  });

  it("has the key in key.pem and the context, and nowhere else", async () => {
    const files = await bundleFiles(input(), now);
    const holders = files.filter(({ content }) => content.includes("the key\n"));
    expect(holders.map(({ name }) => name)).toEqual(["berth.dockercontext", "key.pem"]);
  });
});

describe("README.txt", () => {
  it("says until when, in UTC and in words", async () => {
    const text = await textOf("README.txt");
    expect(text).toContain("Certificate ends 2026-03-02 12:00 UTC (in 1d)");
    expect(text).toContain("Sandbox ends     2026-03-03 12:00 UTC (in 2d)");
    expect(text).toContain("count from 2026-03-01 12:00 UTC");
  });

  it("has lines to paste for context, compose, ports and renewal", async () => {
    const text = await textOf("README.txt");
    expect(text).toContain("    docker context import ann berth.dockercontext\n");
    expect(text).toContain("    . ./env.sh\n");
    expect(text).toContain("    . .\\env.ps1\n");
    expect(text).toContain("    docker --context ann compose up -d\n");
    expect(text).toContain("docker run -d -p 21003:80 nginx");
    expect(text).toContain("http://build.example.org:21003");
    expect(text).toContain("    berth bundle a1b2c3d4 -o .\n");
    expect(text).toContain("    docker context rm --force ann\n");
  });

  it("says plainly that a privileged sandbox gives root on the host", async () => {
    expect(await textOf("README.txt", { isolation: "privileged" })).toMatch(
      /whoever\s+has the files of this bundle can become root on the host/,
    );
  });

  it("has an example port inside a small range, and brackets around an IPv6 address", async () => {
    const ports = { from: 21000, to: 21001 };
    const text = await textOf("README.txt", { publicHost: "2001:db8::7", ports });
    expect(text).toContain("-p 21001:80 nginx");
    expect(text).toContain("http://[2001:db8::7]:21001");
  });
});

it.each([
  ["ann", "default", "ann"],
  ["ann", "ci", "ann-ci"],
  ["a", "default", "a-default"],
  ["default", "default", "default-default"],
])("calls the context of %s/%s %s", (user, name, expected) => {
  expect(contextName({ user, name })).toBe(expected);
  // The page is compiled apart and has it once more.
  expect(onPage({ user, name })).toBe(expected);
});

it("quotes what stands in the scripts", async () => {
  const dockerHost = "tcp://it's:1";
  expect(await textOf("env.sh", { dockerHost })).toContain("DOCKER_HOST='tcp://it'\\''s:1'\n");
  expect(await textOf("env.ps1", { dockerHost })).toContain("DOCKER_HOST = 'tcp://it''s:1'\n");
});
