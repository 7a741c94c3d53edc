import type { Injected } from "./inject-fault.js";

// Faults of a host, each made for one run of the real doctor, in namespaces that end with it: files of the kernel and
// of the host are mounted over, devices and programs hidden, limits and routes set where nobody else has them. Nothing in
// Berth is replaced, and nothing on the host changes.

const over = (file: string, content: string) =>
  `printf '%s\\n' '${content}' >fake; mount --bind fake ${file}`;

/** A parameter of the kernel that is too low, of which the fix must make a number of so many digits. */
function tooLow(check: string, parameter: string, value: number, digits: number): Injected {
  const name = parameter.replaceAll(".", "\\.");
  return {
    check,
    status: "warning",
    what: new RegExp(`${name} is ${value}, \\d+ wanted`),
    fix: new RegExp(`${name} = \\d{${digits},}`),
    make: over(`/proc/sys/${parameter.replaceAll(".", "/")}`, String(value)),
  };
}

const data = { dataDir: "/mnt/data" };
const engine = (version: object, info: object = {}) => ({ engine: { version, info } });

export const faults: Record<string, Injected> = {
  "no user namespace is allowed": {
    check: "user namespaces",
    status: "failure",
    what: /max_user_namespaces is 0/,
    fix: /user\.max_user_namespaces = 65536.*sysctl --system/,
    // Set for real, in a user namespace that has this limit to itself.
    namespaces: ["--user"],
    make: "echo 0 >/proc/sys/user/max_user_namespaces",
  },
  "a user namespace cannot mount an overlay": {
    check: "overlayfs",
    status: "failure",
    what: /a user namespace cannot use it: /,
    fix: /modprobe overlay/,
    namespaces: ["--user"],
    make: "echo 0 >/proc/sys/user/max_mnt_namespaces",
  },
  "a kernel too old for idmapped mounts": {
    check: "idmapped mounts",
    status: "warning",
    what: /Linux 5\.10\.0-35-amd64 has none/,
    fix: /Linux 5\.19 or newer/,
    make: over("/proc/sys/kernel/osrelease", "5.10.0-35-amd64"),
  },
  "filters of system calls that cannot refuse": {
    check: "seccomp",
    status: "failure",
    what: /lack errno/,
    fix: /CONFIG_SECCOMP_FILTER/,
    make: over("/proc/sys/kernel/seccomp/actions_avail", "kill_process trap allow"),
  },
  "a kernel without tun": {
    check: "tun",
    status: "warning",
    what: /has no tun/,
    fix: /modprobe tun/,
    make: `${over("/proc/misc", "229 fuse")}
      mkdir modules
      [ ! -d /lib/modules ] || mount --bind modules /lib/modules`,
  },
  "no loop device": {
    check: "loop devices",
    status: "failure",
    // Newer losetups name a device that has no node, others none at all.
    what: /none can be had|\/dev\/loop\d+, which has no node in \/dev/,
    fix: /modprobe loop|mknod -m 600 \/dev\/loop\d+ b/,
    make: `mkdir dev
      cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty dev
      mount --bind dev /dev`,
  },
  "sandboxes' uids that somebody else has": {
    check: "uids",
    status: "failure",
    what: /\/etc\/subuid gives eve ids/,
    fix: /usermod --del-subuids 1073741824-1073807359 eve/,
    make: `cp -a /etc etc
      echo eve:1073741824:65536 >>etc/subuid
      mount --bind etc /etc`,
  },
  "a cgroup controller that is not mounted": {
    check: "cgroups",
    status: "failure",
    what: /no controller for .*pids/,
    fix: /systemd\.unified_cgroup_hierarchy=1/,
    make: "umount -l /sys/fs/cgroup/pids 2>/dev/null || umount -l /sys/fs/cgroup",
  },
  "a bus that nobody listens on": {
    check: "systemd",
    status: "failure",
    what: /cannot reach systemd.*\/mnt\/no-bus/,
    fix: /systemctl status dbus\.socket/,
    before: "env DBUS_SYSTEM_BUS_ADDRESS=unix:path=/mnt/no-bus",
  },
  "no unit that bounds all users": {
    check: "berth.slice",
    status: "warning",
    // What systemd has loaded stays with it: this one loses its file, as if somebody had removed it.
    what: /still has the unit berth\.slice from \/etc\/systemd\/system\/berth\.slice, which is not there/,
    fix: /cp \/opt\/berth\/slices\/berth\.slice/,
    make: "mkdir units; mount --bind units /etc/systemd/system",
  },
  "no engine": {
    check: "engine",
    status: "failure",
    what: /no answer at \/mnt\/nothing\.sock: .*ENOENT/,
    fix: /systemctl start docker/,
    config: { engine: { socket: "/mnt/nothing.sock" } },
  },
  "an engine that never answers": {
    check: "engine",
    status: "failure",
    what: /no answer at \/mnt\/engine\.sock/,
    fix: /systemctl start docker/,
    engine: "mute",
  },
  "an engine that is too old": {
    check: "engine",
    status: "failure",
    what: /Docker Engine 24\.0\.9, older than 25/,
    fix: /install Docker Engine 25/,
    ...engine({ Version: "24.0.9" }),
  },
  "a rootless engine": {
    check: "engine",
    status: "failure",
    what: /rootless/,
    fix: /systemctl enable --now docker/,
    ...engine({}, { SecurityOptions: ["name=seccomp,profile=builtin", "name=rootless"] }),
  },
  "an engine with userns-remap": {
    check: "engine",
    status: "failure",
    what: /userns-remap/,
    fix: /remove userns-remap/,
    ...engine({}, { SecurityOptions: ["name=seccomp,profile=builtin", "name=userns"] }),
  },
  "a storage driver that copies": {
    check: "engine drivers",
    status: "warning",
    what: /storage driver is vfs/,
    fix: /"storage-driver": "overlay2"/,
    ...engine({}, { Driver: "vfs" }),
  },
  "a runc with a known hole": {
    check: "advisories",
    status: "warning",
    what: /runc 1\.1\.11 has CVE-2024-21626/,
    fix: /--only-upgrade runc/,
    ...engine({ Components: [{ Name: "runc", Version: "1.1.11" }] }),
    make: "mkdir doc; [ ! -d /usr/share/doc ] || mount --bind doc /usr/share/doc",
  },
  "an engine's directory that all may enter": {
    check: "engine directory",
    status: "warning",
    what: /mode 751 \(CVE-2024-25621\)/,
    fix: /chmod 700 \/var\/lib\/containerd/,
    make: "mkdir -m 751 containerd; mount --bind containerd /var/lib/containerd",
  },
  "a program that is missing": {
    check: "nft",
    status: "failure",
    what: /is not installed/,
    fix: /apt-get install nftables/,
    make: 'mount --bind /dev/null "$(readlink -f "$(command -v nft)")"',
  },
  "a data directory in memory": {
    check: "file system",
    status: "warning",
    what: /\/mnt\/data is on tmpfs/,
    fix: /dataDir/,
    make: "mkdir -m 700 data",
    config: data,
  },
  "a data directory that does not answer": {
    check: "data directory",
    status: "failure",
    what: /\/mnt\/data does not answer/,
    fix: /cat \/proc\/mounts/,
    // A file system whose server never says a word; it ends with the last who holds the device open.
    make: `mknod -m 600 fuse c 10 229
      exec 3<>fuse
      mkdir data
      mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 mute data`,
    config: data,
  },
  "a data directory that is full": {
    check: "space",
    status: "failure",
    what: /MiB free below \/mnt\/data/,
    fix: /berth reap/,
    make: "mkdir data; mount -t tmpfs -o size=4m,mode=700 small data",
    config: data,
  },
  "a data directory that others may enter": {
    check: "data directory",
    status: "warning",
    what: /mode 755/,
    fix: /chmod 700 \/mnt\/data/,
    make: "mkdir -m 755 data",
    config: data,
  },
  "a data directory that is read-only": {
    check: "data directory",
    status: "failure",
    what: /cannot be written to/,
    fix: /remount,rw/,
    make: "mkdir -m 700 data; mount --bind data data; mount -o remount,bind,ro data",
    config: data,
  },
  "a clock that went back": {
    check: "clock",
    status: "failure",
    what: /\/mnt\/data\/users was written/,
    fix: /timedatectl set-ntp true/,
    make: "mkdir -m 700 data data/users; touch -d '+2 years' data/users",
    config: data,
  },
  "ports that the host itself goes out by": {
    check: "ports",
    status: "warning",
    what: /overlap the host's outgoing ports/,
    fix: /ports\.user below/,
    config: { ports: { user: "40000-49999" } },
  },
  "a port that another program has": {
    check: "ports",
    status: "warning",
    what: /other programs listen on 21777/,
    fix: /ss -lntup 'sport = :21777'/,
    namespaces: ["--net"],
    make: `node -e 'require("node:net").createServer().listen(21777)' &
      until grep -qi ':5511 ' /proc/net/tcp /proc/net/tcp6; do sleep 0.05; done`,
  },
  "a network of others in the pool": {
    check: "network pool",
    status: "failure",
    what: /overlaps 10\.210\.200\.0\/24 on lo/,
    fix: /another network\.pool/,
    namespaces: ["--net"],
    make: "ip link set lo up; ip route add 10.210.200.0/24 dev lo",
    config: { network: { pool: "10.210.0.0/16" } },
  },
  "a host that forwards nothing": {
    check: "forwarding",
    status: "failure",
    what: /ip_forward is 0/,
    fix: /net\.ipv4\.ip_forward = 1/,
    namespaces: ["--net"],
    make: "echo 0 >/proc/sys/net/ipv4/ip_forward",
  },
  "too few instances of inotify": tooLow("inotify", "fs.inotify.max_user_instances", 8, 3),
  "too few keys": tooLow("keys", "kernel.keys.root_maxkeys", 20, 3),
  "too small a table of connections": tooLow(
    "connections",
    "net.netfilter.nf_conntrack_max",
    4096,
    5,
  ),
  "too few terminals": tooLow("terminals", "kernel.pty.max", 300, 4),
  "more sandboxes than there is room for": {
    check: "capacity",
    status: "warning",
    what: /5000 sandboxes are asked for/,
    fix: /widen ports\.engine/,
    options: "--sandboxes 5000",
  },
  "somebody who is not root": {
    check: "root",
    status: "failure",
    what: /uid 65534/,
    fix: /sudo berth doctor/,
    before: "setpriv --reuid 65534 --regid 65534 --clear-groups",
  },
};
