import { lstat, mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleFileModes, bundleFileNames, readBundleTar } from "../../src/lib/bundle-archive.js";
import { reapResult, sandbox, sandboxList, type Sandbox } from "../../src/lib/contract/sandbox.js";
import { execa } from "execa";
import {
  addUser,
  berth,
  berthJson,
  create,
  ok,
  onHost,
  projectDir,
  run,
  show,
  traces,
} from "./support.js";
import { cli } from "./where.js";

const user = "e2e-cli";
let before: string[];
let dir: string;
let lab: Sandbox;

beforeAll(async () => {
  before = await traces();
  dir = await mkdtemp(join(tmpdir(), "berth-e2e-"));
  lab = await create(user, "--name", "lab", "--ttl", "2h", "--memory", "512M", "--disk", "2G");
});

afterAll(async () => {
  await berth("user", "remove", "e2e-cli2");
  ok(await berth("user", "remove", user));
  await rm(dir, { recursive: true });
  expect(await traces()).toEqual(before);
});

const program = join(projectDir, "bin", "berth");

describe("berth", () => {
  it("shows help for every verb, with exit code 0", async () => {
    const help = ok(await berth("--help"));
    const verbs = [...help.matchAll(/^ {2}([a-z]+)(?:\|[a-z]+)?(?= .*)/gm)].map((m) => m[1] ?? "");
    const contract =
      "serve create list show bundle env extend resize remove reap user image doctor";
    expect(verbs).toEqual(expect.arrayContaining(contract.split(" ")));
    const nested = ["add", "list", "remove"].map((verb) => ["user", verb]);
    const ofImage = ["build", "list", "remove"].map((verb) => ["image", verb]);
    const lines = [...contract.split(" ").map((verb) => [verb]), ...nested, ...ofImage];
    const told = await Promise.all(lines.map((words) => berth(...words, "--help")));
    told.forEach(({ code, stdout, stderr }, i) => {
      const line = lines[i]?.join(" ") ?? "";
      expect({ line, code, stderr }).toEqual({ line, code: 0, stderr: "" });
      expect(stdout).toContain(`Usage: berth ${line}`);
    });
    expect(ok(await berth("help", "create"))).toBe(ok(await berth("create", "--help")));
  });

  it("ends with 2 when the command line is wrong, and says how it goes on stderr", async () => {
    for (const words of [["shwo"], [], ["show"], ["list", "--no-such"], ["create"], ["user"]]) {
      const said = await berth(...words);
      expect({ words, code: said.code }).toEqual({ words, code: 2 });
      expect(said.stdout).toBe("");
      expect(said.stderr).toMatch(/berth/);
    }
  });

  it("ends with 1 when it fails, and with --json still prints one document", async () => {
    const said = await berth("show", "e2e-nobody", "--json");
    expect(said.code).toBe(1);
    expect(JSON.parse(said.stdout)).toMatchObject({ error: { code: "SANDBOX_NOT_FOUND" } });
    const plain = await berth("show", "e2e-nobody");
    expect(plain).toMatchObject({ code: 1, stdout: "" });
    expect(plain.stderr).toContain("e2e-nobody");
  });

  it("takes a sandbox by id, by user and by user/name", async () => {
    for (const reference of [lab.id, user, `${user}/lab`]) {
      const shown = (await berthJson("show", reference)) as Sandbox & { usage: unknown };
      const { usage, ...rest } = shown;
      expect(rest).toEqual(lab);
      expect(usage).toBeDefined();
    }
    const said = ok(await berth("show", user));
    for (const text of [`${user}/lab is ready`, lab.id, lab.dockerHost, "512 MiB", lab.slice])
      expect(said).toContain(text);
  });

  it("lists as a table and as JSON", async () => {
    const listed = sandboxList.strict().parse(await berthJson("list", "--user", user));
    expect(listed.sandboxes).toEqual([lab]);
    expect(sandboxList.parse(await berthJson("list")).sandboxes).toContainEqual(lab);
    const [head, row] = ok(await berth("list", "--user", user)).split("\n");
    expect(head).toMatch(/^USER +NAME +ID +STATE/);
    expect(row).toMatch(new RegExp(`^${user} +lab +${lab.id} +ready +(2h|1h 5\\d?m)`));
    const none = await berth("list", "--user", "e2e-nobody");
    expect(none).toMatchObject({ code: 0, stdout: "" });
  });

  it("creates with progress on stderr and the way on at the end", async () => {
    const said = await berth("create", user, "--name", "second", "--memory", "256M");
    expect(said.code).toBe(0);
    expect(said.stdout).toContain(`${user}/second is ready`);
    expect(said.stdout).toContain(`berth bundle ${user}/second -o`);
    for (const step of ["slice", "certificates", "disk", "container"])
      expect(said.stderr).toContain(step);
    const again = await berth("create", user, "--name", "second", "--json");
    expect(again.code).toBe(1);
    expect(JSON.parse(again.stdout)).toMatchObject({ error: { code: "SANDBOX_EXISTS" } });
    ok(await berth("remove", `${user}/second`));
  });

  it("adds time", async () => {
    const now = await show(lab.id);
    const extended = sandbox.parse(await berthJson("extend", user, "--ttl", "90m"));
    expect(Date.parse(extended.expiresAt) - Date.parse(now.expiresAt)).toBe(90 * 60_000);
    lab = extended;
    const tooLong = await berth("extend", user, "--ttl", "9999h");
    expect(tooLong.code).toBe(1);
    expect(tooLong.stderr).toContain("TTL_TOO_LONG");
  });

  it("removes several, and what can be removed when one cannot", async () => {
    const [one, two] = [
      await create("e2e-cli2", "--name", "one", "--memory", "256M"),
      await create("e2e-cli2", "--name", "two", "--memory", "256M"),
    ];
    const said = await berth("remove", `e2e-cli2/one`, "e2e-nobody", two.id, "--json");
    expect(said.code).toBe(1);
    expect(JSON.parse(said.stdout)).toMatchObject({
      removed: [one.id, two.id],
      error: { code: "SANDBOX_NOT_FOUND" },
    });
    expect(sandboxList.parse(await berthJson("list", "--user", "e2e-cli2")).sandboxes).toEqual([]);
    ok(await berth("user", "remove", "e2e-cli2"));
    expect((await traces()).filter((line) => line.includes("cli2"))).toEqual([]);
  });

  it("says what reap would do, and does nothing of it", async () => {
    const told = reapResult.parse(await berthJson("reap", "--dry-run"));
    expect(told.dryRun).toBe(true);
    expect(told.actions.filter(({ thing }) => thing.includes(lab.id))).toEqual([]);
    expect((await show(lab.id)).state).toBe("ready");
  });
});

