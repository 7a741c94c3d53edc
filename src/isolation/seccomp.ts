import {
  allow,
  encode,
  ifAtLeast,
  ifEqual,
  load,
  offsets,
  refuse,
  skip,
  type Instruction,
} from "./bpf.js";

/*
 * The system calls that nothing in a `userns` sandbox may make, dockerd, inner `--privileged` containers
 * and their `seccomp=unconfined` included. All else is left to the user namespace's own rules, so that
 * Docker works as on a machine of one's own; inner containers have Docker's default profile besides.
 *
 * Loaded by the entrypoint (images/dind/load-filter) rather than by the host's engine, for engines before 27
 * silently ignore a seccomp profile of a privileged container (moby pull request 47500).
 */

const EPERM = 1;
const EINVAL = 22;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

/** By architecture: asm/unistd_64.h, asm/unistd_32.h, asm-generic/unistd.h (arm64). */
type Numbers = readonly [
  x86_64?: number | undefined,
  i386?: number | undefined,
  arm64?: number | undefined,
];

interface Refusal {
  calls: Readonly<Record<string, Numbers>>;
  errno: number;
  why: string;
}

const none = undefined;

/** Said in docs/security.md as well. */
export const refusals: readonly Refusal[] = [
  {
    calls: { kexec_load: [246, 283, 104], kexec_file_load: [320, none, 294] },
    errno: EPERM,
    why: "would start another kernel",
  },
  {
    calls: {
      init_module: [175, 128, 105],
      finit_module: [313, 350, 273],
      delete_module: [176, 129, 106],
      create_module: [174, 127],
      query_module: [178, 167],
      get_kernel_syms: [177, 130],
    },
    errno: EPERM,
    why: "kernel modules are the host's",
  },
  {
    calls: { open_by_handle_at: [304, 342, 265] },
    errno: EPERM,
    why: "opens files by number, past every directory: the classic way out of a container",
  },
  {
    calls: { swapon: [167, 87, 224], swapoff: [168, 115, 225], acct: [163, 51, 89] },
    errno: EPERM,
    why: "settings of the whole machine",
  },
  {
    calls: { reboot: [169, 88, 142] },
    errno: EPERM,
    why: "a container's init that is refused it just exits, as systemd does",
  },
  {
    calls: { keyctl: [250, 288, 219], add_key: [248, 286, 217], request_key: [249, 287, 218] },
    errno: ENOSYS,
    why: "keyrings are not apart by container; runc goes on without them when they are not there",
  },
  {
    calls: { bpf: [321, 357, 280] },
    errno: EPERM,
    why: "code in the kernel; runc in a user namespace needs none for its device rules",
  },
  {
    calls: { perf_event_open: [298, 336, 241] },
    errno: EPERM,
    why: "measures what others do, and has a history of holes",
  },
  {
    calls: { userfaultfd: [323, 374, 282] },
    errno: EPERM,
    why: "makes races in the kernel easy to win",
  },
  {
    calls: {
      io_uring_setup: [425, 425, 425],
      io_uring_enter: [426, 426, 426],
      io_uring_register: [427, 427, 427],
    },
    errno: ENOSYS,
    why: "a second way to make system calls, with a history of holes; Docker refuses it too",
  },
  {
    calls: { syslog: [103, 103, 116] },
    errno: EPERM,
    why: "the kernel's log speaks of the host and of other sandboxes",
  },
  {
    calls: { iopl: [172, 110], ioperm: [173, 101] },
    errno: EPERM,
    why: "hardware ports",
  },
  {
    calls: { quotactl: [179, 131, 60], quotactl_fd: [443, 443, 443] },
    errno: EPERM,
    why: "quotas are settings of a file system, which is the host's",
  },
  {
    calls: {
      nfsservctl: [180, 169, 42],
      lookup_dcookie: [212, 253, 18],
      _sysctl: [156, 149],
      uselib: [134, 86],
      vm86: [none, 166],
      vm86old: [none, 113],
    },
    errno: ENOSYS,
    why: "old and unused, hence little looked after",
  },
];

