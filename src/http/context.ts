import type { AddedUser, Role, User } from "../lib/contract/user.js";
import type { Log } from "../lib/log.js";
import type { Provisioner } from "../provisioner/provisioner.js";
import type { Metrics } from "./metrics.js";

/** What the routes work with. */
export interface HttpContext {
  provisioner: Provisioner;
  users: Users;
  metrics: Metrics;
  version: string;
  /** Directory of the page's files. */
  pageDir: string;
  log: Log;
}

/** src/users, as far as the API needs it. */
export interface Users {
  list(): User[];
  has(name: string): boolean;
  add(name: string, role: Role | undefined): Promise<AddedUser>;
  ensure(name: string): Promise<void>;
  revoke(name: string): void;
  remove(name: string): Promise<void>;
  isAccepted(token: string): boolean;
  authenticate(token: string): Promise<User | undefined>;
}
