import { readFile } from "node:fs/promises";
import { z } from "zod";
import { SecondBerth } from "../../test/e2e/second-berth.js";
import { DockerClient, ok, onHost } from "../../test/e2e/support.js";
import { median, quietly, type Row } from "./table.js";

/** Of each image. */
const imageBytes = 400_000_000;
const MB = 1_000_000;

const builtShape = z.object({
  tag: z.string(),
  seconds: z.number(),
  collected: z.object({ bytes: z.number(), seconds: z.number() }),
});

/** Some of it writes many gigabytes. */
const timeout = 900_000;
const host = async (line: string): Promise<string> => ok(await onHost(line, { timeout }));

/**
 * Preloaded images, beside a copy of the store for each sandbox, and beside an empty engine that is given
 * the image. Needs 30 GB on the host's disk for ten images; makes and removes them, and a second daemon.
 * @param images how many, of 0.4 GB each
 */
export async function measurePreload(images: number, runs: number): Promise<Row[]> {
  const bench = new PreloadBench(images, runs);
  await bench.second.start();
  try {
    await bench.measure();
  } finally {
    await bench.remove();
  }
  return bench.rows;
}

class PreloadBench {
  readonly rows: Row[] = [];
  readonly second: SecondBerth;
  readonly #names: string[];
  /** Of what was built. */
  readonly #tags = new Set<string>();
  /** How long the user of an empty engine waits for the image to be brought. */
  readonly #loadMs: number[] = [];

