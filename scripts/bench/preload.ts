import { readFile } from "node:fs/promises";
import { z } from "zod";
import { SecondBerth } from "../../test/e2e/second-berth.js";
import { DockerClient, ok, onHost } from "../../test/e2e/support.js";
import { formatTable, quietly, type Row } from "./table.js";

// Preloaded images, measured: npx tsx scripts/bench/preload.ts [--images 10] [--runs 5]
// Beside a copy of the store for each sandbox, and beside an empty engine that is given the image. Needs
// 30 GB on the host's disk for 4 GB of images; makes and removes them, and a second daemon.

const option = (name: string, otherwise: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? otherwise : Number(process.argv[at + 1]);
};
/** Of 0.4 GB each. */
const imageCount = option("images", 10);
const runs = option("runs", 5);
const imageBytes = 400_000_000;
const names = Array.from({ length: imageCount }, (_, i) => `bench-preload:${i}`);
const MB = 1_000_000;

const second = new SecondBerth({
  profiles: {
    small: { images: names.slice(0, 1), limits: { memory: "2G" } },
    large: { images: names, limits: { memory: "2G" } },
  },
});
const rows: Row[] = [];
/** How long the user of an empty engine waits for the image to be brought. */
const loadMs: number[] = [];
const builtShape = z.object({
  seconds: z.number(),
  collected: z.object({ bytes: z.number(), seconds: z.number() }),
});

/** Some of it writes many gigabytes. */
const timeout = 900_000;
const host = async (line: string): Promise<string> => ok(await onHost(line, { timeout }));

await second.start();
try {
  await makeImages();
  await measureBuild("small");
  await measureBuild("large");
  await measurePipe();
  await measureCreation();
  await measureCache();
} finally {
  for (const { id } of await second.list()) await second.berth("remove", id);
  await host(`docker images -q --filter label=berth.preload | sort -u | xargs -r docker rmi; true`);
  await second.remove();
  await host(`docker rmi ${names.join(" ")}; true`);
  console.log(formatTable(rows));
}

/** Random bytes, which nothing can compress, and some thousand small files. */
async function makeImages(): Promise<void> {
  for (const [i, name] of names.entries()) {
    quietly(`making ${name}`);
    await host(`set -eu; docker image inspect ${name} >/dev/null 2>&1 && exit
      d=$(mktemp -d /var/tmp/bench-preload.XXXXXX); trap 'rm -rf $d' EXIT; cd $d; mkdir -p bin data/small
      cp /bin/busybox bin/; for t in sh cat true; do ln -s busybox bin/$t; done
      head -c ${imageBytes} /dev/urandom | split -b 2000000 - data/f
      for j in $(seq 2000); do echo ${i} $j >data/small/$j; done
      tar -c . | docker import - ${name} >/dev/null`);
  }
}

/** With the peak of the resident memory, as the kernel keeps it. */
async function measureBuild(profile: string): Promise<void> {
  quietly(`building the preload of ${profile}`);
  const text = await host(`
    /opt/berth/bin/berth image build ${profile} --json --config ${second.configFile} 2>/dev/null & p=$!
    peak=0
    while kill -0 $p 2>/dev/null; do
      for q in $p $(cat /proc/$p/task/*/children 2>/dev/null); do
        now=$(sed -n 's/^VmHWM:\\s*\\([0-9]*\\) kB/\\1/p' /proc/$q/status 2>/dev/null)
        [ "\${now:-0}" -le $peak ] || peak=$now
      done
      sleep 0.1
    done
    wait $p && echo "peak $peak"`);
  const { seconds, collected } = builtShape.parse(JSON.parse(text.replace(/peak \d+$/, "")));
  const peak = Number(/peak (\d+)$/.exec(text)?.[1]) / 1024;
  const rate = collected.bytes / collected.seconds / MB;
  rows.push(
    { what: `build ${profile}: images into its engine`, values: [rate], unit: "MB/s" },
    { what: `build ${profile}: all of it`, values: [seconds], unit: "s" },
    { what: `build ${profile}: peak RSS`, values: [peak], unit: "MB", aim: 150 },
  );
}

/** `docker save | docker load` by hand into an engine that was started for it. */
async function measurePipe(): Promise<void> {
  quietly("docker save | docker load by hand");
  const seconds = await host(`set -eu
    tag=$(docker images --filter label=berth.image=dind --format '{{.Repository}}:{{.Tag}}' | grep -v none | head -1)
    d=/run/bench-preload; mkdir -p $d; echo '{}' >$d/daemon.json
    docker run -d --rm --privileged --network none --name bench-preload-pipe -v $d:$d -v /data --entrypoint dockerd $tag \\
      --config-file $d/daemon.json --host unix://$d/docker.sock --data-root /data/docker --bridge none --iptables=false --ip6tables=false >/dev/null
    trap 'docker rm -f -v bench-preload-pipe >/dev/null; rm -rf $d' EXIT
    for i in $(seq 300); do docker -H unix://$d/docker.sock version >/dev/null 2>&1 && break; sleep 0.1; done
    from=$(date +%s%N)
    docker save ${names.join(" ")} | docker -H unix://$d/docker.sock load >/dev/null
    echo $(( ($(date +%s%N) - from) / 1000000 ))`);
  const rate = (imageCount * imageBytes) / (Number(seconds) / 1000) / MB;
  rows.push({ what: "docker save | docker load by hand", values: [rate], unit: "MB/s" });
}

