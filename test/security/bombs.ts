import { patienceSeconds } from "../e2e/support.js";
import { World } from "./world.js";

// What a user can do to use up a machine. Each bomb is a shell line for an inner container, and ends with it
// after a while: when process 1 of the container ends, the kernel ends the others.

/** Seconds that a bomb lasts: long enough for some looks at the others meanwhile. */
export const fuse = patienceSeconds(4_000);

const perl = (program: string) => `chroot /sandbox /usr/bin/perl -e '${program}'`;

/** Forks `count` times, and each child does `act` for as long as it succeeds, then waits for the end. */
const each = (count: number, act: string) =>
  perl(`for (1 .. ${count}) { fork or last } ${act}; sleep ${fuse}`);

/** inotify_init1(2): x86-64, and asm-generic as on arm64. */
const inotifyInit = "syscall(`uname -m` =~ /x86/ ? 294 : 26, 0)";

export const bombs = {
  fork: perl("while (1) { fork // select undef, undef, undef, 0.01 }"),
  memory: "while :; do tail /dev/zero; done",
  tmpfs: "mount -t tmpfs -o size=100g tmpfs /mnt; dd if=/dev/zero of=/mnt/full bs=1M; sleep 60",
  disk: "while :; do dd if=/dev/zero of=/full bs=1M 2>/dev/null; sync; rm /full; done",
  inode: perl("mkdir q(/data/many); 1 while open my $f, q(>), q(/data/many/) . $i++; sleep 60"),
  fd: each(20, "1 while open $f[$i++], q(<), q(/dev/null)"),
  inotify: each(20, `1 while ${inotifyInit} >= 0`),
  pty: each(8, "1 while open $f[$i++], q(+<), q(/dev/ptmx)"),
  cpu: "for i in 1 2 3 4 5 6 7 8; do while :; do :; done & done; wait",
  connections: each(
    4,
    `use Socket; while (1) { socket($f[$i++], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0) or last;
     connect $f[$i - 1], sockaddr_in(9, inet_aton(q(${World.address}))) }`,
  ),
} as const;

/** For the other machine of a World: whoever connects to this port of it hears nothing, ever. */
export const blackHole =
  "nft add table ip hole; " +
  `nft add chain ip hole in "{ type filter hook prerouting priority raw; }"; ` +
  "nft add rule ip hole in tcp dport 9 drop";

export type BombName = keyof typeof bombs;

/** Arguments for docker that set it off. */
export function bombArgs(line: string): string[] {
  const timed = `echo lit; timeout -s KILL ${fuse} sh -c "$0" >/dev/null 2>&1; true`;
  return [
    ...["run", "--rm", "--name", "bomb", "--privileged", "-v", "/:/sandbox", "box"],
    ...["sh", "-c", timed, line],
  ];
}
