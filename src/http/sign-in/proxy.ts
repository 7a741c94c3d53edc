import { BlockList, isIPv6 } from "node:net";
import type { Request } from "express";
import { userName } from "../../lib/contract/sandbox.js";
import type { Identity } from "../../lib/identity.js";
import { BerthError } from "../../lib/errors.js";
import { groupsFrom, isAnyOf } from "./identity.js";

export interface ProxySettings {
  /** In small letters. */
  header: string;
  groupsHeader?: string | undefined;
  adminGroups: string[];
  /** Addresses and networks (CIDR). */
  from: string[];
  label: string;
}

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
   * nobody. @throws BerthError SIGN_IN_REFUSED for a name that can be no user's
   */
  identityOf(request: Request): Identity | undefined {
    // The connection's own address: `request.ip` is what headers make of it.
    if (!this.#addresses.has(request.socket.remoteAddress)) return undefined;
    const given = request.headers[this.settings.header];
    if (given === undefined || given === "") return undefined;
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
}

/** Addresses and networks of both families; an IPv4 address that came by an IPv6 socket is one, too. */
class Addresses {
  readonly #list = new BlockList();

  constructor(from: string[]) {
    for (const entry of from) {
      const [address = "", bits] = entry.split("/");
      const family = isIPv6(address) ? "ipv6" : "ipv4";
      if (bits === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(bits), family);
    }
  }

  has(address = ""): boolean {
    const bare = address.replace(/^::ffff:(?=\d+\.)/, "");
    return bare !== "" && this.#list.check(bare, isIPv6(bare) ? "ipv6" : "ipv4");
  }
}
