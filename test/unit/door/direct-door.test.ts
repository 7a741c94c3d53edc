import { pino } from "pino";
import { beforeEach, describe, expect, it } from "vitest";
import { DirectDoor } from "../../../src/door/direct-door.js";
import type { Route } from "../../../src/lib/model.js";
import { FakeFirewall } from "./fake-firewall.js";

const ann = {
  id: "annannan",
  address: "10.210.0.2",
  engineHostPort: 20001,
  from: 21000,
  to: 21009,
};
const bob = {
  id: "bobbobbo",
  address: "10.210.0.6",
  engineHostPort: 20002,
  from: 21010,
  to: 21019,
};

const wanting = (routes: Route[], busy: string[] = []) => ({
  routes: () => routes,
  isBusy: (id: string) => busy.includes(id),
});

let firewall: FakeFirewall;
let door: DirectDoor;
const newDoor = () =>
  new DirectDoor({ table: "berth", log: pino({ enabled: false }), exec: firewall.exec });

beforeEach(() => {
  firewall = new FakeFirewall();
  door = newDoor();
});

describe("open", () => {
  it("makes table and rules with the first route, and accepts in DOCKER-USER", async () => {
    await door.open(ann);
    expect([...(firewall.elements ?? [])]).toEqual([
      ["engine_ports 20001", "annannan 10.210.0.2 . 2376"],
      ["user_ports 21000-21009", "annannan 10.210.0.2"],
      ["addresses 10.210.0.2", "annannan "],
    ]);
    expect(firewall.dockerUser).toBe(1);
  });

  it("costs one nft process for every further route", async () => {
    await door.open(ann);
    firewall.ran.length = 0;
    await door.open(bob);
    expect(firewall.ran).toEqual(["nft -f"]);
  });

  it("changes nothing when repeated", async () => {
    await door.open(ann);
    const before = new Map(firewall.elements);
    await door.open(ann);
    expect(firewall.elements).toEqual(before);
  });

  it("works again after somebody flushed the whole ruleset", async () => {
    await door.open(ann);
    firewall.elements = undefined as FakeFirewall["elements"];
    await door.open(bob);
    expect([...(firewall.elements?.keys() ?? [])]).toEqual([
      "engine_ports 20002",
      "user_ports 21010-21019",
      "addresses 10.210.0.6",
    ]);
  });

  it("moves a sandbox that an earlier daemon had opened elsewhere", async () => {
    await door.open(ann);
    await newDoor().open({ ...ann, address: "10.210.0.10" });
    expect(firewall.elements?.get("user_ports 21000-21009")).toBe("annannan 10.210.0.10");
    expect(firewall.elements?.has("addresses 10.210.0.2")).toBe(false);
  });

  it("does without DOCKER-USER where there is none", async () => {
    firewall.dockerUser = "no chain";
    await door.open(ann);
    expect(firewall.elements?.size).toBe(3);
  });

  it("says how to get nft when it is missing", async () => {
    firewall.nft = "missing";
    await expect(door.open(ann)).rejects.toMatchObject({
      code: "FORWARDING_FAILED",
      message: expect.stringContaining("apt-get install nftables") as string,
    });
  });

  it("brings what nft said when it fails", async () => {
    firewall.nft = "fails";
    await expect(door.open(ann)).rejects.toMatchObject({
      code: "FORWARDING_FAILED",
      message: expect.stringMatching(
        /ports to sandbox annannan.*Operation not permitted/,
      ) as string,
    });
  });
});

describe("close", () => {
  it("takes out the sandbox's elements and leaves the others'", async () => {
    await door.open(ann);
    await door.open(bob);
    await door.close(ann.id);
    expect(firewall.elements?.size).toBe(3);
    expect([...(firewall.elements?.values() ?? [])].join()).not.toContain("annannan");
  });

  it("finds what an earlier daemon opened", async () => {
    await door.open(ann);
    await newDoor().close(ann.id);
    expect(firewall.elements?.size).toBe(0);
  });

  it("is no error for what is not open, with or without a table", async () => {
    await door.close(ann.id);
    await door.open(ann);
    await door.close(ann.id);
    await door.close(ann.id);
    expect(firewall.elements?.size).toBe(0);
  });

  it("is no error when somebody took the elements out already", async () => {
    await door.open(ann);
    firewall.elements?.delete("addresses 10.210.0.2");
    await door.close(ann.id);
    expect(firewall.elements?.size).toBe(0);
  });
});

