import { afterAll, beforeAll } from "vitest";
import { attempts, type Attempt, type SeenToFail } from "./attempts.js";
import { Target } from "./target.js";

// The host's devices, its kernel's file systems, and what the kernel tells of itself.

let target: Target;

beforeAll(async () => {
  target = await Target.open("sec-devices");
});

afterAll(async () => {
  await target.close();
});

const denied = /Permission denied|permission denied|Operation not permitted/;
const missing = /no such file or directory|No such file or directory|Directory nonexistent/i;

/** Makes a node on a file system where nodes can be opened, as far as it goes, and opens it. */
const openNode = (kind: "b" | "c", major: number | string, minor: number | string) => `
  mount -t tmpfs nodes "$m"; trap 'umount -l "$m"' EXIT; node=$m/probe
  mknod "$node" ${kind} ${major} ${minor} && head -c 0 "$node" && exec 3<"$node"`;

/** Numbers of name_to_handle_at, open_by_handle_at. */
const [nameToHandle, openByHandle] = process.arch === "arm64" ? [264, 265] : [303, 304];

const characterDevices: [name: string, major: number, minor: number, seenToFail: SeenToFail][] = [
  ["the kernel's log (/dev/kmsg)", 1, 11, "never: the embedded host may not either"],
  ["memory (/dev/mem)", 1, 1, "never: not built in"],
  ["the first console (/dev/tty0)", 4, 0, "never: the embedded host may not either"],
  ["loop devices' control", 10, 237, "privileged"],
  ["virtual machines (/dev/kvm)", 10, 232, "privileged"],
  ["the hardware clock (/dev/rtc0)", 249, 0, "never: the embedded host may not either"],
];

const fileSystems: [type: string, seenToFail: SeenToFail][] = [
  ["debugfs", "privileged"],
  ["tracefs", "privileged"],
  ["bpf", "privileged"],
  ["securityfs", "privileged"],
  ["pstore", "privileged"],
  ["devtmpfs", "privileged"],
  ["hugetlbfs", "privileged"],
  ["fusectl", "privileged"],
];

/** What the kernel says to the host's root only. */
const secrets: [name: string, script: string, seenToFail: SeenToFail][] = [
  ["keys of other users (/proc/keys)", "grep . /proc/keys", "privileged"],
  ["the kernel's addresses", "grep -m1 -v '^0000000000000000' /proc/kallsyms", "privileged"],
  ["addresses of hardware", "grep -m1 -v '00000000-00000000' /proc/iomem", "privileged"],
  ["addresses of the kernel's memory", "head -c 9 /proc/vmallocinfo", "privileged"],
  ["the kernel's timers", "head -c 9 /proc/timer_list", "privileged"],
  ["its slabs", "head -c 9 /proc/slabinfo", "privileged"],
  ["its log (opening /proc/kmsg)", "exec 3</proc/kmsg", "privileged"],
  ["its memory (/proc/kcore)", "head -c 9 /proc/kcore", "never: not built in"],
  ["page flags of the machine", "exec 3</proc/kpageflags", "privileged"],
];