describe("berth bundle", () => {
  it("writes a directory whose key only its owner reads", async () => {
    const out = join(dir, "bundle");
    const said = (await berthJson("bundle", user, "-o", out)) as { path: string; files: string[] };
    expect(said).toMatchObject({ path: out, sandbox: lab.id });
    expect((await readdir(out)).sort()).toEqual([...bundleFileNames].sort());
    for (const [name, mode] of Object.entries(bundleFileModes))
      expect((await lstat(join(out, name))).mode & 0o777, name).toBe(mode);
    const readme = await readFile(join(out, "README.txt"), "utf8");
    expect(readme).toContain("docker context import");
    const version = ["--tlsverify", "version", "--format", "{{.Server.Os}}"];
    const tls = ["ca", "cert", "key"].map(
      (n) => `--tls${n === "ca" ? "cacert" : n}=${join(out, n)}.pem`,
    );
    expect(ok(await run("docker", ["-H", lab.dockerHost, ...tls, ...version]))).toBe("linux");
  });

  it("writes a zip that only its owner reads", async () => {
    const file = join(dir, "bundle.zip");
    ok(await berth("bundle", `${user}/lab`, "-o", file));
    expect((await lstat(file)).mode & 0o777).toBe(0o600);
    const list = ["-c", "import sys,zipfile;print(*zipfile.ZipFile(sys.argv[1]).namelist())"];
    const names = ok(await run("python3", [...list, file]));
    expect(names.split(" ").sort()).toEqual([...bundleFileNames].sort());
  });

  it("writes a tar to stdout and nothing else", async () => {
    const { file, args, env } = cli(["bundle", lab.id, "-o", "-"]);
    const { stdout } = await execa(file, args, { env, encoding: "buffer" });
    const files = await readBundleTar(Buffer.from(stdout));
    expect(files.map(({ name }) => name)).toEqual(bundleFileNames);
  });
});

