import { engineCall } from "../../lib/engine-call.js";
import { tagsOf, type DockerImages } from "../engine-images.js";
import { preloadLabels } from "./identity.js";
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
