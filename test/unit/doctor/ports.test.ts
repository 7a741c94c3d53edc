import { describe, expect, it } from "vitest";
import { decidePorts, parseListening, type PortFacts } from "../../../src/doctor/ports.js";

const fine: PortFacts = {
  engine: { from: 20_000, to: 20_999 },
  user: { from: 21_000, to: 30_999 },
  api: 8420,
  outgoing: { from: 32_768, to: 60_999 },
  listening: [22, 8420, 40_000],
};

describe("ports", () => {
  it.each<[string, string, Partial<PortFacts>, string?]>([
    ["ok", "apart from all others", {}],
    [
      "warning",
      "among the outgoing ones",
      { user: { from: 40_000, to: 49_999 } },
      "net.ipv4.ip_local_port_range = 50000 65535",
    ],
    [
      "warning",
      "among the outgoing ones, at their end",
      { user: { from: 60_000, to: 65_000 } },
      "choose ports.engine and ports.user below 32768 in the configuration",
    ],
    ["warning", "around page and API", { api: 20_500, listening: [20_500] }, "choose listen.port"],
    ["warning", "used by others", { listening: [21_005, 21_005, 21_001] }, "sport = :21001"],
  ])("%s when they are %s", (status, _where, given, fix) => {
    const [finding, ...more] = decidePorts({ ...fine, ...given });
    expect(finding).toMatchObject({ check: "ports", status });
    expect(more).toEqual([]);
    if (fix !== undefined) expect(finding?.fix).toContain(fix);
  });

  it("names some of many", () => {
    const listening = [21_000, 21_001, 21_002, 21_003, 21_004, 21_005];
    expect(decidePorts({ ...fine, listening })[0]?.what).toContain(
      "listen on 21000, 21001, 21002, 21003 and 2 more",
    );
  });
});

describe("parseListening", () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1
   1: 0100007F:520D 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12346 1
   2: 0100007F:520E 0100007F:8000 01 00000000:00000000 00:00000000 00000000     0        0 12347 1
`;
  it("gives the ports that something listens on", () => {
    expect(parseListening(table, "0A")).toEqual([22, 21_005]);
  });

  it("reads IPv6 as well", () => {
    const line =
      "   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000";
    expect(parseListening(line, "0A")).toEqual([80]);
  });
});
