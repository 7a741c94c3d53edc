// Numbers as people read them. Pure: no DOM here, so that unit tests run in Node.

const sizeUnits = ["B", "KiB", "MiB", "GiB", "TiB"];

/** 1073741824 to `1 GiB`, 1.5 * 2^30 to `1.5 GiB`. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.round(value) >= 1024 && unit < sizeUnits.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toFixed(value < 10 ? 1 : 0))} ${sizeUnits[unit] ?? ""}`;
}

/** Bytes as the API takes them back without loss: `1G`, `1.5G`, `512M`, or plain digits. */
export function sizeForInput(bytes: number): string {
  for (const [letter, unit] of [
    ["G", 1024 ** 3],
    ["M", 1024 ** 2],
    ["K", 1024],
  ] as const) {
    const count = bytes / unit;
    if (count >= 1 && Number.isInteger(count * 4)) return `${count}${letter}`;
  }
  return String(bytes);
}

/** 5_400_000 to `1h30m`, as the API takes it; whole minutes, at least one. */
export function durationForInput(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  const days = Math.floor(minutes / 1440);
  const hours = Math.floor(minutes / 60);
  if (days >= 2 && minutes % 1440 === 0) return `${days}d`;
  const rest = minutes % 60;
  return `${hours > 0 ? `${hours}h` : ""}${rest > 0 ? `${rest}m` : ""}`;
}

/** `18 ms`, `1.32 s`, with a space that does not break. */
export function formatMs(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)}\u00a0ms` : `${(ms / 1000).toFixed(2)}\u00a0s`;
}

/** Time left as a clock: `0:04:09`, `23:59:00`, `2 d 03:00:00`; never below zero. */
export function formatCountdown(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3600);
  const two = (count: number) => String(count).padStart(2, "0");
  const clock = `${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`;
  return days > 0 ? `${days} d ${two(hours)}:${clock}` : `${hours}:${clock}`;
}

/** Time left in words, for where no clock ticks: `2 d 3 h`, `23 h 41 min`, `14 min`, `less than 1 min`. */
export function formatLeft(ms: number): string {
  if (ms <= 0) return "time is up";
  const minutes = Math.floor(ms / 60_000);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  const join = (a: string, b: number, unit: string) => (b > 0 ? `${a} ${b} ${unit}` : a);
  if (days > 0) return join(`${days} d`, hours % 24, "h");
  if (hours > 0) return join(`${hours} h`, minutes % 60, "min");
  return minutes > 0 ? `${minutes} min` : "less than 1 min";
}

const dayFormat = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  hour: "2-digit",
  minute: "2-digit",
});
const dateFormat = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
});
const weekMs = 7 * 86_400_000;

/** `Wed 21:30`; with the date when that is not within a week of `now`. */
export function formatWhen(at: string | number, now: number): string {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return "at an unknown time";
  const isNear = Math.abs(time.getTime() - now) < weekMs - 86_400_000;
  return (isNear ? dayFormat : dateFormat).format(time);
}

const clockFormat = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

/** `21:30:07` */
export const formatClock = (at: string): string =>
  Number.isNaN(Date.parse(at)) ? "" : clockFormat.format(new Date(at));

/** Cores: `0.42`, `1.5`, `12`. */
export const formatCores = (cores: number): string => String(Number(cores.toFixed(2)));

/** How much the time left should worry: below 15 minutes is `soon`, nothing left is `over`. */
export function urgency(ms: number): "calm" | "soon" | "over" {
  if (ms <= 0) return "over";
  return ms < 15 * 60_000 ? "soon" : "calm";
}

/** 0 to 1, also when the limit is missing or exceeded. */
export function fraction(used: number, limit: number): number {
  if (!(limit > 0)) return 0;
  return Math.min(1, Math.max(0, used / limit));
}

/** Cores in use between two readings of the processor time; undefined when they are no pair. */
export function coresBetween(
  before: { at: string; seconds: number },
  after: { at: string; seconds: number },
): number | undefined {
  const elapsed = (Date.parse(after.at) - Date.parse(before.at)) / 1000;
  const used = after.seconds - before.seconds;
  // Less than before: the sandbox was started again and counts from zero.
  return elapsed > 0 && used >= 0 ? used / elapsed : undefined;
}

/** The first of `default`, `default-2`, `default-3`, … that is not taken. */
export function freeName(taken: Iterable<string>): string {
  const names = new Set(taken);
  let name = "default";
  for (let count = 2; names.has(name); count++) name = `default-${count}`;
  return name;
}
