import { execa } from "execa";
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeTree } from "./tree.js";

// scripts/lib/deploy.sh and outside.sh, which install, upgrade and take back, on a root of the test's own.

const lib = join(import.meta.dirname, "../../../scripts/lib");

let dir: string;
let root: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "berth-deploy-"));
  root = join(dir, "root");
  await mkdir(join(root, "usr/local/bin"), { recursive: true });
});
afterEach(() => rm(dir, { recursive: true }));

/** A tree as a clone or a release has it, as small as it can be. */
function tree(name: string, files: Record<string, string> = {}): Promise<string> {
  return writeTree(join(dir, name), {
    "bin/berth": "#!/bin/sh",
    "dist/main.js": "",
    "slices/berth.service": "[Unit]",
    ...files,
    "package.json": name,
  });
}

/** Runs shell lines with the functions at hand; their exit code, and what they said. */
async function shell(lines: string) {
  const script = `set -Eeuo pipefail; LIB=${lib}; . $LIB/common.sh; . $LIB/deploy.sh; . $LIB/install.sh\n${lines}`;
  const { exitCode, all } = await execa("bash", ["-c", script], { reject: false, all: true });
  return { code: exitCode, said: all };
}

async function deploy(from: string, then = ""): Promise<void> {
  expect(await shell(`deploy_project ${from} ${root}; ${then}`)).toEqual({ code: 0, said: "" });
}
const settled = () => `deploy_settle ${root}`;

const read = (file: string) => readFile(join(root, file), "utf8");
const version = () => read("opt/berth/package.json");
const list = async () => (await read("opt/berth/.installed")).trim().split("\n");
/** Files and links outside of /opt. */
async function outside(): Promise<string[]> {
  const { stdout } = await execa("find", ["etc", "usr", "!", "-type", "d"], {
    cwd: root,
    reject: false,
  });
  return stdout.split("\n").filter(Boolean).sort();
}

