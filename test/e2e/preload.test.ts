import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { imageList } from "../../src/lib/contract/host.js";
import type { Sandbox } from "../../src/lib/contract/sandbox.js";
import { me } from "../../src/lib/contract/user.js";
import { makeImages, makePlain, removeImages } from "./preload-images.js";
import { SecondBerth } from "./second-berth.js";
import { armed, type DockerClient, ok, onHost, type Ran } from "./support.js";

const images = ["pre-odd:1", "pre-plain:1"];
const scratch = "/var/tmp/berth-e2e-preload";

const second = new SecondBerth({
  allowPrivileged: true,
  profiles: {
    held: { images },
    trusted: { images, isolation: "privileged" },
    tar: { images: [`${scratch}/plain.tar`] },
    packed: { images: [`${scratch}/plain.tar.gz`] },
    layout: { images: [`${scratch}/layout`] },
    absent: { images: ["pre-plain:1", "pre-absent.invalid/nothing:1"] },
    broken: { images: [`${scratch}/broken.tar`] },
  },
});

const build = (...args: string[]): Promise<Ran> =>
  second.berth("image", "build", ...args, "--config", second.configFile);

const built = z.object({
  tag: z.string(),
  built: z.boolean(),
  images: z.array(z.object({ name: z.string(), bytes: z.number() })).optional(),
});
const tags = new Set<string>();
async function buildJson(...args: string[]) {
  const result = built.parse(JSON.parse(ok(await build(...args, "--json"))));
  // Without a profile it is the dind image, which is not this test's.
  if (args[0] !== undefined) tags.add(result.tag);
  return result;
}

/** What a build could leave: containers, volumes, parts of a store. */
async function leftovers(): Promise<string[]> {
  const lines = await onHost(`
    docker ps -a --format '{{.Names}}' | grep -E '^berth-[0-9a-f]{8}-' | sed 's/^/container /'
    docker volume ls --format 'volume {{.Name}}'
    ls -d ${second.dataDir}/preloads/building ${second.runDir}/build 2>/dev/null
    ls ${second.dataDir}/preloads 2>/dev/null | grep partial
    true`);
  return ok(lines).split("\n").filter(Boolean);
}

/** Stores that are there, and those that are mounted. */
async function stores() {
  const lines = await onHost(`
    ls ${second.dataDir}/preloads | sed -n 's/\\.erofs$//p' | sed 's/^/file /'
    findmnt -rno TARGET | sed -n 's|^${second.runDir}/preloads/|mount |p'; true`);
  return ok(lines).split("\n").filter(Boolean).sort();
}

const clients = new Map<string, DockerClient>();
async function sandboxOf(user: string, profile: string): Promise<[Sandbox, DockerClient]> {
  const made = await second.create(user, "--profile", profile);
  const client = await second.client(made);
  clients.set(user, client);
  return [made, client];
}

const sh = (client: DockerClient, image: string, line: string) =>
  client.docker("run", "--rm", image, "sh", "-c", line);

let before: string[];
let tag: string;
let sent: { name: string; bytes: number }[];

beforeAll(async () => {
  await second.start();
  const dind = await buildJson();
  await makeImages(dind.tag);
  before = await leftovers();
  ({ tag, images: sent = [] } = await buildJson("held"));
});

afterAll(async () => {
  for (const client of clients.values()) await client.remove();
  for (const { id } of await second.list()) ok(await second.berth("remove", id));
  await onHost(`docker rmi ${[...tags].join(" ")}`);
  await second.remove();
  await removeImages();
  await onHost(`rm -rf ${scratch}`);
});

