import { readFileSync } from "node:fs";
import { ok, onHost, patienceSeconds, type Ran } from "../e2e/support.js";
import { Probe } from "./probe.js";
import type { Cleanup } from "./sandboxes.js";

const witnessScript = readFileSync(new URL("witness.mjs", import.meta.url)).toString("base64");

/** Something that listens on the host, or in a network namespace there, and notes what arrives. */
export class Witness {
  private constructor(
    private readonly name: string,
    private readonly probe: Probe,
    private readonly udpPort: number,
  ) {}

  /**
   * @param listeners `tcp@0.0.0.0@2222`; the first udp one is asked whether all has arrived
   * @param netns file of the network namespace
   */
  static async start(name: string, listeners: string[], netns?: string): Promise<Witness> {
    const log = logOf(name);
    ok(
      await onHost(`
        set -e
        echo ${witnessScript} | base64 -d >/run/${name}.mjs
        rm -f ${log}
        systemd-run --quiet --collect --unit=${name} ${netns ? `-p NetworkNamespacePath=${netns}` : ""} \
          "$(command -v node)" /run/${name}.mjs ${log} ${listeners.join(" ")}
        timeout ${patienceSeconds(10_000)} sh -c 'until grep -qs listening ${log}; do systemctl -q is-active ${name}; sleep 0.02; done'`),
    );
    const udpPort = Number(listeners.find((listener) => listener.startsWith("udp"))?.split("@")[2]);
    return new Witness(
      name,
      Probe.onHost(netns === undefined ? "" : `nsenter --net=${netns}`),
      udpPort,
    );
  }

  /** Texts that came by UDP; a socket's queue keeps their order, so what came before the mark is there. */
  async heard(): Promise<string[]> {
    const mark = `mark-${performance.now()}`;
    await this.probe.udp(mark, [["127.0.0.1", this.udpPort]]);
    const log = logOf(this.name);
    ok(
      await onHost(
        `timeout ${patienceSeconds(10_000)} sh -c 'until grep -q ${mark} ${log}; do sleep 0.01; done'`,
      ),
    );
    const lines = ok(await onHost(`cat ${log}`)).split("\n");
    return lines.filter((line) => line !== "listening" && !line.startsWith("mark-"));
  }

  async stop(): Promise<void> {
    const { name } = this;
    ok(await onHost(`systemctl stop ${name}; rm -f /run/${name}.mjs ${logOf(name)}`));
  }
}

const logOf = (name: string) => `/run/${name}.log`;

/**
 * A network behind the host: another machine (a network namespace), at addresses of the Internet
 * (TEST-NET-3, RFC 5737) and of every private range, and the host's own address in each. The metadata address
 * of clouds is the host's meanwhile.
 */
export class World {
  static readonly address = "198.51.100.5";
  static readonly otherAddress = "198.51.100.6";
  static readonly hostAddress = "198.51.100.1";
  static readonly metadata = "169.254.169.254";
  static readonly privateNetworks = ["10.77.0", "172.31.77", "192.168.77", "100.64.77"] as const;
  static readonly ipv6Networks = ["fd77:7::", "2001:db8:77::"] as const;
  static readonly #name = "berth-world";
  static readonly #netns = `/run/netns/${World.#name}`;

  private constructor(readonly witness: Witness) {}

  static async build(cleanup: Cleanup): Promise<World> {
    const name = World.#name;
    const networks = [...World.privateNetworks, "198.51.100"];
    const each = (line: (network: string) => string) => networks.map(line).join("\n");
    const each6 = (line: (network: string) => string) => World.ipv6Networks.map(line).join("\n");
    await World.#clear();
    cleanup.add(() => World.#clear());
    ok(
      await onHost(`
        set -e
        ip netns add ${name}
        ip link add ${name} type veth peer name eth0 netns ${name}
        ip -batch - <<EOF
${each((network) => `address add ${network}.1/24 broadcast + dev ${name}`)}
${each6((network) => `address add ${network}1/64 dev ${name} nodad`)}
address add ${World.metadata}/32 dev ${name}
link set ${name} up
EOF
        ip -n ${name} -batch - <<EOF
link set lo up
link set eth0 up
${each((network) => `address add ${network}.5/24 dev eth0`)}
${each6((network) => `address add ${network}5/64 dev eth0 nodad`)}
address add ${World.otherAddress}/24 dev eth0
route add default via ${World.hostAddress}
EOF`),
    );
    const witness = await Witness.start(
      "berth-witness-world",
      ["tcp@::@2222", "tcp@::@80", "udp@::@2222", "dns@0.0.0.0@53"],
      World.#netns,
    );
    cleanup.add(() => witness.stop());
    return new World(witness);
  }

  /** Runs a shell line on that other machine. */
  sh(line: string): Promise<Ran> {
    return onHost(`nsenter --net=${World.#netns} sh -c '${line}'`);
  }

  static async #clear(): Promise<void> {
    await onHost(`ip link delete ${World.#name}; ip netns delete ${World.#name}`);
  }
}
