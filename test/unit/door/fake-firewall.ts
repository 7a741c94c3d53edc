import { ruleCounts, version } from "../../../src/door/ruleset.js";

const failure = (stderr: string, code?: string) =>
  Object.assign(new Error(stderr), { stderr, ...(code ? { code } : {}) });

/** nft and iptables with a memory: enough of both to tell what a script leaves behind. */
export class FakeFirewall {
  /** Undefined while there is no table; `user_ports 21000-21009` to `annannan 10.210.0.2`. */
  elements: Map<string, string> | undefined;
  /** Names of tables that others have made. */
  otherTables: string[] = [];
  rules = 0;
  dockerUser: "no chain" | number = 0;
  readonly ran: string[] = [];
  nft: "works" | "missing" | "fails" = "works";

  readonly exec = (file: string, args: readonly string[], options: { input?: string } = {}) => {
    this.ran.push(`${file} ${args.find((arg) => /^(-[fCSID]|tables?)$/.test(arg)) ?? ""}`);
    return new Promise<string>((resolve) => {
      resolve(file === "nft" ? this.#nft(args, options.input ?? "") : this.#iptables(args));
    });
  };

  #nft(args: readonly string[], script: string): string {
    if (this.nft === "missing") throw failure("spawn nft ENOENT", "ENOENT");
    if (this.nft === "fails") throw failure("Error: Operation not permitted");
    if (args.includes("tables")) {
      const tables = [...(this.elements ? ["berth"] : []), ...this.otherTables];
      return JSON.stringify({ nftables: tables.map((name) => ({ table: { name } })) });
    }
    if (args.includes("table")) return this.#list();
    const before = { elements: this.elements && new Map(this.elements), rules: this.rules };
    try {
      for (const line of script.trim().split("\n")) this.#command(line);
    } catch (error) {
      Object.assign(this, before);
      throw error;
    }
    return "";
  }

  #command(line: string) {
    const [verb, what, , , container, ...rest] = line.split(" ");
    if (verb === "add" && what === "table") this.elements ??= new Map();
    if (verb === "delete" && what === "table") this.elements = undefined;
    if (verb === "flush" || what === "table") this.rules = 0;
    if (what === "rule") this.rules++;
    if (what !== "element") return;
    const [, key = "", id = "", value = ""] =
      /\{ (\S+)(?: comment "(\w+)")?(?: : (.*))? \}/.exec(rest.join(" ")) ?? [];
    const name = `${container} ${key}`;
    const there = this.elements?.get(name);
    const wanted = `${id} ${value}`;
    if (!this.elements || (verb === "delete" && there === undefined)) {
      throw failure("Error: No such file or directory");
    }
    if (verb === "add" && there !== undefined && there !== wanted) throw failure("File exists");
    if (verb === "add") this.elements.set(name, wanted);
    else this.elements.delete(name);
  }

  #list(): string {
    const of = (container: string) =>
      [...(this.elements ?? [])].flatMap<unknown>(([name, wanted]) => {
        const [owner, key = ""] = name.split(" ");
        const [comment, ...value] = wanted.split(" ");
        const val = key.includes("-") ? { range: key.split("-").map(Number) } : key;
        const elem = { elem: { val, comment } };
        if (owner !== container) return [];
        return container === "addresses" ? elem : [[elem, value.join(" ")]];
      });
    const complete = this.rules === [...ruleCounts.values()].reduce((sum, count) => sum + count);
    const rules = [...ruleCounts].flatMap(([chain, count]) =>
      Array.from({ length: complete ? count : 0 }, () => ({ rule: { chain, comment: version } })),
    );
    return JSON.stringify({
      nftables: [
        { map: { name: "engine_ports", elem: of("engine_ports") } },
        { map: { name: "user_ports", elem: of("user_ports") } },
        { set: { name: "addresses", elem: of("addresses") } },
        ...rules,
      ],
    });
  }

  #iptables(args: readonly string[]): string {
    if (this.dockerUser === "no chain") throw failure("No chain/target/match by that name.");
    const wanted = args.includes("-C") || args.includes("-D");
    if (wanted && this.dockerUser === 0) throw failure("Bad rule");
    if (args.includes("-I")) this.dockerUser++;
    if (args.includes("-D")) this.dockerUser--;
    return "";
  }
}