// It gives all files to root.
describe.skipIf(process.getuid?.() !== 0)("deploying", () => {
  it("puts a tree and what belongs to it in place, lists that, and does nothing when repeated", async () => {
    const first = await tree("first", { "dist/share/man/man1/berth.1": ".TH" });
    await deploy(first, settled());
    expect(await outside()).toEqual([
      "etc/systemd/system/berth.service",
      "usr/local/bin/berth",
      "usr/local/share/man/man1/berth.1",
    ]);
    expect(await readlink(join(root, "usr/local/share/man/man1/berth.1"))).toBe(
      "/opt/berth/dist/share/man/man1/berth.1",
    );
    expect(await list()).toEqual([
      "directory /etc",
      "directory /etc/systemd",
      "directory /etc/systemd/system",
      "directory /usr/local/share",
      "directory /usr/local/share/man",
      "directory /usr/local/share/man/man1",
      "file /etc/systemd/system/berth.service",
      "link /usr/local/bin/berth",
      "link /usr/local/share/man/man1/berth.1",
    ]);
    const { ino } = await stat(join(root, "opt/berth"));
    await deploy(first);
    expect((await stat(join(root, "opt/berth"))).ino).toBe(ino);
  });

  it("has the same stamp whatever the umask, and another for other content", async () => {
    const first = await tree("same");
    const stamp = async () => (await shell(`deploy_stamp ${first}`)).said;
    const before = await stamp();
    await execa("chmod", ["-R", "go-rwx", first]);
    expect(await stamp()).toBe(before);
    await writeFile(join(first, "bin/berth"), "#!/bin/bash");
    expect(await stamp()).not.toBe(before);
  });

  it("takes away what an earlier version brought and this one lacks", async () => {
    await deploy(await tree("first", { "slices/berth-old.timer": "[Timer]" }), settled());
    await deploy(await tree("second"), settled());
    expect(await outside()).toEqual(["etc/systemd/system/berth.service", "usr/local/bin/berth"]);
    expect((await list()).join()).not.toContain("berth-old");
    expect(await readdir(join(root, "opt"))).toEqual(["berth"]);
  });

  it("goes back to the version before with all that belongs to it", async () => {
    await deploy(await tree("first", { "slices/berth-old.timer": "[Timer]" }), settled());
    await deploy(await tree("second", { "dist/share/completions/_berth": "#compdef" }));
    expect(await outside()).toContain("usr/local/share/zsh/site-functions/_berth");
    expect(await shell(`deploy_undo ${root}`)).toMatchObject({ code: 0 });
    expect(await version()).toBe("first");
    expect(await outside()).toEqual([
      "etc/systemd/system/berth-old.timer",
      "etc/systemd/system/berth.service",
      "usr/local/bin/berth",
    ]);
    expect(await readdir(join(root, "opt"))).toEqual(["berth"]);
  });

  it("keeps, to go back to, the last version that was seen to work", async () => {
    await deploy(await tree("works"), settled());
    await deploy(await tree("unknown"));
    await deploy(await tree("third"));
    await shell(`deploy_undo ${root}`);
    expect(await version()).toBe("works");
  });

  it.each([
    ["before the first rename", "true", "first"],
    ["between two renames", "mv berth berth.old", "first"],
    ["while it went back", "cp -a berth berth.old; mv berth berth.bad", "first"],
  ])("goes on after it was killed %s", async (_when, killed, there) => {
    await deploy(await tree("first"), settled());
    const opt = join(root, "opt");
    ok(await shell(`cd ${opt}; mkdir berth.new; ${killed}; deploy_recover ${root}`));
    expect(await version()).toBe(there);
    await deploy(await tree("second"), settled());
    expect(await version()).toBe("second");
    expect(await readdir(opt)).toEqual(["berth"]);
  });

  it.each([
    ["a whole one that was seen to work", "true", "works"],
    ["half a one", "rm -r berth.old/dist", "unknown"],
    ["one without a stamp", "rm berth.old/.stamp", "unknown"],
    ["one that lies beside a version that was seen to work", "touch berth/.settled", "unknown"],
  ])("goes back, of what lies beside the new version, to %s", async (_what, change, there) => {
    await deploy(await tree("works"), settled());
    await deploy(await tree("unknown"), `cd ${root}/opt; ${change}`);
    const back = `! deploy_can_undo ${root} || deploy_undo ${root}; deploy_recover ${root}`;
    ok(await shell(back));
    expect(await version()).toBe(there);
    expect(await readdir(join(root, "opt"))).toEqual(["berth"]);
  });

  it("takes nothing back over a version in use whose predecessor was being removed", async () => {
    await deploy(await tree("used"), settled());
    // As installations were before anybody went back: neither list nor mark, and what was before removed in place.
    const opt = join(root, "opt");
    ok(await shell(`cd ${opt}; cp -a berth berth.old; rm berth/.installed berth/.settled`));
    ok(await shell(`rm -r ${opt}/berth.old/.{installed,settled} ${opt}/berth.old/bin`));
    await deploy(await tree("second"));
    ok(await shell(`deploy_undo ${root}`));
    expect(await version()).toBe("used");
    expect(await read("opt/berth/bin/berth")).toBe("#!/bin/sh");
    // And once more, from one that has been gone back to.
    await deploy(await tree("third"));
    ok(await shell(`deploy_undo ${root}`));
    expect(await version()).toBe("used");
  });

  it.each([
    ["a version that was seen to work", settled, "mv berth berth.old", "used"],
    ["one that was not", () => "true", "mv berth berth.bad", "works"],
  ])("undoes what was broken off between the renames over %s", async (_of, then, killed, there) => {
    await deploy(await tree("works"), settled());
    await deploy(await tree("used"), then());
    const opt = join(root, "opt");
    ok(await shell(`cd ${opt}; cp -a berth berth.new; ${killed}; deploy_undo ${root}`));
    expect(await version()).toBe(there);
    expect(await readdir(opt)).toEqual(["berth"]);
  });

  it("does not write over what is not Berth's, and deploys nothing then", async () => {
    await writeFile(join(root, "usr/local/bin/berth"), "somebody's");
    const first = await tree("first");
    const refused = await shell(`deploy_project ${first} ${root}`);
    expect(refused.code).toBe(1);
    expect(refused.said).toContain("/usr/local/bin/berth is there and not of an earlier");
    expect(await outside()).toEqual(["usr/local/bin/berth"]);
    expect(await readdir(join(root))).toEqual(["usr"]);
  });

  it("takes over an installation of before there was a list", async () => {
    await deploy(await tree("first", { "slices/berth-old.timer": "[Timer]" }), settled());
    await rm(join(root, "opt/berth/.installed"));
    await writeFile(join(root, "etc/systemd/system/berth.service"), "[Unit] # by hand");
    await deploy(await tree("second"), settled());
    expect(await read("etc/systemd/system/berth.service")).toBe("[Unit]");
    expect(await list()).toContain("link /usr/local/bin/berth");
    expect(await outside()).toEqual(["etc/systemd/system/berth.service", "usr/local/bin/berth"]);
  });
});

