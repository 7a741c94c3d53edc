import { describe, expect, it } from "vitest";
import {
  debianArchitecture,
  identify,
  labelsOf,
  tagOf,
  type ImageInputs,
} from "../../../src/image/digest.js";

const file = (name: string, content: string, executable = false) => ({
  name,
  executable,
  content: Buffer.from(content),
});
const inputs: ImageInputs = {
  architecture: "amd64",
  files: [file("entrypoint", "#!/bin/sh\n", true), file("recipe.json", "{}")],
};
const digestOf = (changed: Partial<ImageInputs> = {}) => identify({ ...inputs, ...changed }).digest;

describe("the digest of an image", () => {
  it("is the same for the same inputs, whatever their order", () => {
    expect(digestOf({ files: inputs.files.toReversed() })).toBe(digestOf());
  });

  it.each<[string, Partial<ImageInputs>]>([
    ["another architecture", { architecture: "arm64" }],
    ["a base", { base: "debian:trixie-slim" }],
    ["a file more", { files: [...inputs.files, file("daemon.json", "{}")] }],
    ["a file less", { files: inputs.files.slice(1) }],
    [
      "another content",
      { files: [file("entrypoint", "#!/bin/sh", true), file("recipe.json", "{}")] },
    ],
    ["another name", { files: [file("entry", "#!/bin/sh\n", true), file("recipe.json", "{}")] }],
    ["another mode", { files: [file("entrypoint", "#!/bin/sh\n"), file("recipe.json", "{}")] }],
  ])("changes with %s", (_, changed) => {
    expect(digestOf(changed)).not.toBe(digestOf());
  });

  it("names the same recipe on every base", () => {
    const onBase = identify({ ...inputs, base: "debian:trixie-slim" });
    expect(onBase.recipe).toBe(identify(inputs).recipe);
  });

  it("makes the tag and the labels", () => {
    const identity = identify(inputs);
    expect(tagOf(identity)).toMatch(/^berth\/dind:[0-9a-f]{12}$/);
    expect(labelsOf(identity)).toEqual({
      "berth.image": "dind",
      "berth.digest": identity.digest,
      "berth.recipe": identity.recipe,
    });
  });
});

it.each([
  ["x64", "amd64"],
  ["arm64", "arm64"],
] as const)("Node's %s is Debian's %s", (node, debian) => {
  expect(debianArchitecture(node)).toBe(debian);
});
