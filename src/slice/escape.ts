// systemd reads "-" in a slice's name as "child of", so a dash in a user's name must be escaped.

const sliceNamePattern = /^berth-([^-]+)\.slice$/;
const userPattern = /^[a-z][a-z0-9_.-]{0,31}$/;

/**
 * What `systemd-escape TEXT` prints: "/" becomes "-", and every byte but letters, digits, ":", "_"
 * and "." (this one not at the start) becomes `\xNN`. systemd.unit(5), "String escaping for
 * inclusion in unit names".
 */
export function escapeUnitName(text: string): string {
  let escaped = "";
  for (const byte of Buffer.from(text, "utf8")) {
    const char = String.fromCharCode(byte);
    if (char === "/") escaped += "-";
    else if (/[A-Za-z0-9:_]/.test(char) || (char === "." && escaped !== "")) escaped += char;
    else escaped += `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return escaped;
}

/** The way back, as `systemd-escape --unescape`; undefined when `escaped` holds a broken escape. */
export function unescapeUnitName(escaped: string): string | undefined {
  const parts = escaped.match(/\\x[0-9a-f]{2}|[^\\]/gu) ?? [];
  if (parts.join("") !== escaped) return undefined;
  const bytes = parts.map((part) => {
    if (part.startsWith("\\x")) return Buffer.from(part.slice(2), "hex");
    return Buffer.from(part === "-" ? "/" : part, "utf8");
  });
  return Buffer.concat(bytes).toString("utf8");
}

/** `ann` to `berth-ann.slice`, `ann-b` to `berth-ann\x2db.slice`. */
export function sliceName(user: string): string {
  return `berth-${escapeUnitName(user)}.slice`;
}

/** The user of a name that `sliceName` makes; undefined for any other, such as `berth-a-b.slice`. */
export function userOfSlice(name: string): string | undefined {
  const escaped = sliceNamePattern.exec(name)?.[1];
  const user = escaped === undefined ? undefined : unescapeUnitName(escaped);
  // The way there and back also refuses other spellings of the same name (`berth-\x61nn.slice`).
  if (user === undefined || !userPattern.test(user) || sliceName(user) !== name) return undefined;
  return user;
}

/**
 * The D-Bus object of a unit: every byte but letters and digits (and a digit at the start) becomes
 * `_nn` (systemd's bus_label_escape). Knowing it spares a round trip to `GetUnit`.
 */
export function unitObjectPath(name: string): string {
  let label = "";
  for (const byte of Buffer.from(name, "utf8")) {
    const char = String.fromCharCode(byte);
    const isPlain = /[A-Za-z]/.test(char) || (/[0-9]/.test(char) && label !== "");
    label += isPlain ? char : `_${byte.toString(16).padStart(2, "0")}`;
  }
  return `/org/freedesktop/systemd1/unit/${label}`;
}
