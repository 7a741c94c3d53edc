import type { KernelMessage } from "../lib/model.js";

// Pure: lines of /dev/kmsg into what they tell of sandboxes.

/** A record of the kernel's log (Linux, Documentation/ABI/testing/dev-kmsg). */
export interface LogRecord {
  /** Counts up by one from the machine's start. */
  sequence: number;
  /** Whether the kernel itself wrote it: what processes write to /dev/kmsg has another facility. */
  isKernels: boolean;
  /** Bytes that are not printable, and backslashes, stand in it as \xNN. */
  text: string;
}

/** `prio,seq,usec,flags[,…];text`; undefined for continuation lines (` KEY=value`) and all else. */
export function parseRecord(line: string): LogRecord | undefined {
  const [, priority, sequence, text] = /^(\d+),(\d+),\d+,[^;]*;(.*)$/.exec(line) ?? [];
  if (text === undefined) return undefined;
  // The low three bits are the level, those above the facility; 0 is the kernel, and only its own.
  return { sequence: Number(sequence), isKernels: Number(priority) < 8, text };
}

/** What a record tells of a sandbox, if anything. */
export function messageIn({ isKernels, text }: LogRecord): KernelMessage | undefined {
  // A sandbox that may write to /dev/kmsg must not make up what happened to another.
  if (!isKernels) return undefined;
  if (text.startsWith("oom-kill:constraint=")) return killIn(text);
  const rejected = "cgroup: fork rejected by pids controller in ";
  if (text.startsWith(rejected)) return rejectionIn(text.slice(rejected.length));
  return undefined;
}

/**
 * A sandbox's container: the first one below a user's slice. Cgroups below it are named by the
 * sandbox's user, who can imitate all of this, but only further to the right.
 */
const container =
  /\/berth\.slice\/berth-[^/,]*\.slice\/(?:[a-z]+-)?([0-9a-f]{64})(?:\.scope)?(?=[/,]|$)/;

/**
 * `oom-kill:constraint=…,nodemask=…,cpuset=NAME,mems_allowed=…,oom_memcg=PATH,task_memcg=PATH,
 * task=NAME,pid=…,uid=…`; `global_oom` in place of `oom_memcg` when the machine's memory is used up
 * (mm/oom_kill.c, dump_oom_victim). NAME may be the user's, but has no slash.
 */
function killIn(text: string): KernelMessage | undefined {
  const at = text.search(/,(?:oom_memcg|global_oom,task_memcg)=\//);
  if (at === -1) return undefined;
  const rest = text.slice(at);
  const found = container.exec(rest);
  if (!found?.[1]) return undefined;
  return {
    kind: "oom-kill",
    containerId: found[1],
    limit: limitIn(rest, found),
    task: taskIn(rest),
  };
}

function limitIn(rest: string, found: RegExpExecArray): "sandbox" | "inner" | "slice" | "host" {
  if (rest.startsWith(",global_oom")) return "host";
  const before = rest.slice(0, found.index);
  const end = before.indexOf(",task_memcg=");
  // The container is named by task_memcg first: the memory was that of a cgroup above it.
  if (end !== -1) return /\/berth-[^/]*\.slice$/.test(before.slice(0, end)) ? "slice" : "host";
  return rest[found.index + found[0].length] === "/" ? "inner" : "sandbox";
}

/** A process's name is 15 bytes (TASK_COMM_LEN), and whatever its user chose. */
function taskIn(rest: string): string | undefined {
  const [, name] =
    /^,task=(.*),pid=\d+,uid=\d+$/.exec(rest.slice(rest.lastIndexOf(",task="))) ?? [];
  return name === undefined ? undefined : printableName(name);
}

const longestName = 15;

/** Letters, digits and signs only: no control characters, nor what turns the direction of writing. */
function printableName(escaped: string): string | undefined {
  const bytes = escaped.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  const name = Buffer.from(bytes, "latin1").toString("utf8");
  const shown = name.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, "?").trim();
  return shown === "" ? undefined : Array.from(shown).slice(0, longestName).join("");
}

function rejectionIn(path: string): KernelMessage | undefined {
  const found = container.exec(path);
  if (!found?.[1]) return undefined;
  const inner = path.length > found.index + found[0].length;
  return { kind: "fork-rejected", containerId: found[1], inner };
}
