import { expect, it } from "vitest";
import { mmdebstrapArguments } from "../../../src/image/mmdebstrap.js";
import type { Recipe } from "../../../src/image/recipe.js";

const recipe: Recipe = {
  suite: "trixie",
  variant: "essential",
  packages: ["docker.io", "tini"],
  exclude: ["/usr/share/doc/*"],
  keep: ["/usr/share/doc/*/copyright"],
  drop: [],
  files: [],
  entrypoint: ["/x"],
  stopSignal: "SIGTERM",
};
const options = [
  "--format=tar",
  "--variant=essential",
  "--include=docker.io,tini",
  '--aptopt=APT::Install-Recommends "false"',
  "--dpkgopt=path-exclude=/usr/share/doc/*",
  "--dpkgopt=path-include=/usr/share/doc/*/copyright",
];

it.each([
  ["its own mirrors by default", {}, []],
  ["the machine's sources from standard input", { sources: "Types: deb\n" }, ["-"]],
  ["the given mirror", { mirror: "http://m.test/debian" }, ["http://m.test/debian"]],
  [
    "the given mirror before the machine's",
    { mirror: "http://m.test/debian", sources: "Types: deb\n" },
    ["http://m.test/debian"],
  ],
])("mmdebstrap takes %s", (_, where, mirrors) => {
  expect(mmdebstrapArguments({ recipe, ...where })).toEqual([
    ...options,
    "trixie",
    "-",
    ...mirrors,
  ]);
});
