import { describe, expect, it } from "vitest";
import {
  allocateAddress,
  allocateSubnet,
  gatewayOf,
  parseNetwork,
  parseRouteTable,
  separateSubnets,
  sharedSubnet,
} from "../../../src/lib/subnets.js";

const pool = "10.210.0.0/16";

describe("allocateSubnet", () => {
  it("gives the lowest /30 and the address after the bridge's", () => {
    expect(allocateSubnet({ pool, used: [] })).toEqual({
      subnet: "10.210.0.0/30",
      address: "10.210.0.2",
    });
  });

  it("gives released networks again, and none that is held", () => {
    expect(allocateSubnet({ pool, used: ["10.210.0.0/30", "10.210.0.8/30"] }).subnet).toBe(
      "10.210.0.4/30",
    );
  });

  it("counts past a byte's end", () => {
    const used = Array.from({ length: 64 }, (_, i) => `10.210.0.${i * 4}/30`);
    expect(allocateSubnet({ pool, used }).subnet).toBe("10.210.1.0/30");
  });

  it("keeps off networks that the host reaches, smaller and larger ones", () => {
    const avoid = ["10.210.0.1/32", "10.210.0.0/25", "192.168.0.0/16"];
    expect(allocateSubnet({ pool, used: [], avoid }).subnet).toBe("10.210.0.128/30");
  });

  it("works at the upper end of the address space", () => {
    expect(allocateSubnet({ pool: "223.255.255.252/30", used: [] }).address).toBe(
      "223.255.255.254",
    );
  });

  it("fails by code, naming pool and count, when every network is held", () => {
    const used = ["10.210.0.0/30", "10.210.0.4/30"];
    expect(() => allocateSubnet({ pool: "10.210.0.0/29", used })).toThrow(
      expect.objectContaining({
        code: "ADDRESSES_EXHAUSTED",
        message: expect.stringMatching(/10\.210\.0\.0\/29: 2 sandboxes.*network\.pool/) as string,
      }),
    );
  });

  it("names the host's route that covers the whole pool", () => {
    expect(() => allocateSubnet({ pool, used: [], avoid: ["10.0.0.0/8"] })).toThrow(
      /the host's own routes 10\.0\.0\.0\/8 overlap it/,
    );
  });
});

describe("parseNetwork", () => {
  it("clears host bits", () => {
    expect(parseNetwork("10.210.0.7/30")).toEqual(parseNetwork("10.210.0.4/30"));
  });

  it.each(["10.0.0.0", "10.0.0.256/24", "10.0.0.0/33", "fd00::/8", ""])("refuses %j", (text) => {
    expect(() => parseNetwork(text)).toThrow(RangeError);
  });
});

describe("parseRouteTable", () => {
  it("reads /proc/net/route without the default route", () => {
    const table = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT                                                       
eth0	00000000	0100530A	0003	0	0	0	00000000	0	0	0                                                                               
eth0	0000530A	00000000	0001	0	0	0	FCFFFFFF	0	0	0                                                                               
docker0	000011AC	00000000	0001	0	0	0	0000FFFF	0	0	0                                                                               
`;
    expect(parseRouteTable(table)).toEqual(["10.83.0.0/30", "172.17.0.0/16"]);
  });

  it("is empty for a host without routes", () => {
    expect(parseRouteTable("Iface\tDestination\n")).toEqual([]);
  });
});

describe("the network that sandboxes share", () => {
  it("is the pool's upper half; the lower one is for those with a network of their own", () => {
    expect(sharedSubnet(pool)).toBe("10.210.128.0/17");
    expect(separateSubnets(pool)).toBe("10.210.0.0/17");
    expect(gatewayOf("10.210.128.0/17")).toBe("10.210.128.1");
  });

  const subnet = "10.219.0.8/29";
  it("gives the lowest address that nobody has, after the bridge's", () => {
    expect(allocateAddress({ subnet, used: [] })).toBe("10.219.0.10");
    expect(allocateAddress({ subnet, used: ["10.219.0.10", "10.219.0.12"] })).toBe("10.219.0.11");
  });

  it("ignores its own route on the host and refuses any other that overlaps it", () => {
    expect(allocateAddress({ subnet, used: [], avoid: [subnet, "10.0.0.0/29"] })).toBe(
      "10.219.0.10",
    );
    expect(() => allocateAddress({ subnet, used: [], avoid: ["10.219.0.0/16"] })).toThrow(
      expect.objectContaining({
        code: "ADDRESSES_EXHAUSTED",
        message: expect.stringContaining("10.219.0.0/16") as string,
      }),
    );
  });

  it("fails by code when all are given away, and never gives the broadcast address", () => {
    const used = ["10.219.0.10", "10.219.0.11", "10.219.0.12", "10.219.0.13", "10.219.0.14"];
    expect(() => allocateAddress({ subnet, used })).toThrow(
      expect.objectContaining({ code: "ADDRESSES_EXHAUSTED" }),
    );
  });
});
