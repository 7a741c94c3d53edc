import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ok, onHost, patience } from "../e2e/support.js";
import { against, Target } from "./target.js";
import { attempts } from "./attempts.js";

// What a sandbox sees of files outside, and what it could leave for others to run.

let target: Target;

beforeAll(async () => {
  target = await Target.open("e2e-sec-files");
});

afterAll(async () => {
  await target.close();
});

const readOnly = /Read-only file system|Permission denied|permission denied/;
const nothing = /^\s*$/;

/** Fails the attempt when the output is just what is expected. */
const beyond = (listing: string, expected: string[]) => `
  ${listing} | grep -vxF "$(printf '%s\\n' ${expected.join(" ")})"`;

const ownRoot = [
  ...["berth", "bin", "data", "dev", "etc", "lib", "lib64", "proc", "root", "run", "sbin"],
  ...["sys", "tmp", "usr", "var"],
];

attempts("root of a sandbox", () => target, [
  {
    name: "see more than its own root",
    asRoot: beyond("ls -A /", ownRoot),
    refused: nothing,
    seenToFail: "privileged",
  },
  {
    name: "see what the entrypoint keeps for itself",
    asRoot: beyond("ls -A /run/berth", ["bin"]),
    refused: nothing,
    seenToFail: "privileged",
  },
  {
    name: "see more of Berth than its own certificates",
    asRoot: beyond("find /berth -type f", [
      ...["ca.pem", "server-cert.pem", "server-key.pem"].map((file) => `/berth/certs/${file}`),
    ]),
    refused: nothing,
    seenToFail: "never: a privileged sandbox is given the same",
  },
  {
    name: "find the key that signs certificates, or a record of Berth's",
    asRoot: `find / -maxdepth 5 \\( -path /proc -o -path /sys -o -path /data/docker \\) -prune -o \\
      \\( -name ca-key.pem -o -name sandbox.json -o -name berth.sock \\) -print 2>/dev/null | grep .`,
    refused: nothing,
    seenToFail: "host",
  },
  {
    name: "reach the container's old root through a process or a mount",
    asRoot: `for root in /proc/[0-9]*/root /proc/[0-9]*/cwd; do
      [ -e "$root/usr/local/sbin/berth-entrypoint" ] && [ -e "$root/home" ] && echo "$root"
      done | grep .`,
    refused: nothing,
    seenToFail: "privileged",
  },
  {
    name: "see other containers than its user's at the socket it can mount",
    asRoot: `perl -MIO::Socket::UNIX -e '
      my $engine = IO::Socket::UNIX->new(Peer => "/run/docker.sock") or die "$!\\n";
      print $engine "GET /containers/json?all=1 HTTP/1.0\\r\\n\\r\\n";
      print <$engine>' | grep -F 'berth.sandbox'`,
    refused: nothing,
    seenToFail: "host",
  },
  {
    name: "change the entrypoint, which real root runs at the next start",
    asRoot: `
      remount / || remount /usr
      : >>/usr/local/sbin/berth-entrypoint`,
    refused: readOnly,
    seenToFail: "privileged",
  },
  {
    name: "make programs of the image writable",
    // As long as a file is written elsewhere: a running one could not be, for another reason.
    asRoot: `
      remount / || remount /usr
      touch /usr/local/probe && rm /usr/local/probe`,
    refused: readOnly,
    seenToFail: "privileged",
  },
  {
    name: "make them writable through a second mount of them",
    asRoot: `
      mount --bind /usr "$m" && remount "$m"
      touch "$m/local/probe" && rm "$m/local/probe"`,
    refused: readOnly,
    seenToFail: "privileged",
  },
  {
    name: "find something below the mounts of its root",
    asRoot: `unshare --mount sh -c '
      for mount in usr etc/ssl/certs; do umount -l /$mount && ls -A /$mount; done 2>/dev/null' | grep .`,
    refused: nothing,
    seenToFail: "never: a privileged sandbox has no mounts there",
  },
  {
    name: "write a program that is being run, through /proc",
    asRoot: ": >>/proc/1/exe",
    refused: readOnly,
    seenToFail: "never: no running program can be written, read-only or not",
  },
]);

attempts("a docker client", () => target, [
  {
    name: "see more than the sandbox's own root with -v /:/host",
    made: (there) => there.powerful(["sh", "-c", beyond("ls -A /host", ownRoot)]),
    refused: nothing,
    seenToFail: "privileged",
  },
  {
    name: "put a mount where the host's own container would see it",
    made: async (there) => {
      ok(await there.asRoot("mount -t tmpfs berth-probe /usr/local/games"));
      const seen = await onHost(`
        init=$(docker inspect -f '{{.State.Pid}}' $(docker ps -q --filter label=berth.sandbox=${there.sandbox.id}))
        grep berth-probe /proc/$init/mountinfo /proc/self/mountinfo`);
      ok(await there.asRoot("umount /usr/local/games"));
      return seen;
    },
    refused: nothing,
    seenToFail: "privileged",
  },
]);

describe.skipIf(against === "host")("after a restart", () => {
  it("the engine is the image's, whatever its user laid over it", async () => {
    const engine = "sha256sum </usr/sbin/dockerd";
    const before = ok(await target.asRoot(engine));
    ok(await target.asRoot("cp /bin/true /data/fake && mount --bind /data/fake /usr/sbin/dockerd"));
    expect(ok(await target.asRoot(engine))).not.toBe(before);
    const started = `docker inspect -f '{{.State.StartedAt}} {{.State.Running}}' berth-${target.sandbox.id}`;
    const first = ok(await onHost(started));
    // The client sees its connection end.
    await target.asRoot("kill -s KILL $(pidof dockerd)");
    await expect
      .poll(async () => ok(await onHost(started)), { timeout: patience(30_000), interval: 200 })
      .toMatch(new RegExp(`^(?!${first.split(" ")[0] ?? ""}).* true$`));
    await expect
      .poll(async () => (await target.client.run(["version"])).code, { timeout: patience(30_000) })
      .toBe(0);
    expect(ok(await target.asRoot(engine))).toBe(before);
  });
});