describe("sync", () => {
  it("changes and reports nothing when all is well", async () => {
    await door.open(ann);
    expect(await door.sync(wanting([ann]))).toEqual([]);
  });

  it("drops routes of sandboxes that are gone and opens those that are missing", async () => {
    await door.open(ann);
    expect(await newDoor().sync(wanting([bob]))).toEqual([
      "annannan: stop forwarding ports 20001, 21000-21009",
      "bobbobbo: forward ports 20002, 21010-21019 into the sandbox",
    ]);
    expect(await door.sync(wanting([bob]))).toEqual([]);
  });

  it("leaves alone what is being made or removed", async () => {
    await door.open(ann);
    const before = new Map(firewall.elements);
    expect(await door.sync(wanting([bob], ["annannan", "bobbobbo"]))).toEqual([]);
    expect(firewall.elements).toEqual(before);
    await door.close(ann.id);
    expect(firewall.elements?.size).toBe(0);
  });

  it("keeps the routes of busy sandboxes when it makes the table anew", async () => {
    await door.open(ann);
    firewall.rules = 0;
    const before = new Map(firewall.elements);
    await door.sync(wanting([], ["annannan"]));
    expect(firewall.elements).toEqual(before);
  });

  it("asks what is wanted after it looked, so that what was just opened stays", async () => {
    const routes = [ann];
    const opening = door.open(bob);
    const synced = door.sync({ routes: () => routes, isBusy: () => false });
    routes.push(bob);
    await opening;
    expect(await synced).toEqual(["annannan: forward ports 20001, 21000-21009 into the sandbox"]);
    expect(firewall.elements?.size).toBe(6);
  });

  it("only says what it would do when dry", async () => {
    await door.open(ann);
    firewall.dockerUser = 0;
    const before = new Map(firewall.elements);
    expect(await door.sync(wanting([bob]), { dryRun: true })).toHaveLength(3);
    expect(firewall.elements).toEqual(before);
    expect(firewall.dockerUser).toBe(0);
  });

  it("puts back flushed rules and the DOCKER-USER rule", async () => {
    await door.open(ann);
    firewall.rules = 0;
    firewall.dockerUser = 0;
    expect(await door.sync(wanting([ann]))).toEqual([
      "replace the rules of the nftables table ip berth",
      "let forwarded ports pass in the iptables chain DOCKER-USER",
    ]);
    expect(firewall.dockerUser).toBe(1);
    expect(await door.sync(wanting([ann]))).toEqual([]);
  });

  it("touches no firewall for no route", async () => {
    expect(await door.sync(wanting([]))).toEqual([]);
    expect(firewall.elements).toBeUndefined();
    expect(firewall.dockerUser).toBe(0);
  });
});

describe("uninstall", () => {
  it("leaves neither table nor rule, and open works afterwards", async () => {
    await door.open(ann);
    firewall.dockerUser = 2;
    await door.uninstall();
    expect(firewall.elements).toBeUndefined();
    expect(firewall.dockerUser).toBe(0);
    await door.open(ann);
    expect(firewall.elements).toBeDefined();
  });

  it("leaves the rule, which all Berths have in common, while another's table is there", async () => {
    const table = "berth_0a1b2c3d";
    const log = pino({ enabled: false });
    const one = new DirectDoor({ table, log, exec: firewall.exec });
    firewall.dockerUser = 1;
    firewall.otherTables = ["nat", "berth_4e5f6a7b_wall", `${table}_wall`];
    await one.uninstall();
    expect(firewall.dockerUser).toBe(1);
    firewall.otherTables = ["nat", `${table}_wall`];
    await one.uninstall();
    expect(firewall.dockerUser).toBe(0);
  });

  it("is no error on a host without Docker's chain", async () => {
    firewall.dockerUser = "no chain";
    await door.uninstall();
    expect(firewall.elements).toBeUndefined();
  });
});
