import { ok, onHost } from "../e2e/support.js";

/** The outside of a sandbox: its container, as the host sees it. */
export interface Outer {
  /** First process, in whose network namespace the firewall is. */
  pid: number;
  /** The sandbox's dockerd, in the user's network namespace. */
  dockerd: number;
  address: string;
  mac: string;
  gateway: string;
  gatewayMac: string;
  /** Of the gate between the user's network namespace and the container's. */
  gateMac: string;
  /** The host's end of the container's link. */
  port: string;
  bridge: string;
}

export async function outerOf(id: string): Promise<Outer> {
  const format =
    "{{.State.Pid}} {{range .NetworkSettings.Networks}}{{.IPAddress}} {{.MacAddress}} {{.Gateway}}{{end}}";
  const lines = ok(
    await onHost(`
      set -e
      set -- $(docker inspect -f '${format}' berth-${id})
      echo "$@"
      index=$(nsenter -t $1 -n ip -o link show eth0 | sed 's/.*eth0@if\\([0-9]*\\):.*/\\1/')
      ip -o link | sed -n "s/^$index: \\([^@:]*\\).* master \\([^ ]*\\) .*/\\1 \\2/p"
      nsenter -t $1 -n ip -o link show user0 2>/dev/null | sed 's/.*ether \\([^ ]*\\).*/\\1/' | grep . || echo none
      docker top berth-${id} -eo pid,comm | awk '$2 == "dockerd" { print $1 }'`),
  );
  const [pid, address = "", mac = "", gateway = "", port = "", bridge = "", gateMac = "", dockerd] =
    lines.split(/\s/);
  const gatewayMac = ok(await onHost(`cat /sys/class/net/${bridge}/address`));
  return {
    pid: Number(pid),
    dockerd: Number(dockerd),
    address,
    mac,
    gateway,
    gatewayMac,
    gateMac,
    port,
    bridge,
  };
}

/** What leaves a sandbox's link, counted by the host: a table of the test's own. */
export class Departures {
  private constructor(private readonly table: string) {}

  /** Counts all that is not from the sandbox's own address, and what is for the neighbour's. */
  static async of(own: Outer, neighbour: Outer): Promise<Departures> {
    const table = `berth_test_${own.port}`;
    const rules = `
      table netdev ${table} {
        counter foreign { }
        counter neighbourly { }
        chain ingress {
          type filter hook ingress device "${own.port}" priority -300; policy accept;
          ip daddr ${neighbour.address} counter name neighbourly
          ip saddr ${own.address} return
          arp saddr ip ${own.address} arp saddr ether ${own.mac} return
          counter name foreign
        }
      }`;
    ok(await onHost(`nft -f - <<'EOF'${rules}\nEOF`));
    return new Departures(table);
  }

  /** How many packets of either kind left while this was done. */
  async during(act: () => Promise<unknown>): Promise<{ foreign: number; neighbourly: number }> {
    await this.#reset();
    await act();
    return this.#reset();
  }

  async #reset(): Promise<{ foreign: number; neighbourly: number }> {
    const text = ok(await onHost(`nft reset counters table netdev ${this.table}`));
    const count = (name: string) =>
      Number(new RegExp(`counter ${name} \\{\\s*packets (\\d+)`).exec(text)?.[1]);
    return { foreign: count("foreign"), neighbourly: count("neighbourly") };
  }

  async remove(): Promise<void> {
    ok(await onHost(`nft delete table netdev ${this.table}`));
  }
}