describe.skipIf(process.getuid?.() !== 0)("taking away", () => {
  it("leaves no file, link or directory that was made, and nothing else touched", async () => {
    await mkdir(join(root, "etc/systemd/system"), { recursive: true });
    await writeFile(join(root, "etc/systemd/system/other.service"), "");
    await deploy(
      await tree("first", {
        "dist/share/man/man1/berth.1": ".TH",
        "dist/share/man/man5/berth.yaml.5": ".TH",
        "dist/share/completions/berth.fish": "#",
      }),
      settled(),
    );
    // What somebody made of a link since is theirs.
    await execa("ln", ["-sfn", "/elsewhere", join(root, "usr/local/share/man/man5/berth.yaml.5")]);
    ok(await shell(`outside_remove ${root}`));
    expect(await outside()).toEqual([
      "etc/systemd/system/other.service",
      "usr/local/share/man/man5/berth.yaml.5",
    ]);
    expect(await readdir(join(root, "usr/local/share/man"))).toEqual(["man5"]);
    expect(await readdir(join(root, "etc"))).toEqual(["systemd"]);
  });

  it("knows the packages that were installed for it, through upgrades too", async () => {
    await deploy(await tree("first"), `${settled()}; outside_note ${root} package nftables curl`);
    await deploy(await tree("second"), `${settled()}; outside_note ${root} package`);
    expect(await shell(`outside_noted ${root}/opt/berth package`)).toEqual({
      code: 0,
      said: "curl\nnftables",
    });
  });
});

describe.skipIf(process.getuid?.() !== 0)("the configuration", () => {
  const sample = (text: string) => ({ "dist/share/berth.yaml": text });
  const put = `put_configuration ROOT`;
  const withSample = async (name: string, text: string) =>
    deploy(await tree(name, sample(text)), `${put.replace("ROOT", root)}; ${settled()}`);

  it("is a sample that only its owners read, and newer ones follow while it is nobody's", async () => {
    await withSample("first", "# one");
    const modes = ["etc/berth", "etc/berth/berth.yaml"].map((file) => stat(join(root, file)));
    expect((await Promise.all(modes)).map(({ mode }) => mode & 0o777)).toEqual([0o750, 0o640]);
    await withSample("second", "# two");
    expect(await read("etc/berth/berth.yaml")).toBe("# two");
  });

  it("is never changed once somebody has", async () => {
    await withSample("first", "# one");
    await writeFile(join(root, "etc/berth/berth.yaml"), "keyPool: 3");
    await withSample("second", "# two");
    expect(await read("etc/berth/berth.yaml")).toBe("keyPool: 3");
  });
});

function ok({ code, said }: { code: number | undefined; said: string | undefined }): void {
  expect(said).toBe("");
  expect(code).toBe(0);
}