attempts("root of a sandbox", () => target, [
  {
    name: "read the disk of the host",
    asRoot: `
      set -- $(awk '$1 ~ /[0-9]/ && $4 !~ /loop|ram/ { print $1, $2; exit }' /proc/partitions 2>/dev/null ||
        perl -ane 'if ($F[0] =~ /\\d/ && $F[3] !~ /loop|ram/) { print "@F[0,1]"; exit }' /proc/partitions)
      ${openNode("b", "$1", "$2")}`,
    refused: denied,
    seenToFail: "never: the embedded host may not either",
  },
  {
    name: "read the disk of a sandbox, past its file system",
    asRoot: `
      set -- $(cat "$(dirname "$(ls -d /sys/block/loop*/loop | head -n 1)")/dev" | tr : ' ')
      ${openNode("b", "$1", "$2")}`,
    refused: denied,
    seenToFail: "privileged",
  },
  {
    name: "mount a disk",
    asRoot: `
      set -- $(perl -ane 'print "$F[2]" if $F[4] eq "/data"' /proc/self/mountinfo | tr : ' ')
      mount -t tmpfs nodes "$m"; trap 'umount -l "$m"' EXIT; node=$m/probe
      mknod "$node" b "$1" "$2" && mountable ext4 rw "$node"`,
    refused: denied,
    seenToFail: "privileged",
  },
  ...characterDevices.map(([name, major, minor, seenToFail]): Attempt => ({
    name: `make and open ${name}`,
    asRoot: openNode("c", major, minor),
    refused: denied,
    seenToFail,
  })),
  {
    name: "find a device in /dev beside what every container has",
    asRoot: `find /dev -type b -o -type c |
      grep -vE '^/dev/(null|zero|full|random|urandom|tty|console|fuse|net/tun|ptmx|pts/[0-9]+|pts/ptmx)$'`,
    refused: /^\s*$/,
    seenToFail: "privileged",
  },
  {
    name: "make the nodes it has writable where they come from",
    asRoot: "remount /dev",
    refused: denied,
    seenToFail: "never: a privileged sandbox has them in a /dev of its own",
  },
  ...fileSystems.map(([type, seenToFail]): Attempt => ({
    name: `mount ${type}`,
    asRoot: `mountable ${type}`,
    refused: denied,
    seenToFail,
  })),
  ...secrets.map(([name, script, seenToFail]): Attempt => ({
    name: `read ${name}`,
    asRoot: script,
    refused: new RegExp(`${denied.source}|${missing.source}|^\\s*$`),
    seenToFail,
  })),
  {
    name: "open a file by its number, past every directory",
    asRoot: `perl -e '
      my ($handle, $mount, $path) = (pack("ii", 120, 0) . "\\0" x 120, " " x 4, "/data");
      syscall(${nameToHandle}, -100, $path, $handle, $mount, 0) == 0 or die "no handle: $!\\n";
      opendir my $directory, $path or die;
      syscall(${openByHandle}, fileno($directory), $handle, 0) >= 0 or die "$!\n"'`,
    refused: /^Operation not permitted/,
    seenToFail: "privileged",
  },
]);

const device = (path: string, seenToFail: SeenToFail): Attempt => ({
  name: `give a container the host's ${path}`,
  docker: ["run", "--rm", "--device", path, "box", "true"],
  refused: missing,
  seenToFail,
});

attempts("a docker client", () => target, [
  device("/dev/vda", "never: the embedded host has no such node"),
  device("/dev/loop0", "privileged"),
  device("/dev/loop-control", "privileged"),
  device("/dev/kvm", "privileged"),
  device("/dev/mem", "never: the embedded host has no such node"),
  {
    name: "give a container the host's graphics cards",
    docker: ["run", "--rm", "--gpus", "all", "box", "true"],
    refused: /could not select device driver/,
    seenToFail: "never: the machine has none",
  },
  {
    name: "let a container make the nodes itself with --device-cgroup-rule",
    docker: [
      ...["run", "--rm", "--cap-add", "ALL", "--device-cgroup-rule", "b 7:* rwm", "box"],
      ...["sh", "-c", "mknod /disk b 7 0 && head -c 512 /disk >/dev/null"],
    ],
    refused: /Operation not permitted/,
    seenToFail: "privileged",
  },
  {
    name: "mount a disk of the host as a volume",
    made: async ({ client }) => {
      const options = ["-o", "type=ext4", "-o", "device=/dev/loop0"];
      await client.docker("volume", "create", ...options, "stolen");
      const ran = await client.run(["run", "--rm", "-v", "stolen:/v", "box", "true"]);
      await client.docker("volume", "rm", "stolen");
      return ran;
    },
    refused: /operation not permitted/,
    seenToFail: "privileged",
  },
]);
