import { inspect } from "node:util";
import type { KeyAndCertificate, SandboxCertificates } from "../lib/model.js";

// What the authority hands out. The fields are plain, so that callers can write them to files and
// copy them with a spread; but the object as a whole, logged as JSON or through util.inspect,
// shows no key.

export class IssuedCertificate implements KeyAndCertificate {
  constructor(
    readonly keyPem: string,
    readonly certPem: string,
    readonly expiresAt: Date,
  ) {}

  toJSON(): object {
    return { keyPem: "(secret)", expiresAt: this.expiresAt };
  }

  [inspect.custom](): object {
    return this.toJSON();
  }
}

export class IssuedSandboxCertificates implements SandboxCertificates {
  constructor(
    readonly caPem: string,
    readonly serverCertPem: string,
    readonly serverKeyPem: string,
  ) {}

  toJSON(): object {
    return { serverKeyPem: "(secret)" };
  }

  [inspect.custom](): object {
    return this.toJSON();
  }
}
