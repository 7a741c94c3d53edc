import { randomBytes } from "node:crypto";
import { stringify } from "yaml";
import { problemSchema, type Problem } from "../../src/lib/contract/problem.js";
import { sandbox, sandboxList, type Sandbox } from "../../src/lib/contract/sandbox.js";
import { daemonAnswers, DockerClient, ok, onHost, patienceSeconds, type Ran } from "./support.js";
import { configOfHost } from "./where.js";

// A second daemon on the same host, with directories, ports and networks of its own, for faults that
// the first one must not suffer.

/** Ports and networks that neither the first Berth nor anything else of the host has. */
export const ownRanges = {
  ports: { engine: "41000-41009", user: "42000-42099" },
  network: { pool: "10.219.0.0/24" },
};

export class SecondBerth {
  readonly dataDir: string;
  readonly runDir: string;
  readonly port = 8431;
  /** systemd-run's own options: environment, bind mounts. */
  properties: string[] = [];

  constructor(
    readonly config: Record<string, unknown> = {},
    readonly unit = `berth-e2e-${randomBytes(3).toString("hex")}`,
  ) {
    this.dataDir = `/var/lib/${unit}`;
    this.runDir = `/run/${unit}`;
  }

  /** Writes the configuration and starts the daemon; resolves when it answers. */
  async start(): Promise<this> {
    await this.writeConfig();
    const run = ["systemd-run", "--quiet", "--collect", `--unit=${this.unit}`, ...this.properties];
    const notify = ["--service-type=notify", "-p", "NotifyAccess=all"];
    ok(await onHost([...run, ...notify, ...this.#serve()].join(" ")));
    await daemonAnswers(this.socket);
    return this;
  }

  /** Runs the daemon in the foreground where it must not come up: what it says and how it ends. */
  async serveInVain(): Promise<Ran> {
    await this.writeConfig();
    // Told to end after 30 s (longer where all is slower) and killed 5 s later, should it have come up after all.
    return onHost(`timeout -k 5 ${patienceSeconds(30_000)} ${this.#serve().join(" ")}`);
  }

  async writeConfig(): Promise<void> {
    const config = {
      dataDir: this.dataDir,
      runDir: this.runDir,
      listen: { port: this.port },
      keyPool: 2,
      // Its own would take away what a test is about to look at, where that takes minutes.
      reapEvery: "1d",
      ...ownRanges,
      ...configOfHost(),
      ...this.config,
    };
    const file = Buffer.from(stringify(config)).toString("base64");
    ok(await onHost(`echo ${file} | base64 -d >${this.configFile}`));
  }

  /** Ends the daemon, as systemctl stop does; sandboxes run on. */
  async stop(): Promise<void> {
    ok(await onHost(`systemctl stop ${this.unit}.service 2>/dev/null || true`));
  }

  #serve(): string[] {
    return ["/opt/berth/bin/berth", "serve", "--config", this.configFile];
  }

  get socket(): string {
    return `${this.runDir}/berth.sock`;
  }

  get configFile(): string {
    return `/run/${this.unit}.yaml`;
  }

  berth(...args: string[]): Promise<Ran> {
    return onHost(`BERTH_SOCKET=${this.socket} /opt/berth/bin/berth ${args.join(" ")}`);
  }

  async create(user: string, ...flags: string[]): Promise<Sandbox> {
    return sandbox.parse(JSON.parse(ok(await this.berth("create", user, ...flags, "--json"))));
  }

  /** A docker client with the bundle of one of its sandboxes. */
  client({ id, dockerHost }: Sandbox): Promise<DockerClient> {
    return DockerClient.of(id, dockerHost, this.socket);
  }

  async list(): Promise<Sandbox[]> {
    return sandboxList.parse(JSON.parse(ok(await this.berth("list", "--json")))).sandboxes;
  }

  /** Asks the API for a sandbox and expects a refusal, whose problem must be one in every respect. */
  async refusal(request: object): Promise<Problem> {
    const body = JSON.stringify(request);
    const type = "content-type: application/json";
    const answer = ok(
      await onHost(
        `curl -s -w '\n%{http_code}' --unix-socket ${this.socket} -H '${type}' -d '${body}' http://localhost/v1/sandboxes`,
      ),
    );
    const [text = "", status] = answer.split("\n");
    const problem = problemSchema.parse(JSON.parse(text));
    if (String(problem.status) !== status) throw new Error(`${String(status)} came with ${text}`);
    return problem;
  }

  /** Everything of this Berth's on the host, beside its own files; empty when nothing is half made. */
  async traces(): Promise<string[]> {
    const lines = await onHost(`
      i=$(cat ${this.dataDir}/installation-id 2>/dev/null)
      [ -z "$i" ] || docker ps -a --filter label=berth.installation=$i --format 'container {{.Names}}'
      [ -z "$i" ] || docker network ls --filter label=berth.installation=$i --format 'network {{.Name}}' | grep -v berth_
      findmnt -rno TARGET | sed -n 's|^${this.runDir}/disks/|mount |p'
      losetup -lnO BACK-FILE | sed -n 's|^${this.dataDir}/sandboxes/|loop |p'
      ls ${this.dataDir}/sandboxes 2>/dev/null | sed 's/^/directory /'
      ls ${this.runDir}/disks 2>/dev/null | sed 's/^/mount point /'
      [ -z "$i" ] || nft list table ip berth_$(echo $i | head -c 8) 2>/dev/null |
        grep -o 'comment "[a-z][a-z0-9]\\{7\\}"' | sed 's/^/forwarding /'
      true`);
    return ok(lines).split("\n").filter(Boolean);
  }

  /** Stops the daemon and takes away all that is its own, whatever the test left. */
  async remove(): Promise<void> {
    await this.stop();
    ok(
      await onHost(`
        i=$(cat ${this.dataDir}/installation-id 2>/dev/null)
        if [ -n "$i" ]; then
          docker ps -aq --filter label=berth.installation=$i | xargs -r docker rm -f | sed 1q | grep -q . && idle=1
          docker network ls -q --filter label=berth.installation=$i | xargs -r docker network rm >/dev/null
          for table in $(nft list tables ip | grep -o "berth_$(echo $i | head -c 8).*"); do
            nft delete table ip $table
          done
        fi
        # The disks first, as their images lie in the data directory.
        for dir in ${this.runDir} ${this.dataDir}; do
          findmnt -rno TARGET | grep -E "^$dir(/|$)" | sort -r | xargs -rn1 umount
        done
        rm -rf --one-file-system ${this.dataDir} ${this.runDir} ${this.configFile}
        # Slices in which nothing runs any more are given up by the first daemon.
        [ -z "$idle" ] || /opt/berth/bin/berth reap >/dev/null`),
    );
  }
}
