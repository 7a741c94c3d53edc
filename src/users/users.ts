import { EventEmitter } from "node:events";
import { mkdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { AddedUser, Role, User } from "../lib/contract/user.js";
import { BerthError, ignoring } from "../lib/errors.js";
import type { Identity } from "../lib/identity.js";
import { KeyedMutex } from "../lib/keyed-mutex.js";
import type { Log } from "../lib/log.js";
import { writeWhole } from "../lib/write-whole.js";
import { AcceptedTokens } from "./accepted-tokens.js";
import { LastSeen } from "./last-seen.js";
import { hashPassword, isPassword } from "./password.js";
import { admitted, findAdmitted } from "./admission.js";
import {
  epochOf,
  groupsOf,
  newEpoch,
  publicView,
  userVersion,
  withoutFormer,
  type UserRecord,
  type Ways,
} from "./record.js";
import { readUserRecord, userFile, usersIn } from "./read-record.js";
import { createToken, matches, parseToken } from "./token.js";

/** The people who may ask for sandboxes: one file each, `<dir>/<name>.json`, mode 0600. */
export class Users {
  readonly #dir: string;
  readonly #log: Log;
  readonly #now: () => Date;
  readonly #ways: Ways;
  readonly #changes = new EventEmitter();
  readonly #users = new Map<string, UserRecord>();
  readonly #lastSeen: LastSeen;
  readonly #accepted = new AcceptedTokens();
  /** One write or unlink of a user's record at a time: a late write must not bring a removed user back. */
  readonly #writing = new KeyedMutex();

  /**
   * @param options.dir holds the records; beside it, `last-seen.json`
   * @param options.ways by which others than Berth sign people in
   */
  constructor(options: { dir: string; log: Log; ways: Ways; now?: () => Date }) {
    this.#dir = options.dir;
    this.#log = options.log;
    this.#ways = options.ways;
    this.#now = options.now ?? (() => new Date());
    const path = join(options.dir, "..", "last-seen.json");
    this.#lastSeen = new LastSeen({ path, log: options.log, now: this.#now });
  }

  /**
   * Reads all records; one that cannot be read is logged and leaves its user without access. What an
   * older Berth wrote is migrated in memory, and written when it is changed: what is on the disk can be
   * read by that Berth for as long as may be.
   */
  async load(): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    for (const name of await usersIn(this.#dir)) {
      try {
        const user = await readUserRecord(this.#dir, name);
        this.#users.set(name, withoutFormer(user, this.#ways));
      } catch (error) {
        const path = this.#path(name);
        this.#log.error(
          { path, err: error },
          "a user's record cannot be read; the user is shut out",
        );
      }
    }
    await this.#lastSeen.load();
  }

  /** Resolves when all that is known of users is written. */
  close(): Promise<void> {
    return this.#lastSeen.flush();
  }

  list(): User[] {
    return [...this.#users.values()]
      .map((user) => this.#view(user))
      .sort((a, b) => a.name.localeCompare(b.name));
  }

  find(name: string): User | undefined {
    const user = this.#users.get(name);
    return user && this.#view(user);
  }

  /** Calls the listener with the name of each user who is added, changed or shut out from now on. */
  onChange(listener: (name: string) => void): void {
    this.#changes.on("change", listener);
  }

  has(name: string): boolean {
    return this.#users.has(name);
  }

  /**
   * Adds a user and returns the token, the only time it is to be had.
   * A user who was added without a token, by root's creations say, gets theirs now.
   * @throws BerthError USER_EXISTS
   */
  async add(
    name: string,
    role?: Role,
    more: { password?: string; groups?: string[] } = {},
  ): Promise<AddedUser> {
    this.#mustBeNew(name);
    const { token, kept } = await createToken();
    const password = more.password === undefined ? undefined : await hashPassword(more.password);
    return this.#writing.run(name, async () => {
      const known = this.#mustBeNew(name);
      const user: UserRecord = {
        ...(known ?? this.#fresh(name)),
        role: role ?? known?.role ?? "user",
        token: kept,
        ...(more.groups ? { groups: more.groups } : {}),
        ...(password ? { password, epoch: newEpoch() } : {}),
      };
      await this.#write(user);
      return { ...this.#view(user), token };
    });
  }

  /** Adds a user without a token, if not known: root made a sandbox for them. */
  async ensure(name: string): Promise<void> {
    await this.#writing.run(name, async () => {
      if (!this.#users.has(name)) await this.#write(this.#fresh(name));
    });
  }

  /**
   * Lets somebody in whom others have signed in; adds them, without a token, when they come first.
   * @throws BerthError SIGN_IN_REFUSED when the name is somebody else's
   */
  async admit(identity: Identity, options: { linkLocalUsers?: boolean } = {}): Promise<User> {
    const found = findAdmitted(this.#users.values(), identity);
    const name = found?.name ?? identity.name;
    const decide = (user: UserRecord) => admitted(user, identity, options.linkLocalUsers ?? false);
    // Most come again as they were: nothing is written, and nobody waits.
    if (found && isDeepStrictEqual(decide(found), found)) return this.#view(found);
    return this.#writing.run(name, async () => {
      const user = decide(this.#users.get(name) ?? this.#fresh(name));
      await this.#write(user);
      return this.#view(user);
    });
  }

  /** Changes what an admin decides of a user. @throws BerthError USER_NOT_FOUND */
  async change(name: string, change: { role?: Role; groups?: string[] }): Promise<User> {
    return this.#writing.run(name, async () => {
      const user = { ...this.#known(name), ...change };
      await this.#write(user);
      return this.#view(user);
    });
  }

  /** The groups a user is in; none for nobody. */
  groupsOf(name: string): string[] {
    const user = this.#users.get(name);
    return user ? groupsOf(user) : [];
  }

  /** Sets a user's password, which ends all sessions of theirs. @throws BerthError USER_NOT_FOUND */
  async setPassword(name: string, password: string): Promise<void> {
    this.#known(name);
    const hash = await hashPassword(password);
    await this.#writing.run(name, () =>
      this.#write({ ...this.#known(name), password: hash, epoch: newEpoch() }),
    );
  }

  /**
   * Shuts a user out at once: token, password and sessions are refused, nothing new can be made for
   * them. Their record stays until `remove`, so that a removal that breaks off can be asked for again.
   * @throws BerthError USER_NOT_FOUND
   */
  revoke(name: string): void {
    this.#known(name);
    this.#users.delete(name);
    this.#accepted.forget(name);
    this.#changes.emit("change", name);
  }

  /** Removes a revoked user's record; that of one who has come anew meanwhile stays. */
  async remove(name: string): Promise<void> {
    await this.#writing.run(name, async () => {
      if (!this.#users.has(name)) await ignoring(unlink(this.#path(name)), "ENOENT");
    });
    this.#lastSeen.forget(name);
  }

  /** Whether the token has been recognised before, which takes no scrypt to see. */
  isAccepted(token: string): boolean {
    return this.#users.has(this.#accepted.ownerOf(token) ?? "");
  }

  /** Whose token it would be by its public part, whatever the rest; takes no scrypt. */
  ownerOf(token: string): string | undefined {
    const parsed = parseToken(token);
    return parsed && this.#withToken(parsed.id)?.name;
  }

  /** Whose token this is; undefined for nobody's. */
  async authenticate(token: string): Promise<User | undefined> {
    const accepted = this.#users.get(this.#accepted.ownerOf(token) ?? "");
    if (accepted) return this.#view(accepted);
    const parsed = parseToken(token);
    if (!parsed) return undefined;
    const found = this.#withToken(parsed.id);
    if (!found?.token || !(await matches(parsed.secret, found.token))) return undefined;
    // The user may have been removed while scrypt ran.
    const still = this.#users.get(found.name);
    if (still?.token?.id !== parsed.id) return undefined;
    this.#accepted.add(token, still.name);
    return this.#view(still);
  }

  /** The user, if this is their password; takes as long for a user there is none of. */
  async checkPassword(name: string, password: string): Promise<User | undefined> {
    const found = this.#users.get(name);
    if (!(await isPassword(password, found?.password))) return undefined;
    // The user may have been removed, or the password changed, while scrypt ran.
    const still = this.#users.get(name);
    return still && still.password === found?.password ? this.#view(still) : undefined;
  }

  /** What stands in the sessions of a user: another one ends them. @throws BerthError USER_NOT_FOUND */
  epochOf(name: string): string {
    return epochOf(this.#known(name));
  }

  /** The user of a session that was begun at this epoch; undefined when that is over. */
  ofSession(name: string, epoch: string): User | undefined {
    const user = this.#users.get(name);
    return user && epochOf(user) === epoch ? this.#view(user) : undefined;
  }

  /** They asked for something just now. */
  noteSeen(name: string): void {
    if (this.#users.has(name)) this.#lastSeen.note(name);
  }

  #withToken(id: string): UserRecord | undefined {
    return [...this.#users.values()].find((user) => user.token?.id === id);
  }

  #fresh(name: string): UserRecord {
    return {
      version: userVersion,
      name,
      role: "user",
      createdAt: this.#now().toISOString(),
      groups: [],
      epoch: newEpoch(),
    };
  }

  #known(name: string): UserRecord {
    const user = this.#users.get(name);
    if (user) return user;
    throw new BerthError("USER_NOT_FOUND", `there is no user ${name}; see berth user list`);
  }

  #mustBeNew(name: string): UserRecord | undefined {
    const known = this.#users.get(name);
    if (!known?.token) return known;
    throw new BerthError(
      "USER_EXISTS",
      `cannot add user ${name}: there is one already; for a new token remove the user first (this removes their sandboxes)`,
    );
  }

  /** The caller holds the user's mutex. */
  async #write(user: UserRecord): Promise<void> {
    const before = this.#users.get(user.name);
    this.#users.set(user.name, user);
    try {
      await writeWhole(this.#path(user.name), JSON.stringify(user, null, 2) + "\n");
      this.#changes.emit("change", user.name);
    } catch (error) {
      // A user who was never written would be gone after the next start; one revoked meanwhile stays so.
      if (this.#users.get(user.name) === user) {
        if (before) this.#users.set(user.name, before);
        else this.#users.delete(user.name);
      }
      throw error;
    }
  }

  #view(user: UserRecord): User {
    return publicView(user, this.#lastSeen.of(user.name));
  }

  #path(name: string): string {
    return userFile(this.#dir, name);
  }
}
