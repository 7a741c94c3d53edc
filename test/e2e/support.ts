import { readFileSync } from "node:fs";
import { mkdtemp, mkdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { ApiClient as CliClient } from "../../src/cli/client.js";
import { look } from "../../src/cli/connection.js";
import { problemSchema, type Problem } from "../../src/lib/contract/problem.js";
import { sandbox, type Sandbox } from "../../src/lib/contract/sandbox.js";
import { addedUser } from "../../src/lib/contract/user.js";
import {
  cli,
  hostCommand,
  hostScript,
  isEmbedded,
  isOurs,
  patience,
  patienceSeconds,
  projectDir,
  shellOnHost,
  vmForward,
  vmPlugins,
} from "./where.js";

// What the end-to-end tests share. They look at Berth from outside, as a user does: through bin/berth,
// the API and a real docker client. What is left behind is read inside the host.

export { hostCommand, hostScript, isEmbedded, isOurs, patience, patienceSeconds, projectDir };

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program of this machine; never throws for its exit code. */
export async function run(
  file: string,
  args: string[],
  options: {
    input?: string | Buffer;
    env?: Record<string, string>;
    cwd?: string;
    timeout?: number;
  } = {},
): Promise<Ran> {
  const result = await execa(file, args, { reject: false, timeout: patience(120_000), ...options });
  return {
    code: result.exitCode ?? 1,
    stdout: result.stdout,
    stderr: result.timedOut ? "timed out" : result.stderr,
  };
}

/** Throws, with what it said, unless the program succeeded; gives its stdout. */
export function ok({ code, stdout, stderr }: Ran): string {
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr || stdout}`);
  return stdout;
}

/** Runs a shell line on the host that holds the sandboxes. */
export const onHost = (
  line: string,
  options: { timeout?: number; input?: Buffer } = {},
): Promise<Ran> => run(...shellOnHost(line), options);

export function berth(...words: string[]): Promise<Ran> {
  const { file, args, env } = cli(words);
  return run(file, args, { env });
}

export async function berthJson(...args: string[]): Promise<unknown> {
  return JSON.parse(ok(await berth(...args, "--json")));
}

let url: Promise<string> | undefined;
/** The address of page and API. */
export function apiUrl(): Promise<string> {
  url ??= berthJson("doctor").then((report) => (report as { url: string }).url);
  return url;
}

export async function create(user: string, ...flags: string[]): Promise<Sandbox> {
  return sandbox.parse(await berthJson("create", user, ...flags));
}

/** Without the usage that `berth show` tells beside. */
export const show = async (reference: string): Promise<Sandbox> =>
  sandbox.parse(await berthJson("show", reference));

/** A user's docker client: their bundle, and a configuration directory of its own. */
export class DockerClient {
  private constructor(
    readonly dir: string,
    readonly env: Record<string, string>,
  ) {}

  /** Fetches a bundle for the sandbox; `socket` is another daemon's than the first. */
  static async of(name: string, dockerHost: string, socket?: string): Promise<DockerClient> {
    const dir = await mkdtemp(join(tmpdir(), "berth-e2e-"));
    const { file, args, env } = cli(["bundle", name, "-o", join(dir, "bundle")]);
    if (socket !== undefined) env["BERTH_SOCKET"] = await seenFromHere(socket);
    ok(await run(file, args, { env }));
    const config = join(dir, "docker");
    await mkdir(config);
    await symlink(pluginDir(), join(config, "cli-plugins"));
    return new DockerClient(dir, {
      DOCKER_CONFIG: config,
      DOCKER_HOST: dockerHost,
      DOCKER_TLS_VERIFY: "1",
      DOCKER_CERT_PATH: join(dir, "bundle"),
      DOCKER_CONTEXT: "",
    });
  }

  run(args: string[], input?: string | Buffer): Promise<Ran> {
    return run("docker", args, { env: this.env, ...(input === undefined ? {} : { input }) });
  }

  async docker(...args: string[]): Promise<string> {
    return ok(await this.run(args));
  }

  /** Brings the small demo image in, as `box`; no registry is asked. */
  async importBox(): Promise<void> {
    ok(await this.run(["import", "-", "box"], await demoImage()));
  }

  /** Brings images of the host's engine in, by `docker save` there and `docker load` here. */
  async loadFromHost(references: string[]): Promise<void> {
    const [file, args] = shellOnHost(`docker save ${references.join(" ")}`);
    const timeout = patience(120_000);
    await execa(file, args, {
      buffer: { stdout: false },
      timeout,
    }).pipe("docker", ["load", "-q"], { env: this.env, timeout });
  }

  remove(): Promise<void> {
    return rm(this.dir, { recursive: true, force: true });
  }
}

let boxTar: Promise<Buffer> | undefined;
function demoImage(): Promise<Buffer> {
  boxTar ??= execa(join(projectDir, "scripts", "demo-image"), [], { encoding: "buffer" }).then(
    ({ stdout }) => Buffer.from(stdout),
  );
  return boxTar;
}

/** Where buildx and compose are: setup.ts sees to it that they are somewhere. */
export function pluginDir(): string {
  const places = [
    "/usr/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    ...(isEmbedded() ? [join(hostRoot(), "usr/libexec/docker/cli-plugins")] : []),
    ...vmPlugins(),
  ];
  return places.find(hasPlugins) ?? places[0] ?? "";
}

function hasPlugins(dir: string): boolean {
  try {
    readFileSync(join(dir, "docker-compose"), { flag: "r" }).subarray(0, 1);
    readFileSync(join(dir, "docker-buildx"), { flag: "r" }).subarray(0, 1);
    return true;
  } catch {
    return false;
  }
}

/** Root file system of the embedded host, on this machine. */
export function hostRoot(): string {
  return (JSON.parse(readFileSync("/run/berth-host/state.json", "utf8")) as { root: string }).root;
}

/** Everything on the host that carries Berth's marks, one line each, to compare before and after. */
export async function traces(): Promise<string[]> {
  const lines = await onHost(`
    docker ps -a --filter label=berth.sandbox --format 'container {{.Names}}'
    docker network ls --filter label=berth.sandbox --format 'network {{.Name}}'
    docker volume ls --format 'volume {{.Name}}'
    systemctl list-units --all --plain --no-legend --type=slice 'berth-*.slice' | awk '{print "slice " $1}'
    find /sys/fs/cgroup -type d -name 'berth-*.slice' -printf 'cgroup %p\\n'
    findmnt -rno TARGET | sed -n 's|^/run/berth/disks/|mount |p'
    losetup -lnO BACK-FILE | sed -n 's|.*/sandboxes/|loop |p'
    ls /var/lib/berth/sandboxes | sed 's/^/directory /'
    ls /run/berth/disks 2>/dev/null | sed 's/^/mount point /'
    nft list tables ip | sed -n 's/^table ip berth/berth/p' | while read -r t; do nft list table ip "$t"; done |
      grep -o 'comment "[a-z][a-z0-9]\\{7\\}"' | sed 's/^/forwarding /'
    ip -o link | grep -o 'berth-[a-z][a-z0-9]*' | sed 's/^/interface /'
  `);
  return [...new Set(ok(lines).split("\n").filter(Boolean))].sort();
}

/** What the kernel's own files say of a cgroup, on either cgroup version; `path` as in /berth.slice/…, without the first slash. */
export async function kernelLimits(path: string) {
  const text = ok(
    await onHost(`
      say() { n=$1; shift; for f in "$@"; do [ ! -e "$f" ] || { echo "$n" $(cat "$@"); return; }; done; }
      v1=/sys/fs/cgroup s='${path}'
      say memory "$v1/$s/memory.max"; say memory "$v1/memory/$s/memory.limit_in_bytes"
      say cpu "$v1/$s/cpu.max"; say cpu "$v1/cpu/$s/cpu.cfs_quota_us" "$v1/cpu/$s/cpu.cfs_period_us"
      say pids "$v1/$s/pids.max"; say pids "$v1/pids/$s/pids.max"
    `),
  );
  const value = (name: string) => new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1] ?? "";
  const [quota, period] = value("cpu").split(" ").map(Number);
  return {
    memoryBytes: Number(value("memory")),
    cpus: (quota ?? NaN) / (period ?? NaN),
    pids: Number(value("pids")),
  };
}

/** Berth as the page's test sees it. */
export async function startedBerth() {
  const url = await apiUrl();
  return {
    url,
    addUser: async (name: string) => addedUser.parse(await berthJson("user", "add", name)),
    removeUser: async (name: string) => {
      ok(await berth("user", "remove", name));
    },
  };
}

/** Somebody who talks to the API at its TCP address, with a token or without one. */
export class ApiClient {
  constructor(
    readonly url: string,
    readonly token?: string,
  ) {}

  fetch(path: string, { json, ...init }: RequestInit & { json?: unknown } = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.token !== undefined) headers.set("authorization", `Bearer ${this.token}`);
    if (json === undefined) return fetch(this.url + path, { ...init, headers });
    headers.set("content-type", "application/json");
    const body = JSON.stringify(json);
    return fetch(this.url + path, { method: "POST", ...init, headers, body });
  }

  /** Makes a sandbox and waits until it is ready. */
  async create(request: object = {}): Promise<Sandbox> {
    const answer = await this.fetch("/v1/sandboxes", { json: request });
    if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`);
    return sandbox.parse(await answer.json());
  }
}