/** From the call of `create` until a container of the image has run, and what that leaves on the disk. */
async function measureCreation(): Promise<void> {
  const time = new Map<string, number[]>();
  const disk = new Map<string, number[]>();
  const add = (to: Map<string, number[]>, key: string, value: number) =>
    to.set(key, [...(to.get(key) ?? []), value]);
  for (let run = 0; run < runs; run++) {
    for (const profile of ["empty", "small", "large"]) {
      quietly(`create ${profile} ${run + 1}/${runs}`);
      const begun = performance.now();
      const made = await second.create("bench-preload", "--profile", profile);
      const created = performance.now() - begun;
      const dir = `${second.runDir}/disks/${made.id}`;
      add(disk, profile, Number(await host(`df -B1 --output=used ${dir} | tail -1`)) / MB);
      const client = await second.client(made);
      if (profile === "empty") await loadInto(client);
      const running = performance.now();
      await client.docker("run", "--rm", names[0] ?? "", "true");
      add(time, profile, created + performance.now() - running);
      if (profile !== "empty") add(time, `copy ${profile}`, await copyStore(profile, dir));
      await client.remove();
      ok(await second.berth("remove", made.id));
    }
  }
  report(time, disk);
}

/** What the user of an empty engine does: bring the image. */
async function loadInto(client: DockerClient): Promise<void> {
  const begun = performance.now();
  const { DOCKER_HOST = "", DOCKER_CERT_PATH = "" } = client.env;
  const inside = "/run/bench-preload-certs";
  await host(`rm -rf ${inside}; mkdir -p ${inside}`);
  for (const file of ["ca.pem", "cert.pem", "key.pem"]) {
    const text = (await readFile(`${DOCKER_CERT_PATH}/${file}`)).toString("base64");
    await host(`echo ${text} | base64 -d >${inside}/${file}`);
  }
  await host(
    `docker save ${names[0] ?? ""} | DOCKER_CERT_PATH=${inside} DOCKER_TLS_VERIFY=1 docker -H ${DOCKER_HOST} load; rm -r ${inside}`,
  );
  loadMs.push(performance.now() - begun);
}

/** What Docker itself would do: all layers onto the sandbox's own disk. */
async function copyStore(profile: string, disk: string): Promise<number> {
  const ms = await host(`set -eu
    m=$(findmnt -rno TARGET | grep '^${second.runDir}/preloads/' | while read -r m; do
      echo "$(ls $m/layers | wc -l) $m"; done | sort -n | ${profile === "small" ? "head" : "tail"} -1 | cut -d' ' -f2)
    from=$(date +%s%N); cp -a $m/layers ${disk}/bench-copy; sync -f ${disk}
    echo $(( ($(date +%s%N) - from) / 1000000 )); rm -rf ${disk}/bench-copy`);
  return Number(ms);
}

function report(time: Map<string, number[]>, disk: Map<string, number[]>): void {
  const of = (map: Map<string, number[]>, key: string) => map.get(key) ?? [];
  const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
  const [small, large] = [of(time, "small"), of(time, "large")];
  const sum = (a: number[], b: number[]) => a.map((value, i) => value + (b[i] ?? 0));
  const size = `${(imageCount * imageBytes) / 1e9} GB`;
  const unit = "ms";
  rows.push(
    { what: "create to first docker run, 0.4 GB preloaded", values: small, unit },
    {
      what: `create to first docker run, ${size} preloaded`,
      values: large,
      unit,
      aim: Math.round(1.1 * median(small)),
    },
    { what: "  copied, 0.4 GB", values: sum(small, of(time, "copy small")), unit },
    { what: `  copied, ${size}`, values: sum(large, of(time, "copy large")), unit },
    { what: "  empty engine, and 0.4 GB loaded", values: sum(of(time, "empty"), loadMs), unit },
  );
  const empty = median(of(disk, "empty"));
  for (const profile of ["small", "large"])
    rows.push({
      what: `disk of a sandbox, ${profile}, beyond an empty one's`,
      values: of(disk, profile).map((used) => used - empty),
      unit: "MB",
      aim: 5,
    });
}

/** Two sandboxes that read one image: by how much of it the page cache grows with the second. */
async function measureCache(): Promise<void> {
  const cached = `sync; awk '/^(Cached|Buffers):/ {s+=$2} END {print s*1024}' /proc/meminfo`;
  const values: number[] = [];
  for (let i = 0; i < 2; i++) {
    const made = await second.create(`bench-preload-${i}`, "--profile", "small");
    const client = await second.client(made);
    await client.docker("run", "--rm", names[0] ?? "", "true");
    if (i === 0) await host("echo 3 >/proc/sys/vm/drop_caches");
    const before = Number(await host(cached));
    await client.docker(
      "run",
      "--rm",
      names[0] ?? "",
      "sh",
      "-c",
      "cat /data/* >/dev/null 2>&1; true",
    );
    values.push((100 * (Number(await host(cached)) - before)) / imageBytes);
    await client.remove();
  }
  const [first = NaN, next = NaN] = values;
  rows.push(
    { what: "page cache, % of the image: first sandbox reads it", values: [first], unit: "%" },
    { what: "page cache, % of the image: another reads it", values: [next], unit: "%", aim: 5 },
  );
}
