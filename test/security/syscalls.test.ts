import { afterAll, beforeAll } from "vitest";
import { refusals, socketFamilies } from "../../src/isolation/seccomp.js";
import { attempts, type Attempt, type SeenToFail } from "./attempts.js";
import { Target } from "./target.js";

// Every system call that the filter is to refuse (src/engine/seccomp.ts), made in a running sandbox. The
// arguments are nonsense: a kernel that looks at them has let the call through, and says so by another error.

let target: Target;

beforeAll(async () => {
  target = await Target.open("e2e-sec-syscalls");
});

afterAll(async () => {
  await target.close();
});

const here = process.arch === "arm64" ? 2 : 0;

const texts: Record<number, string> = {
  1: "Operation not permitted",
  38: "Function not implemented",
};

/** What no kernel of today has looks refused anywhere. */
const gone = new Set(["nfsservctl", "lookup_dcookie", "_sysctl", "uselib"]);

const calls = refusals.flatMap(({ calls, errno }) =>
  Object.entries(calls).flatMap(([name, numbers]): Attempt[] => {
    const number = numbers[here];
    if (number === undefined) return [];
    const text = texts[errno] ?? "";
    return [
      {
        name: `call ${name}`,
        asRoot: `
          answer=$(call ${number} -1 -1 -1 -1 -1 2>&1); echo "$answer"
          [ "$answer" != "${text}" ]`,
        refused: new RegExp(text),
        seenToFail: gone.has(name) ? "never: kernels of today have no such call" : "privileged",
      },
    ];
  }),
);

attempts("root of a sandbox", () => target, calls);

const fcntl = here === 2 ? 25 : 72;

attempts("root of a sandbox", () => target, [
  {
    name: "have others wait who open a file (a lease)",
    // F_SETLEASE, F_RDLCK
    asRoot: `file=$(mktemp); exec 9<"$file"; call ${fcntl} 9 1024 0`,
    refused: /Invalid argument/,
    seenToFail: "privileged",
  },
]);

/** linux/socket.h */
const families: [name: string, family: number, seenToFail: SeenToFail][] = [
  ["AF_VSOCK, to the hypervisor", 40, "privileged"],
  ["AF_ALG, the kernel's cryptography", 38, "never: not built in"],
  ["AF_KEY", 15, "never: not built in"],
  ["AF_BLUETOOTH", 31, "never: not built in"],
  ["AF_CAN", 29, "never: not built in"],
  ["AF_TIPC", 30, "never: not built in"],
  ["AF_RDS", 21, "never: not built in"],
  ["AF_XDP", 44, "privileged"],
];
const socket = here === 2 ? 198 : 41;

attempts(
  "root of a sandbox",
  () => target,
  families
    .filter(([, family]) => !socketFamilies.includes(family))
    .map(([name, family, seenToFail]) => ({
      name: `open a socket of ${name}`,
      asRoot: `
        answer=$(call ${socket} ${family} 3 0 2>&1); echo "$answer"
        [ "$answer" != "Address family not supported by protocol" ]`,
      refused: /Address family not supported/,
      seenToFail,
    })),
);

/**
 * A program of 32-bit x86: socketcall(SYS_SOCKET, {AF_UNIX, SOCK_STREAM, 0}), and exit(-answer). Sections and
 * a C library it has none: 24 bytes of code behind the headers.
 */
const i386Program =
  "f0VMRgEBAQAAAAAAAAAAAAIAAwABAAAAVIAECDQAAAAAAAAAAAAAADQAIAABAAAAAAAAAAEAAAAAAAAAAIAECACABAhsAAAAbAAAAAUAAAAAEAAAagBqAWoBieEx20NqZljNgPfYkzHAQM2A";

attempts("root of a sandbox", () => target, [
  {
    name: "make a socket by a call that hides its family (i386's socketcall)",
    asRoot: `
      file=$(mktemp); echo ${i386Program} | base64 -d >"$file"; chmod 700 "$file"
      status=0; "$file" || status=$?; echo "status $status"
      [ "$status" -gt 128 ]`,
    // EAFNOSUPPORT
    refused: /status 97/,
    seenToFail: "privileged",
    onlyIf: {
      holds: () => Promise.resolve(process.arch === "x64"),
      otherwise: "only processors of the x86 kind run programs of i386",
    },
  },
]);
