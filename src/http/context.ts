import type { ImageBuild } from "../lib/contract/host.js";
import type { AddedUser, Role, User } from "../lib/contract/user.js";
import type { DindImage } from "../lib/dind-image.js";
import type { Identity } from "../lib/identity.js";
import type { Log } from "../lib/log.js";
import type { Provisioner } from "../provisioner/provisioner.js";
import type { Metrics } from "./metrics.js";
import type { SignIn } from "./sign-in/sign-in.js";

/** What the routes work with. */
export interface HttpContext {
  provisioner: Provisioner;
  users: Users;
  signIn: SignIn;
  metrics: Metrics;
  host: { read(): Promise<HostReading> };
  images: {
    list(): Promise<DindImage[]>;
    building(): Promise<ImageBuild[]>;
    /** Names of profiles whose images are not built yet. */
    unbuilt(): Promise<string[]>;
  };
  version: string;
  /** Directory of the page's files. */
  pageDir: string;
  log: Log;
}

/** src/kernel's meter of the whole machine. */
export interface HostReading {
  at: string;
  memory: { totalBytes: number; usedBytes: number };
  cpu: { cores: number; usedCores: number };
  disk: { totalBytes: number; usedBytes: number };
}

/** src/users, as far as the API needs it. */
export interface Users {
  list(): User[];
  has(name: string): boolean;
  find(name: string): User | undefined;
  onChange(listener: (name: string) => void): void;
  add(
    name: string,
    role?: Role,
    more?: { password?: string; groups?: string[] },
  ): Promise<AddedUser>;
  admit(identity: Identity, options?: { linkLocalUsers?: boolean }): Promise<User>;
  change(name: string, change: { role?: Role; groups?: string[] }): Promise<User>;
  groupsOf(name: string): string[];
  ensure(name: string): Promise<void>;
  revoke(name: string): void;
  remove(name: string): Promise<void>;
  isAccepted(token: string): boolean;
  ownerOf(token: string): string | undefined;
  authenticate(token: string): Promise<User | undefined>;
  checkPassword(name: string, password: string): Promise<User | undefined>;
  setPassword(name: string, password: string): Promise<void>;
  epochOf(name: string): string;
  ofSession(name: string, epoch: string): User | undefined;
  noteSeen(name: string): void;
}