describe("a preload that was built", () => {
  it("left nothing but an image and a store, and is not built again", async () => {
    expect(await leftovers()).toEqual(before);
    expect(await buildJson("held")).toEqual({ tag, built: false });
    expect(ok(await build("held"))).toContain("is up to date");
    // The same list under another name is the same preload.
    expect(await buildJson("trusted")).toMatchObject({ tag, built: false });
    expect(await stores()).toEqual([`file ${tag.split(":")[1] ?? ""}`]);
  });

  it("was sent what its images have in common once, and tells what they are", async () => {
    const [odd, plain] = sent;
    expect([odd?.name, plain?.name]).toEqual(images);
    // The layer with all the programs is in both.
    expect(plain?.bytes).toBeLessThan((odd?.bytes ?? 0) / 4);
    const listed = ok(await second.berth("image", "list", "--config", second.configFile));
    expect(listed).toMatch(new RegExp(`${tag} .*current.*${images.join(" ")}`));
  });

  it("can be taken to another host as an image", async () => {
    const name = tag.split(":")[1] ?? "";
    // As after a docker load: the image is there and its store is not.
    ok(
      await onHost(
        `docker save ${tag} -o ${scratch}.tar; docker rmi ${tag}; docker load -i ${scratch}.tar; rm ${scratch}.tar ${second.dataDir}/preloads/${name}.erofs`,
      ),
    );
    await sandboxOf("pre-first", "held");
    expect(await stores()).toEqual([`file ${name}`, `mount ${name}`]);
    expect(await leftovers()).toEqual(before);
  });
});

describe.each(["held", "trusted"])("a sandbox of the profile %s", (profile) => {
  let made: Sandbox;
  let client: DockerClient;
  beforeAll(async () => {
    [made, client] = await sandboxOf(`pre-${profile}`, profile);
  });

  it("has the images at once, and little of them on its disk", async () => {
    const listed = await client.docker("images", "--format", "{{.Repository}}:{{.Tag}}");
    expect(listed.split("\n").sort()).toEqual(images);
    const dir = `${second.runDir}/disks/${made.id}/docker`;
    expect(Number(ok(await onHost(`du -sk ${dir} | cut -f1`)))).toBeLessThan(1024);
  });

  it("sees whatever a layer can hold as it was", async () => {
    expect(await sh(client, "pre-odd:1", "ls /opaque")).toBe("b");
    const modes = await sh(client, "pre-odd:1", "cd /keep; stat -c '%n %a %h %u:%g %F %t,%T' *");
    expect(modes.split("\n")).toEqual([
      "block 644 1 0:0 block special file 7,9",
      "busybox-cap 755 1 0:0 regular file 0,0",
      "char 644 1 0:0 character special file 1,3",
      "link1 644 2 0:0 regular file 0,0",
      "link2 644 2 0:0 regular file 0,0",
      "owned 644 1 1234:5678 regular file 0,0",
      "suid 4755 1 0:0 regular file 0,0",
    ]);
    // The capability counts without any uid.
    const asOther = ["run", "--rm", "--user", "4321", "pre-odd:1", "/keep/busybox-cap"];
    const caps = await client.docker(...asOther, "grep", "CapEff", "/proc/self/status");
    expect(parseInt(caps.replace(/\D*/, ""), 16) & (1 << 13)).not.toBe(0);
    // The image has no program for it, the sandbox's own root has.
    const line = `cd /outer; for file in data/docker/overlay2/*/diff/keep/owned; do
      busybox chroot /outer /usr/bin/getfattr --absolute-names --only-values -n user.note /$file; done`;
    const asRoot = ["run", "--rm", "--privileged", "-v", "/:/outer", "pre-odd:1", "sh", "-c", line];
    expect(await client.docker(...asRoot)).toBe("kept");
  });

  it("builds on them, saves them, tags and removes them", async () => {
    const dockerfile = `FROM pre-plain:1\nRUN rm -r /opaque && echo mine >/mine\n`;
    ok(await client.run(["buildx", "build", "--load", "-t", "mine", "-"], dockerfile));
    expect(await sh(client, "mine", "cat /mine /content; ls -d /opaque 2>&1 || true")).toContain(
      "mine\nfirst\n",
    );
    await client.docker("tag", "pre-odd:1", "kept:1");
    const dir = client.env["DOCKER_CONFIG"] ?? "";
    await client.docker("save", "-o", `${dir}/kept.tar`, "kept:1");
    await client.docker("rmi", "kept:1", "pre-odd:1");
    expect((await client.run(["run", "--rm", "pre-odd:1", "true"])).code).not.toBe(0);
    await client.docker("load", "-i", `${dir}/kept.tar`);
    expect(await sh(client, "kept:1", "ls /opaque")).toBe("b");
  });

  it("has taken nothing from the others", async () => {
    const first = clients.get("pre-first");
    if (first) expect(await sh(first, "pre-odd:1", "ls /opaque")).toBe("b");
  });

  it("has after a restart what its user left of them", async () => {
    await client.docker("rmi", "kept:1");
    ok(await onHost(`docker kill berth-${made.id}`));
    await ready(made.id);
    const listed = await client.docker("images", "--format", "{{.Repository}}");
    expect(listed.split("\n").sort()).toEqual(["mine", "pre-plain"]);
    expect(await sh(client, "pre-plain:1", "cat /content")).toBe("first");
  });
});