/**
 * The socket families a container may have: unix, IPv4, IPv6, netlink, packet (linux/socket.h). Others
 * are code that nobody here uses, and AF_VSOCK leads past every network namespace to a hypervisor.
 */
export const socketFamilies: readonly number[] = [1, 2, 10, 16, 17];
/** socket(2) and socketpair(2), which makes its sockets before it asks whether the family has pairs. */
const ofAFamily: readonly Numbers[] = [
  [41, 359, 198],
  [53, 360, 199],
];

/**
 * socketcall(2), i386's way to make sockets from before Linux 4.3, keeps the family where no filter can
 * read it, and AF_ALG let anybody write into the page cache, which sandboxes share
 * (CVE-2026-31431). So it makes no sockets here: SYS_SOCKET, SYS_SOCKETPAIR (linux/net.h).
 */
const socketcall: Numbers = [none, 102, none];
export const socketcallsThatMake: readonly number[] = [1, 8];

/**
 * Commands of fcntl(2) that take a lease or a delegation (linux/fcntl.h): who then opens the file waits up to
 * 45 s for its holder to let go, again and again. Files of a preload are shared by sandboxes, and root of
 * each owns them. EINVAL is what a kernel answers whose leases are off (fs.leases-enable).
 */
export const leaseCommands: readonly number[] = [1024, 1040];
/** i386 has two of them. */
const fcntl: readonly Numbers[] = [
  [72, 55, 25],
  [none, 221, none],
];

/** AUDIT_ARCH_* of linux/audit.h, in the order of Numbers. */
const architectures = [0xc000003e, 0x40000003, 0xc00000b7] as const;
/** Calls of x32 have this bit (asm/unistd.h); nobody uses that ABI, and it would need a list of its own. */
const x32Bit = 0x40000000;

/** The filter of a `userns` sandbox; pure. Programs of any other architecture get ENOSYS for every call. */
export function sandboxFilter(): Instruction[] {
  const program: Instruction[] = [load(offsets.architecture)];
  architectures.forEach((architecture, index) => {
    const block = blockFor(index);
    program.push(ifEqual(architecture, 1), skip(1), skip(block.length), ...block);
  });
  program.push(refuse(ENOSYS));
  return program;
}

function blockFor(index: number): Instruction[] {
  const block: Instruction[] = [load(offsets.number)];
  if (index === 0) block.push(ifAtLeast(x32Bit, 1), refuse(ENOSYS));
  for (const { calls, errno } of refusals) {
    for (const numbers of Object.values(calls)) {
      const number = numbers[index];
      if (number !== undefined) block.push(ifEqual(number, 1), refuse(errno));
    }
  }
  const { firstArgument, secondArgument } = offsets;
  const noFamily = refuse(EAFNOSUPPORT);
  block.push(
    ...ofCalls(fcntl, index, byArgument(secondArgument, leaseCommands, refuse(EINVAL), allow)),
    ...ofCalls(ofAFamily, index, byArgument(firstArgument, socketFamilies, allow, noFamily)),
    ...ofCalls(
      [socketcall],
      index,
      byArgument(firstArgument, socketcallsThatMake, noFamily, allow),
    ),
    allow,
  );
  return block;
}

/** What becomes of these calls, where the architecture has them. */
function ofCalls(calls: readonly Numbers[], index: number, rule: Instruction[]): Instruction[] {
  return calls.flatMap((numbers) => {
    const number = numbers[index];
    return number === undefined ? [] : [ifEqual(number, rule.length), ...rule];
  });
}

/** One end for the values of an argument that are listed, another for all others. */
function byArgument(
  offset: number,
  listed: readonly number[],
  end: Instruction,
  otherwise: Instruction,
): Instruction[] {
  return [load(offset), ...listed.flatMap((value) => [ifEqual(value, 1), end]), otherwise];
}

/** As the entrypoint takes it, in BERTH_SECCOMP. */
export const encodedFilter = (): string => encode(sandboxFilter()).toString("base64");
