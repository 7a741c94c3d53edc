import type { Profile } from "../provisioner/settings.js";
import type { HttpContext } from "./context.js";

/** A host's engine that is busy, or away, is no reason to keep a page waiting. */
const patienceMs = 1_000;

/** The profiles, each with whether the images that it preloads are there; where nobody knows, they are. */
export async function withReadiness(
  { images }: Pick<HttpContext, "images">,
  profiles: Profile[],
): Promise<(Profile & { ready: boolean })[]> {
  const nobodyKnows = new Promise<string[]>((resolve) => {
    setTimeout(resolve, patienceMs, []).unref();
  });
  const unbuilt = await Promise.race([images.unbuilt().catch((): string[] => []), nobodyKnows]);
  return profiles.map((profile) => ({ ...profile, ready: !unbuilt.includes(profile.name) }));
}
