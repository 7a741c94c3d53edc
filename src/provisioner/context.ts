import type { KeyedMutex } from "../lib/keyed-mutex.js";
import type { Log } from "../lib/log.js";
import type { Backoff } from "./backoff.js";
import type { ClientCertificates } from "./client-certificates.js";
import type { SandboxEvents } from "./events.js";
import type { Incidents } from "./incidents.js";
import type { Parts } from "./parts.js";
import type { Records } from "./records.js";
import type { Settings } from "./settings.js";

/** What every act of the provisioner works with. */
export interface Context {
  parts: Parts;
  records: Records;
  events: SandboxEvents;
  incidents: Incidents;
  certificates: ClientCertificates;
  settings: Settings;
  /** What a user may have: the settings, as their groups change them. */
  settingsOf: (user: string) => Settings;
  log: Log;
  now: () => Date;
  /** Spaces out the starts of one that keeps dying. */
  backoff: Backoff;
  /** Held while a user's slice is made, changed or given up. */
  userLocks: KeyedMutex;
  /** Held while one sandbox is made, started, resized or removed. */
  sandboxLocks: KeyedMutex;
}