describe("a store", () => {
  it("cannot be written, nor a device in it opened, by root of a user namespace", async () => {
    const client = clients.get("pre-held");
    const line = `cd /outer/preload/layers; for node in */keep/char /outer/data/docker/overlay2/*/diff/keep/char; do
      cat $node && echo opened; done; rm */content; touch x; busybox mount -o remount,rw,bind /outer/preload && echo remounted
      ls */content`;
    const args = ["run", "--rm", "--privileged", "-v", "/:/outer", "pre-plain:1", "sh", "-c", line];
    const { stdout, stderr } = (await client?.run(args)) ?? { stdout: "no client", stderr: "" };
    expect(stdout, stderr).toMatch(/^[0-9a-f]+\/content$/);
    expect(stderr.match(/Permission denied/g)?.length).toBeGreaterThan(1);
    expect(stderr).toContain("Read-only file system");
  });
});

describe("the files of a store", () => {
  it("cannot be held against other sandboxes that open them", async () => {
    // F_SETLEASE, F_WRLCK: whoever opens the file then would wait for 45 s.
    const perl = `open(F, "<", glob "/preload/layers/*/content") && fcntl(F, 1024, 1) ? print "held" : print $!`;
    const line = `busybox chroot /outer /usr/bin/perl -e '${perl}'`;
    const args = ["run", "--rm", "--privileged", "-v", "/:/outer", "pre-plain:1", "sh", "-c", line];
    expect(await clients.get("pre-held")?.docker(...args)).toBe("Invalid argument");
  });
});

describe("a new build", () => {
  it("leaves those before it their store, until the last of them is gone", async () => {
    await makePlain("second");
    const [oldName, next] = [tag.split(":")[1] ?? "", await buildJson("held")];
    expect(next.built).toBe(true);
    const newName = next.tag.split(":")[1] ?? "";
    const [, client] = await sandboxOf("pre-second", "held");
    const first = clients.get("pre-first");
    expect(await sh(client, "pre-plain:1", "cat /content")).toBe("second");
    if (first) expect(await sh(first, "pre-plain:1", "cat /content")).toBe("first");
    ok(await second.berth("reap"));
    expect(await stores()).toContain(`mount ${oldName}`);

    for (const user of ["pre-first", "pre-held", "pre-trusted"])
      ok(await second.berth("remove", user));
    ok(await second.berth("reap"));
    expect(await stores()).toEqual([`file ${newName}`, `mount ${newName}`]);
    expect(ok(await onHost("losetup -lnO BACK-FILE"))).not.toContain(`${oldName}.erofs`);
    expect((await onHost(`docker image inspect ${tag}`)).code).not.toBe(0);
  });
});