describe("berth env", () => {
  it("prints lines that bash evaluates, after which docker reaches the sandbox", async () => {
    const { file, env: where } = cli([]);
    const script = `set -eu; eval "$('${file}' env ${user})"; docker version --format '{{.Server.Os}}'; echo "$DOCKER_HOST"; stat -c %a "$DOCKER_CERT_PATH"/key.pem`;
    // A context of the shell's own would come before DOCKER_HOST.
    const env = { ...where, HOME: dir, DOCKER_CONTEXT: "some-other" };
    const said = ok(await run("bash", ["-c", script], { env }));
    expect(said.split("\n")).toEqual(["linux", lab.dockerHost, "600"]);
  });
});

describe("berth completion", () => {
  it("tells bash the sandboxes that there are now", async () => {
    const { file, env } = cli([]);
    const completed = async (...words: string[]) => {
      const script = `source <('${file}' completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _berth; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const said = ok(await run("bash", ["-c", script, "bash", file, ...words], { env }));
      return said.split("\n").filter((line) => line !== "");
    };
    expect(await completed("sho")).toEqual(["show"]);
    expect(await completed("show", `${user}/`)).toEqual([`${user}/lab`]);
    expect(await completed("remove", lab.id.slice(0, 4))).toContain(lab.id);
    expect(await completed("user", "remove", user)).toContain(user);
    expect(await completed("create", user, "--profile", "emp")).toEqual(["empty"]);
  });
});

describe("berth, with a URL and a token", () => {
  it("does the same from anywhere, for that user alone", async () => {
    const client = await addUser(user);
    const env = { BERTH_URL: client.url, BERTH_TOKEN: client.token ?? "" };
    const asUser = (...words: string[]) => run(program, words, { env });
    expect(JSON.parse(ok(await asUser("whoami", "--json")))).toMatchObject({ user, role: "user" });
    expect(JSON.parse(ok(await asUser("list", "--json")))).toEqual({ sandboxes: [lab] });
    const refused = await asUser("user", "list");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("FORBIDDEN");
    const wrong = await run(program, ["list"], { env: { ...env, BERTH_TOKEN: "nonsense" } });
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain("UNAUTHENTICATED");
    const missing = await run(program, ["list"], { env: { ...env, BERTH_TOKEN: "" } });
    expect(missing.stderr).toContain("BERTH_TOKEN");
    const nowhere = await run(program, ["list", "--url", "http://127.0.0.1:9"]);
    expect(nowhere.code).toBe(1);
    expect(nowhere.stderr).toContain("DAEMON_UNREACHABLE");
  });
});

describe("the host's verbs", () => {
  it("doctor finds the host in order and names the address", async () => {
    const report = await berthJson("doctor");
    expect(report).toMatchObject({
      ok: true,
      url: expect.stringMatching(/^https?:\/\//) as string,
    });
    const { url } = report as { url: string };
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const said = ok(await berth("doctor"));
    expect(said).toContain(url);
    expect(said).toContain("Configuration in effect:");
  });

  it("image build does nothing when nothing changed, and says so", async () => {
    const images = async () => ok(await onHost("docker images -q --no-trunc berth/dind"));
    const there = await images();
    expect(ok(await berth("image", "build"))).toMatch(/^berth\/dind:[0-9a-f]{12} is up to date, /);
    expect(await berthJson("image", "build")).toMatchObject({ built: false });
    expect(await images()).toBe(there);
  });

  it("image list shows the one in use, which cannot be removed", async () => {
    const { images } = (await berthJson("image", "list")) as {
      images: { tag: string; current: boolean; inUse: boolean; images: string[] }[];
    };
    // The one without preloads: those of profiles are current as well.
    const current = images.find((image) => image.current && image.images.length === 0);
    expect(current).toMatchObject({ inUse: true });
    const refused = await berth("image", "remove", current?.tag ?? "", "--json");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(current?.tag);
  });
});
