import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exerciseNames } from "../../src/image/exercise-folder.js";
import { SecondBerth } from "./second-berth.js";
import {
  berth,
  berthJson,
  create,
  DockerClient,
  ok,
  onHost,
  projectDir,
  run,
  traces,
} from "./support.js";

// Each exercise's solution, as a learner would run it: with the docker client of their own, on their own
// machine, against a `userns` sandbox. The solutions check themselves what they see.

const user = "e2e-learner";
const dir = join(projectDir, "images", "exercises");
const names = await exerciseNames(dir);
let before: string[];
let client: DockerClient;

beforeAll(async () => {
  ok(await berth("image", "build", "exercises"));
  before = await traces();
  const sandbox = await create(user, "--profile", "exercises");
  client = await DockerClient.of(user, sandbox.dockerHost);
});

afterAll(async () => {
  ok(await berth("user", "remove", user));
  await client.remove();
  expect(await traces()).toEqual(before);
});

describe("the solution of the exercise", () => {
  it.each(names)("%s sees all that its text promises, and leaves nothing running", async (name) => {
    const ran = await run(join(dir, name, "solution"), [], { env: client.env });
    expect(ran.stdout + ran.stderr).toContain(`${name}: all seen`);
    expect(ran.code).toBe(0);
    expect(await client.docker("ps", "-aq")).toBe("");
    expect(await client.docker("volume", "ls", "-q")).toBe("");
  });
});

describe("the exercise file-systems in a privileged sandbox", () => {
  it("is mounted by the kernel as well", async () => {
    const second = await new SecondBerth({
      allowPrivileged: true,
      profiles: { trusted: { isolation: "privileged" } },
    }).start();
    const trusted = await second.client(await second.create(user, "--profile", "trusted"));
    await trusted.loadFromHost(["berth/exercise-file-systems:latest"]);
    const solution = join(dir, "file-systems", "solution");
    const ran = await run(solution, ["native"], { env: trusted.env });
    expect(ran.stdout + ran.stderr).toContain("file-systems: all seen");
    ok(await second.berth("user", "remove", user));
    expect(await second.traces()).toEqual([]);
    await second.remove();
    await trusted.remove();
  });
});

describe("the toolbox", () => {
  it("has the exercises and a client with compose for those who have none", async () => {
    const script =
      "cd shell && docker compose up -d && docker compose exec -T shell whoami && docker compose down -vt0";
    const said = await client.docker(
      ...["run", "--rm", "-v", "/run/docker.sock:/run/docker.sock"],
      ...["berth/exercise-toolbox", "sh", "-c", script],
    );
    expect(said).toContain("student");
  });
});

describe("berth image build exercises", () => {
  it("has nothing to do when nothing changed", async () => {
    expect(await berthJson("image", "build", "exercises")).toMatchObject({ built: false });
  });

  it("lets all stand on one base, whose layer is on the host once", async () => {
    const refs = [...names, "toolbox"].map((name) => `berth/exercise-${name}`);
    const format = "{{index .RootFS.Layers 0}}";
    const layers = ok(await onHost(`docker image inspect -f '${format}' ${refs.join(" ")}`));
    expect(new Set(layers.split("\n")).size).toBe(1);
  });
});
