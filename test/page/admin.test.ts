import { describe, expect, it } from "vitest";
import { expectNoBarriers, heading, panel, said, searchMs, takePictures } from "./browser.js";
import { useBerth } from "./support.js";

const world = useBerth();

describe("an admin", () => {
  it("finds, sorts, extends and removes everybody's sandboxes", async () => {
    world.api.add({ user: "carol", name: "lab", isolation: "privileged", profile: "kernel" });
    const { id } = world.api.add({ user: "alice" });
    world.api.add({ user: "bob", state: "stopped", reason: "Out of memory." });
    const { tab, faults } = await world.open("", "root-token");
    await tab.getByRole("link", { name: "Admin" }).click();
    await heading(tab, "All sandboxes").waitFor();
    const names = tab.getByRole("rowheader").getByRole("link");
    await tab.getByText("3 of 3 sandboxes").waitFor();
    expect(await names.allTextContents()).toEqual(["alice/default", "bob/default", "carol/lab"]);
    await takePictures(tab, "admin-sandboxes");
    await expectNoBarriers(tab, "all sandboxes");

    await tab.getByRole("columnheader", { name: "User and name" }).getByRole("button").click();
    expect(await names.allTextContents()).toEqual(["carol/lab", "bob/default", "alice/default"]);
    await tab.getByLabel("Search").fill("alice ready");
    await tab.getByText("1 of 3 sandboxes").waitFor();
    await tab.reload();
    await tab.getByText("1 of 3 sandboxes").waitFor();

    await tab.getByRole("button", { name: "+2 h more for alice/default" }).click();
    await said(tab, "alice/default has 2 hours more.");
    await tab.getByRole("cell", { name: /1 d 1 h|1 d 2 h/ }).waitFor();
    await tab.getByRole("button", { name: "Remove alice/default" }).click();
    await tab.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await tab.getByText("0 of 2 sandboxes").waitFor();
    expect(world.api.kept.has(id)).toBe(false);
    expect(faults).toEqual([]);
  });

  it("makes a sandbox for somebody else", async () => {
    const { tab } = await world.open("/new", "root-token");
    await tab.getByLabel("For user").fill("bob");
    await tab.getByRole("button", { name: "Make this sandbox" }).click();
    await heading(tab, "bob/default").waitFor();
    expect(world.api.changes.at(-1)?.body).toEqual({ user: "bob" });
  });

  it("adds users, shows their token once, and changes role and groups", async () => {
    const { tab, faults } = await world.open("/admin/users", "root-token");
    await tab.getByLabel("Name", { exact: true }).fill("1bob");
    await tab.getByRole("button", { name: "Add", exact: true }).click();
    await tab.getByText("must begin with a lower-case letter").waitFor();
    await tab.getByLabel("Name", { exact: true }).fill("bob");
    await tab.getByRole("textbox", { name: "Groups", exact: true }).fill("course-101, staff");
    await tab.getByRole("button", { name: "Add", exact: true }).click();
    await tab.getByText("token-of-bob").waitFor();
    expect(world.api.changes.at(-1)?.body).toEqual({
      name: "bob",
      role: "user",
      groups: ["course-101", "staff"],
    });
    await takePictures(tab, "admin-users");
    await expectNoBarriers(tab, "users");
    await tab.getByLabel("Role of alice").selectOption("admin");
    await said(tab, "alice is changed.");
    await tab.getByLabel("Groups of alice, separated by commas").fill("staff");
    await tab.keyboard.press("Enter");
    await expect
      .poll(() => world.api.changes.at(-1))
      .toEqual({ what: "PATCH /v1/users/alice", body: { groups: ["staff"] } });
    await tab.getByRole("button", { name: "Remove user bob" }).click();
    await tab.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await said(tab, "bob is removed.");
    await tab.getByRole("button", { name: "Remove user bob" }).waitFor({ state: "detached" });
    expect(faults).toEqual([]);
  });

  it("sees the host, its last events as they happen, images and profiles", async () => {
    const { tab, faults } = await world.open("/admin/host", "root-token");
    await tab
      .getByRole("img", { name: "Memory: 9.2 GiB used and 41 GiB promised of 24 GiB" })
      .waitFor();
    await tab.getByText("171 % of what there is.").waitFor();
    await takePictures(tab, "admin-host");
    await expectNoBarriers(tab, "the host");
    await tab.getByRole("link", { name: "Last events" }).click();
    await tab.getByText("was extended by 2 hours").waitFor();
    await tab.getByText("was killed: <script>alert(1)</script>").waitFor();
    await takePictures(tab, "admin-events");
    await expectNoBarriers(tab, "events");
    await tab.getByRole("link", { name: "Images and profiles" }).click();
    await tab.getByRole("meter", { name: "Build" }).waitFor();
    await panel(tab, "Images").getByText("sending postgres:17").waitFor();
    await panel(tab, "Images").getByText("With python:3").waitFor();
    await panel(tab, "Profiles").getByText("berth image build databases").waitFor();
    await panel(tab, "Profiles").getByText("can become root on the host").waitFor();
    await takePictures(tab, "admin-images");
    await expectNoBarriers(tab, "images");
    expect(faults).toEqual([]);
  });

  it("of an older Berth is told what it does not tell", async () => {
    world.api.lacks.push("/host", "/events", "/images", "/groups", "/profiles");
    world.api.add({ user: "alice" });
    const { tab, faults } = await world.open("/admin/host", "root-token");
    await tab.getByText("does not tell of its host").waitFor();
    await tab.getByRole("link", { name: "Last events" }).click();
    await tab.getByText("does not tell its events").waitFor();
    await tab.getByRole("link", { name: "Images and profiles" }).click();
    await tab.getByText("does not tell of its images").waitFor();
    await panel(tab, "Profiles").getByText("python", { exact: true }).waitFor();
    expect(faults).toEqual([]);
  });

  it("shows 500 sandboxes, and finds those that are searched for", async () => {
    for (let i = 0; i < 500; i++) world.api.add({ user: `user-${i % 250}`, name: `s${i}` });
    const { tab, faults } = await world.open("/admin", "root-token");
    await tab.getByText("500 of 500 sandboxes").waitFor();
    expect(await searchMs(tab, "user-24")).toBeGreaterThan(0);
    expect(await tab.getByRole("rowheader").count()).toBe(22);
    expect(faults).toEqual([]);
  });
});
