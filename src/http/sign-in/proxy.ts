import { createHash, timingSafeEqual } from "node:crypto";
import type { Request } from "express";
import { userName } from "../../lib/contract/sandbox.js";
import type { Identity } from "../../lib/identity.js";
import { BerthError } from "../../lib/errors.js";
import { Addresses } from "./addresses.js";
import { groupsFrom, isAnyOf } from "./identity.js";

export interface ProxySettings {
  /** In small letters. */
  header: string;
  groupsHeader?: string | undefined;
  adminGroups: string[];
  /** Addresses and networks (CIDR). */
  from: string[];
  /** What the proxy sends in `secretHeader`, where the address alone is not enough. */
  secret?: string | undefined;
  label: string;
}

/** In small letters, as Node has them. */
const secretHeader = "x-berth-proxy-secret";

/** Reads who the operator's reverse proxy has signed in. */
export class ProxySignIn {
  readonly #addresses: Addresses;

  constructor(readonly settings: ProxySettings) {
    this.#addresses = new Addresses(settings.from);
  }

  /** Whether this address is the proxy's: what it says of others' addresses is believed, too. */
  isProxy(address: string | undefined): boolean {
    return this.#addresses.has(address);
  }

  /**
   * Whom the proxy names; undefined from anywhere else, whatever the headers say, and where it names
   * nobody. @throws BerthError SIGN_IN_REFUSED for a name that can be no user's, or without the secret
   */
  identityOf(request: Request): Identity | undefined {
    // The connection's own address: `request.ip` is what headers make of it.
    if (!this.#addresses.has(request.socket.remoteAddress)) return undefined;
    const given = request.headers[this.settings.header];
    if (given === undefined || given === "") return undefined;
    if (!this.#isSecret(request.headers[secretHeader])) {
      throw new BerthError(
        "SIGN_IN_REFUSED",
        `a user is named in ${this.settings.header}, but not by the proxy: X-Berth-Proxy-Secret is missing or wrong; ask who runs this server`,
      );
    }
    // Sent twice it is joined with a comma, and no name: a proxy that lets a client's own pass is no lock.
    const name = userName.safeParse(typeof given === "string" ? given.toLowerCase() : undefined);
    if (!name.success) {
      throw new BerthError(
        "SIGN_IN_REFUSED",
        `the proxy gives you a name in ${this.settings.header} that is no user's here (1 to 32 lower-case letters, digits, _ . or -, a letter first); ask who runs this server`,
      );
    }
    const { groupsHeader, adminGroups } = this.settings;
    const text = groupsHeader === undefined ? undefined : request.headers[groupsHeader];
    const groups = groupsFrom(String(text ?? "").split(",")).map((group) => group.trim());
    return { name: name.data, groups, isAdmin: isAnyOf(groups, adminGroups) };
  }

  #isSecret(given: string | string[] | undefined): boolean {
    const { secret } = this.settings;
    return secret === undefined || timingSafeEqual(digestOf(String(given)), digestOf(secret));
  }
}

/** Texts of any length become ones of the same. */
const digestOf = (text: string): Buffer => createHash("sha256").update(text).digest();
