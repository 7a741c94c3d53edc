import { engineCall } from "../../lib/engine-call.js";
import { labelNames } from "../digest.js";
import { tagsOf, type DockerImages } from "../engine-images.js";
import { preloadLabels, wantedOf } from "./identity.js";
import { preloadName, tagOfPreload } from "./places.js";

/** An image with a preload in it, as the engine lists it. */
export interface Carrier {
  id: string;
  preload: string;
  /** Of the list that it was built for. */
  wanted: string;
  createdAt: number;
  sizeBytes: number;
}

/** Images with a preload and these labels, the newest first. */
export async function findCarriers(docker: DockerImages, label: string[]): Promise<Carrier[]> {
  const images = await engineCall("list the images", () =>
    docker.listImages({ filters: JSON.stringify({ label }) }),
  );
  const carriers = images.flatMap(({ Id: id, Labels, Created, Size, ...image }) => {
    const preload = preloadName(Labels[preloadLabels.preload] ?? "");
    const isTagged = preload !== undefined && tagsOf(image).includes(tagOfPreload(preload));
    if (!isTagged) return [];
    const wanted = Labels[preloadLabels.wanted] ?? "";
    return [{ id, preload, wanted, createdAt: Created, sizeBytes: Size }];
  });
  return carriers.sort((a, b) => b.createdAt - a.createdAt);
}

/** What sandboxes of a profile with this list start from: the newest, of today's dind image. */
export async function findCurrent(
  docker: DockerImages,
  recipe: string,
  images: readonly string[],
): Promise<Carrier | undefined> {
  const labels = [`${preloadLabels.wanted}=${wantedOf(images)}`, `${labelNames.recipe}=${recipe}`];
  return (await findCarriers(docker, labels))[0];
}

/** Profiles with images that no sandbox can be made of before they are built, and whether they ever were. */
export async function findUnbuilt<Profile extends { images: readonly string[] }>(
  docker: DockerImages,
  recipe: string,
  profiles: readonly Profile[],
): Promise<{ profile: Profile; wasBuilt: boolean }[]> {
  const unbuilt: { profile: Profile; wasBuilt: boolean }[] = [];
  for (const profile of profiles) {
    if (profile.images.length === 0 || (await findCurrent(docker, recipe, profile.images)))
      continue;
    const label = `${preloadLabels.wanted}=${wantedOf(profile.images)}`;
    unbuilt.push({ profile, wasBuilt: (await findCarriers(docker, [label])).length > 0 });
  }
  return unbuilt;
}

/** Those for the same list as a newer one that no container, running or not, was made from. */
export async function findSuperseded(docker: DockerImages): Promise<Carrier[]> {
  const newest = new Set<string>();
  const superseded: Carrier[] = [];
  for (const carrier of await findCarriers(docker, [preloadLabels.preload])) {
    if (newest.has(carrier.wanted)) superseded.push(carrier);
    newest.add(carrier.wanted);
  }
  if (superseded.length === 0) return [];
  const containers = await engineCall("list the containers", () =>
    docker.listContainers({ all: true }),
  );
  const held = new Set(containers.map(({ ImageID }) => ImageID));
  return superseded.filter(({ id }) => !held.has(id));
}