describe("images from elsewhere", () => {
  it("come from a file of docker save, compressed or not, and from an OCI layout", async () => {
    ok(
      await onHost(
        `mkdir -p ${scratch}/layout && docker save pre-plain:1 -o ${scratch}/plain.tar && tar -C ${scratch}/layout -xf ${scratch}/plain.tar && rm ${scratch}/layout/manifest.json && gzip -k ${scratch}/plain.tar`,
      ),
    );
    for (const profile of ["tar", "packed", "layout"]) {
      ok(await build(profile));
      const [{ id }, client] = await sandboxOf(`pre-${profile}`, profile);
      const [name = ""] = (
        await client.docker("images", "--format", "{{.Repository}}:{{.Tag}}")
      ).split("\n");
      expect(await sh(client, name, "cat /content")).toBe("second");
      ok(await second.berth("remove", id));
    }
    expect(await leftovers()).toEqual(before);
  });

  it.each([
    ["absent", "pre-absent.invalid/nothing:1"],
    ["broken", `${scratch}/broken.tar`],
  ])("fail by their name when they cannot be had: %s", async (profile, name) => {
    ok(await onHost(`mkdir -p ${scratch} && head -c 20000 /dev/urandom >${scratch}/broken.tar`));
    const { code, stderr } = await build(profile);
    expect(code).toBe(1);
    expect(stderr).toContain(`the image ${name} cannot be preloaded`);
    expect(await leftovers()).toEqual(before);
    const refusal = await second.refusal({ user: "pre-none", profile });
    expect(refusal.code).toBe("IMAGE_MISSING");
    const { profiles } = me.parse(JSON.parse(ok(await second.berth("whoami", "--json"))));
    expect(profiles.find((one) => one.name === profile)?.ready).toBe(false);
    expect(profiles.find((one) => one.name === "held")?.ready).toBe(true);
  });
});

describe("a build under way", () => {
  it("is told of by the daemon, until its end", async () => {
    const asked = `curl -s --unix-socket ${second.socket} http://localhost/v1/images`;
    const waiting = `for i in {1..3000}; do ${asked} | grep -o '"building":\\[{.*' && exit; sleep 0.05; done; exit 1`;
    const [said] = await Promise.all([onHost(waiting), buildJson("held", "--rebuild")]);
    const { building } = imageList.pick({ building: true }).parse(JSON.parse(`{${ok(said)}`));
    expect(building).toMatchObject([{ profile: "held" }]);
    expect(ok(await onHost(asked))).toContain('"building":[]');
    expect(ok(await onHost(`ls ${second.dataDir}/builds`))).toBe("");
  });
});

describe("a build that is broken off", () => {
  const command = `BERTH_SOCKET=${second.socket} exec /opt/berth/bin/berth image build held --rebuild --config ${second.configFile}`;
  /** Once its engine's container is there. */
  const meanwhile = (signal: string) => `
    (${command}) >/dev/null 2>&1 & p=$!
    for i in {1..3000}; do docker ps -q --filter name=-build$ | grep -q . && break; sleep 0.01; done
    sleep 0.3; kill -${signal} $p; wait $p; echo $?`;

  it("leaves nothing after Ctrl-C", async () => {
    const { fire } = await armed(meanwhile("INT"));
    expect(ok(await fire())).toContain("130");
    expect(await leftovers()).toEqual(before);
  });

  it("leaves nothing after kill -9 and the next reap", async () => {
    const files = await stores();
    const { fire } = await armed(meanwhile("KILL"));
    expect(ok(await fire())).toContain("137");
    expect((await leftovers()).length).toBeGreaterThan(before.length);
    expect(ok(await second.berth("reap"))).toContain("build of a preload");
    expect(await leftovers()).toEqual(before);
    expect(await stores()).toEqual(files);
  });
});

async function ready(id: string): Promise<void> {
  const isReady = `/opt/berth/bin/berth show ${id} --json | grep -q '"state": "ready"'`;
  ok(
    await onHost(
      `export BERTH_SOCKET=${second.socket}; for i in {1..200}; do ${isReady} && exit; sleep 0.1; done; exit 1`,
    ),
  );
}