  constructor(
    images: number,
    private readonly runs: number,
  ) {
    this.#names = Array.from({ length: images }, (_, i) => `bench-preload:${i}`);
    const limits = { memory: "2G" };
    this.second = new SecondBerth({
      listen: { port: 8471 },
      ports: { engine: "50000-50009", user: "50100-50199" },
      network: { pool: "10.223.0.0/24" },
      subordinateUids: { from: 1_940_000_000, to: 1_940_000_000 + 8 * 65_536 },
      profiles: {
        small: { images: this.#names.slice(0, 1), limits },
        large: { images: this.#names, limits },
      },
    });
  }

  async measure(): Promise<void> {
    await this.#makeImages();
    await this.#measureBuilds();
    await this.#measureCreation();
    await this.#measureCache();
  }

  async remove(): Promise<void> {
    for (const { id } of await this.second.list()) await this.second.berth("remove", id);
    await this.second.remove();
    await host(`docker rmi ${[...this.#names, ...this.#tags].join(" ")} >/dev/null; true`);
  }

  /** Random bytes, which nothing can compress, and some thousand small files. */
  async #makeImages(): Promise<void> {
    for (const [i, name] of this.#names.entries()) {
      quietly(`making ${name}`);
      await host(`set -eu; docker image inspect ${name} >/dev/null 2>&1 && exit
        d=$(mktemp -d /var/tmp/bench-preload.XXXXXX); trap 'rm -rf $d' EXIT; cd $d; mkdir -p bin data/small
        cp /bin/busybox bin/; for t in sh cat true; do ln -s busybox bin/$t; done
        head -c ${imageBytes} /dev/urandom | split -b 2000000 - data/f
        for j in $(seq 2000); do echo ${i} $j >data/small/$j; done
        tar -c . | docker import - ${name} >/dev/null`);
    }
  }

  /** By hand before and after, for what was read once is quicker to read again. */
  async #measureBuilds(): Promise<void> {
    const pipes = [await this.#timePipe()];
    await this.#measureBuild("small");
    const seconds = await this.#measureBuild("large");
    pipes.push(await this.#timePipe());
    const all = (this.#names.length * imageBytes) / MB;
    this.rows.push(
      {
        what: "docker save | docker load by hand, before and after",
        values: pipes.map((taken) => all / taken),
        unit: "MB/s",
      },
      {
        what: "  time of the build's images into its engine, to that",
        values: [seconds / median(pipes)],
        unit: "x",
        aim: 1,
      },
    );
  }

  /** With the peak of the resident memory, as the kernel keeps it; returns how long the images took. */
  async #measureBuild(profile: string): Promise<number> {
    quietly(`building the preload of ${profile}`);
    const text = await host(`
      /opt/berth/bin/berth image build ${profile} --json --config ${this.second.configFile} 2>/dev/null & p=$!
      peak=0
      while kill -0 $p 2>/dev/null; do
        for q in $p $(cat /proc/$p/task/*/children 2>/dev/null); do
          now=$(sed -n 's/^VmHWM:\\s*\\([0-9]*\\) kB/\\1/p' /proc/$q/status 2>/dev/null)
          [ "\${now:-0}" -le $peak ] || peak=$now
        done
        sleep 0.1
      done
      wait $p && echo "peak $peak"`);
    const { tag, seconds, collected } = builtShape.parse(JSON.parse(text.replace(/peak \d+$/, "")));
    this.#tags.add(tag);
    const peak = Number(/peak (\d+)$/.exec(text)?.[1]) / 1024;
    const rate = collected.bytes / collected.seconds / MB;
    this.rows.push(
      { what: `build ${profile}: images into its engine`, values: [rate], unit: "MB/s" },
      { what: `build ${profile}: all of it`, values: [seconds], unit: "s" },
      { what: `build ${profile}: peak RSS`, values: [peak], unit: "MB", aim: 150 },
    );
    return collected.seconds;
  }

  /** Seconds of `docker save | docker load` into an engine that was started for it. */
  async #timePipe(): Promise<number> {
    quietly("docker save | docker load by hand");
    const ms = await host(`set -eu
      tag=$(docker images --filter label=berth.image=dind --format '{{.Repository}}:{{.Tag}}' | grep -v none | head -1)
      d=/run/bench-preload; mkdir -p $d; echo '{}' >$d/daemon.json
      docker run -d --rm --privileged --network none --name bench-preload-pipe -v $d:$d -v /data --entrypoint dockerd $tag \\
        --config-file $d/daemon.json --host unix://$d/docker.sock --data-root /data/docker --bridge none --iptables=false --ip6tables=false >/dev/null
      trap 'docker rm -f -v bench-preload-pipe >/dev/null; rm -rf $d' EXIT
      for i in $(seq 300); do docker -H unix://$d/docker.sock version >/dev/null 2>&1 && break; sleep 0.1; done
      from=$(date +%s%N)
      docker save ${this.#names.join(" ")} | docker -H unix://$d/docker.sock load >/dev/null
      echo $(( ($(date +%s%N) - from) / 1000000 ))`);
    return Number(ms) / 1000;
  }

  /** From the call of `create` until a container of the image has run, and what that leaves on the disk. */
  async #measureCreation(): Promise<void> {
    const time = new Series();
    const disk = new Series();
    for (let run = 0; run < this.runs; run++) {
      for (const profile of ["empty", "small", "large"]) {
        quietly(`create ${profile} ${run + 1}/${this.runs}`);
        const begun = performance.now();
        const made = await this.second.create("bench-preload", "--profile", profile);
        const created = performance.now() - begun;
        time.add(`created ${profile}`, created);
        const dir = `${this.second.runDir}/disks/${made.id}`;
        disk.add(profile, Number(await host(`df -B1 --output=used ${dir} | tail -1`)) / MB);
        const client = await this.second.client(made);
        if (profile === "empty") await this.#loadInto(client);
        const running = performance.now();
        await client.docker("run", "--rm", this.#names[0] ?? "", "true");
        time.add(profile, created + performance.now() - running);
        if (profile !== "empty") time.add(`copy ${profile}`, await this.#copyStore(profile, dir));
        await client.remove();
        ok(await this.second.berth("remove", made.id));
      }
    }
    this.#tell(time, disk);
  }

  /** What the user of an empty engine does: bring the image. */
  async #loadInto(client: DockerClient): Promise<void> {
    const begun = performance.now();
    const { DOCKER_HOST = "", DOCKER_CERT_PATH = "" } = client.env;
    const inside = "/run/bench-preload-certs";
    await host(`rm -rf ${inside}; mkdir -p ${inside}`);
    for (const file of ["ca.pem", "cert.pem", "key.pem"]) {
      const text = (await readFile(`${DOCKER_CERT_PATH}/${file}`)).toString("base64");
      await host(`echo ${text} | base64 -d >${inside}/${file}`);
    }
    await host(
      `docker save ${this.#names[0] ?? ""} | DOCKER_CERT_PATH=${inside} DOCKER_TLS_VERIFY=1 docker -H ${DOCKER_HOST} load; rm -r ${inside}`,
    );
    this.#loadMs.push(performance.now() - begun);
  }

  /** What Docker itself would do: all layers onto the sandbox's own disk. */
  async #copyStore(profile: string, disk: string): Promise<number> {
    const ms = await host(`set -eu
      m=$(findmnt -rno TARGET | grep '^${this.second.runDir}/preloads/' | while read -r m; do
        echo "$(ls $m/layers | wc -l) $m"; done | sort -n | ${profile === "small" ? "head" : "tail"} -1 | cut -d' ' -f2)
      from=$(date +%s%N); cp -a $m/layers ${disk}/bench-copy; sync -f ${disk}
      echo $(( ($(date +%s%N) - from) / 1000000 )); rm -rf ${disk}/bench-copy`);
    return Number(ms);
  }

