import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { surveyProfiles } from "../../../../src/image/preload/carriers.js";
import { FakeHost, recipe } from "./fake-host.js";

let host: FakeHost;
beforeEach(async () => {
  host = await FakeHost.start();
});
afterEach(() => host.stop());

describe("profiles that must be built", () => {
  it("are those without their images on today's dind image, and it is known which once were", async () => {
    host.addCarrier("0123456789ab", ["there:1"]);
    host.addCarrier("ba9876543210", ["old:1"], { ofRecipe: "of-yesterday" });
    const profile = (name: string, ...images: string[]) => ({ name, images });
    const profiles = [
      profile("empty"),
      profile("there", "there:1"),
      profile("old", "old:1"),
      profile("never", "never:1"),
    ];
    const surveyed = await surveyProfiles(host.docker.asDocker(), recipe, profiles);
    const unbuilt = surveyed.filter(({ current }) => !current);
    expect(unbuilt.map(({ profile: { name }, wasBuilt }) => [name, wasBuilt])).toEqual([
      ["old", true],
      ["never", false],
    ]);
  });
});
