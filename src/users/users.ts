import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { userName } from "../lib/contract/sandbox.js";
import { roles, type AddedUser, type Role, type User } from "../lib/contract/user.js";
import { BerthError, ignoring } from "../lib/errors.js";
import { KeyedMutex } from "../lib/keyed-mutex.js";
import type { Log } from "../lib/log.js";
import { parseStrictly } from "../lib/strict-issues.js";
import { writeWhole } from "../lib/write-whole.js";
import { createToken, matches, parseToken } from "./token.js";

const record = z.strictObject({
  name: userName,
  role: z.enum(roles),
  createdAt: z.iso.datetime(),
  token: z.strictObject({ id: z.string(), salt: z.string(), hash: z.string() }).optional(),
});
type UserRecord = z.infer<typeof record>;

/** The people who may ask for sandboxes: one file each, `<dir>/<name>.json`, mode 0600. */
export class Users {
  readonly #dir: string;
  readonly #log: Log;
  readonly #now: () => Date;
  readonly #users = new Map<string, UserRecord>();
  /** SHA-256 of tokens that scrypt has already accepted: one scrypt per token and daemon, not per request. */
  readonly #accepted = new Map<string, string>();

  /** One write or unlink of a user's record at a time: a late write must not bring a removed user back. */
  readonly #writing = new KeyedMutex();

  constructor(options: { dir: string; log: Log; now?: () => Date }) {
    this.#dir = options.dir;
    this.#log = options.log;
    this.#now = options.now ?? (() => new Date());
  }

  /** Reads all records; one that cannot be read is logged and leaves its user without access. */
  async load(): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    for (const file of await readdir(this.#dir)) {
      if (!file.endsWith(".json")) continue;
      const path = join(this.#dir, file);
      try {
        const json: unknown = JSON.parse(await readFile(path, "utf8"));
        const user = parseStrictly(record, json, path, "RECORD_INVALID");
        if (file !== `${user.name}.json`) throw new Error(`it is of ${user.name}`);
        this.#users.set(user.name, user);
      } catch (error) {
        this.#log.error(
          { path, err: error },
          "a user's record cannot be read; the user is shut out",
        );
      }
    }
  }

  list(): User[] {
    return [...this.#users.values()].map(publicView).sort((a, b) => a.name.localeCompare(b.name));
  }

  has(name: string): boolean {
    return this.#users.has(name);
  }

  /**
   * Adds a user and returns the token, the only time it is to be had.
   * A user whom root's creations had added without a token gets theirs now.
   * @throws BerthError USER_EXISTS
   */
  async add(name: string, role: Role = "user"): Promise<AddedUser> {
    const known = this.#users.get(name);
    if (known?.token) {
      throw new BerthError(
        "USER_EXISTS",
        `cannot add user ${name}: there is one already; for a new token remove the user first (this removes their sandboxes)`,
      );
    }
    const { token, kept } = await createToken();
    if (this.#users.get(name)?.token) return this.add(name, role);
    const user = {
      name,
      role,
      createdAt: known?.createdAt ?? this.#now().toISOString(),
      token: kept,
    };
    await this.#save(user);
    return { ...publicView(user), token };
  }

  /** Adds a user without a token, if not known: root made a sandbox for them. */
  async ensure(name: string): Promise<void> {
    if (this.#users.has(name)) return;
    await this.#save({ name, role: "user", createdAt: this.#now().toISOString() });
  }

  /**
   * Shuts a user out at once: the token is refused, nothing new can be made for them. Their record
   * stays until `remove`, so that a removal that breaks off can be asked for again.
   * @throws BerthError USER_NOT_FOUND
   */
  revoke(name: string): void {
    if (!this.#users.delete(name)) {
      throw new BerthError("USER_NOT_FOUND", `there is no user ${name}; see berth user list`);
    }
    for (const [digest, owner] of this.#accepted) {
      if (owner === name) this.#accepted.delete(digest);
    }
  }

  /** Removes a revoked user's record. */
  async remove(name: string): Promise<void> {
    await this.#writing.run(name, () => ignoring(unlink(this.#path(name)), "ENOENT"));
  }

  /** Whether the token has been recognised before, which takes no scrypt to see. */
  isAccepted(token: string): boolean {
    return this.#users.has(this.#accepted.get(digestOf(token)) ?? "");
  }

  /** Whose token this is; undefined for nobody's. */
  async authenticate(token: string): Promise<User | undefined> {
    const digest = digestOf(token);
    const accepted = this.#users.get(this.#accepted.get(digest) ?? "");
    if (accepted) return publicView(accepted);
    const parsed = parseToken(token);
    if (!parsed) return undefined;
    const found = [...this.#users.values()].find((user) => user.token?.id === parsed.id);
    if (!found?.token || !(await matches(parsed.secret, found.token))) return undefined;
    // The user may have been removed while scrypt ran.
    if (this.#users.get(found.name) !== found) return undefined;
    this.#accepted.set(digest, found.name);
    return publicView(found);
  }

  async #save(user: UserRecord): Promise<void> {
    return this.#writing.run(user.name, () => this.#write(user));
  }

  async #write(user: UserRecord): Promise<void> {
    const before = this.#users.get(user.name);
    this.#users.set(user.name, user);
    try {
      await writeWhole(this.#path(user.name), JSON.stringify(user, null, 2) + "\n");
    } catch (error) {
      // A user who was never written would be gone after the next start.
      if (before) this.#users.set(user.name, before);
      else this.#users.delete(user.name);
      throw error;
    }
  }

  #path(name: string): string {
    return join(this.#dir, `${name}.json`);
  }
}

function publicView(user: UserRecord): User {
  return {
    name: user.name,
    role: user.role,
    createdAt: user.createdAt,
    hasToken: user.token !== undefined,
  };
}

const digestOf = (token: string): string => createHash("sha256").update(token).digest("base64");