/** Adds a user, who gets a token. Remove them with `berth user remove`. */
export async function addUser(name: string, ...flags: string[]): Promise<ApiClient> {
  const { token } = addedUser.parse(await berthJson("user", "add", name, ...flags));
  return new ApiClient(await apiUrl(), token);
}

/** The problem that an error answer is, which must be one in every respect. */
export async function problemOf(answer: Response): Promise<Problem> {
  const type = answer.headers.get("content-type");
  if (!type?.startsWith("application/problem+json"))
    throw new Error(`${answer.status} came as ${String(type)}: ${await answer.text()}`);
  const problem = problemSchema.strict().parse(await answer.json());
  if (problem.status !== answer.status || problem.type !== `urn:berth:error:${problem.code}`)
    throw new Error(`${answer.status} is not what its problem says: ${JSON.stringify(problem)}`);
  return problem;
}

/** The API as root has it, over a daemon's socket: for what a process per question is too slow for. */
export async function rootApi(socket = "/run/berth/berth.sock"): Promise<CliClient> {
  return new CliClient({ kind: "socket", socket: await seenFromHere(socket) });
}

/** Where this machine finds a file of the host that holds the sandboxes. */
async function seenFromHere(file: string): Promise<string> {
  const forward = vmForward(file);
  if (forward) return ok(await run(...forward));
  const embeddedStateFile = "/run/berth-host/state.json";
  const { embeddedHost } = await look({ socket: file, embeddedStateFile });
  return (embeddedHost === undefined ? "" : `/proc/${embeddedHost.pid}/root`) + file;
}

/** A shell on the host that has done `before`, and does `line` the moment it is told to. */
export async function armed(line: string, before = ":"): Promise<{ fire: () => Promise<Ran> }> {
  const script = `${before}; echo armed; read -r _; ${line}`;
  const [file, args] = shellOnHost(script);
  const child = execa(file, args, { reject: false, timeout: patience(120_000) });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  return {
    async fire() {
      child.stdin.end("now\n");
      const { exitCode, stdout, stderr } = await child;
      return { code: exitCode ?? 1, stdout, stderr };
    },
  };
}

/** Resolves when the daemon answers; also while systemd has yet to start it again. */
export async function daemonAnswers(socket = "/run/berth/berth.sock"): Promise<void> {
  const ask = `curl -sf -m 5 -o /dev/null --unix-socket ${socket} http://localhost/healthz`;
  const tries = patience(600);
  ok(await onHost(`for i in {1..${tries}}; do ${ask} && exit; sleep 0.05; done; exit 1`));
}
