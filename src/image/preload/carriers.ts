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
  /** Of the dind image that it was built on. */
  recipe: string;
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
    const recipe = Labels[labelNames.recipe] ?? "";
    return [{ id, preload, wanted, recipe, createdAt: Created, sizeBytes: Size }];
  });
  return carriers.sort((a, b) => b.createdAt - a.createdAt);
}

/** A profile with images, as far as they are built. */
export interface Survey<Profile> {
  profile: Profile;
  /** What its sandboxes start from: the newest for its list, of today's dind image. */
  current: Carrier | undefined;
  /** Whether there is one for its list at all, of whatever dind image. */
  wasBuilt: boolean;
}

/** Looks for what each profile with images has; the engine is asked once for all. */
export async function surveyProfiles<Profile extends { images: readonly string[] }>(
  docker: DockerImages,
  recipe: string,
  profiles: readonly Profile[],
): Promise<Survey<Profile>[]> {
  const preloading = profiles.filter(({ images }) => images.length > 0);
  if (preloading.length === 0) return [];
  const carriers = await findCarriers(docker, [preloadLabels.preload]);
  return preloading.map((profile) => {
    const wanted = wantedOf(profile.images);
    const its = carriers.filter((carrier) => carrier.wanted === wanted);
    const current = its.find((carrier) => carrier.recipe === recipe);
    return { profile, current, wasBuilt: its.length > 0 };
  });
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
