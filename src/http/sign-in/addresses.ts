import { BlockList, isIPv6 } from "node:net";

/** Addresses and networks of both families; an IPv4 address that came by an IPv6 socket is one, too. */
export class Addresses {
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