  #tell(time: Series, disk: Series): void {
    const [small, large] = [time.of("small"), time.of("large")];
    const sum = (a: number[], b: number[]) => a.map((value, i) => value + (b[i] ?? 0));
    const size = `${(this.#names.length * imageBytes) / 1e9} GB`;
    const unit = "ms";
    this.rows.push(
      { what: "create, nothing preloaded", values: time.of("created empty"), unit },
      { what: "create, 0.4 GB preloaded", values: time.of("created small"), unit },
      { what: `create, ${size} preloaded`, values: time.of("created large"), unit },
      { what: "create to first docker run, 0.4 GB preloaded", values: small, unit },
      {
        what: `create to first docker run, ${size} preloaded`,
        values: large,
        unit,
        aim: Math.round(1.1 * median(small)),
      },
      { what: "  copied, 0.4 GB", values: sum(small, time.of("copy small")), unit },
      { what: `  copied, ${size}`, values: sum(large, time.of("copy large")), unit },
      {
        what: "  empty engine, and 0.4 GB loaded",
        values: sum(time.of("empty"), this.#loadMs),
        unit,
      },
    );
    const empty = median(disk.of("empty"));
    for (const profile of ["small", "large"])
      this.rows.push({
        what: `disk of a sandbox, ${profile}, beyond an empty one's`,
        values: disk.of(profile).map((used) => used - empty),
        unit: "MB",
        aim: 5,
      });
  }

  /** Two sandboxes that read one image: by how much of it the page cache grows with the second. */
  async #measureCache(): Promise<void> {
    const cached = `sync; awk '/^(Cached|Buffers):/ {s+=$2} END {print s*1024}' /proc/meminfo`;
    const values: number[] = [];
    for (let i = 0; i < 2; i++) {
      const made = await this.second.create(`bench-preload-${i}`, "--profile", "small");
      const client = await this.second.client(made);
      const run = (...line: string[]) =>
        client.docker("run", "--rm", this.#names[0] ?? "", ...line);
      await run("true");
      if (i === 0) await host("echo 3 >/proc/sys/vm/drop_caches");
      const before = Number(await host(cached));
      await run("sh", "-c", "cat /data/* >/dev/null 2>&1; true");
      values.push((100 * (Number(await host(cached)) - before)) / imageBytes);
      await client.remove();
    }
    const [first = NaN, next = NaN] = values;
    this.rows.push(
      { what: "page cache, % of the image: first sandbox reads it", values: [first], unit: "%" },
      { what: "page cache, % of the image: another reads it", values: [next], unit: "%", aim: 5 },
    );
  }
}

/** Values by what they are of. */
class Series {
  readonly #values = new Map<string, number[]>();

  add(what: string, value: number): void {
    this.#values.set(what, [...this.of(what), value]);
  }

  of = (what: string): number[] => this.#values.get(what) ?? [];
}
