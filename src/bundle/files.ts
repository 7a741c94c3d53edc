import { contextName } from "../lib/context-name.js";
import { bundleFile, type BundleFile } from "../lib/bundle-archive.js";
import type { BundleInput } from "../lib/model.js";
import { dockerContextTar } from "./docker-context.js";
import { envPs1, envSh } from "./env.js";
import { readme, utc } from "./readme.js";

/**
 * Every file of a sandbox's bundle. Pure: the same input gives the same bytes.
 * `now` is what the README's "in 2h" count from.
 */
export async function bundleFiles(input: BundleInput, now: Date): Promise<BundleFile[]> {
  const { keyPem, certPem } = input.client;
  const context = await dockerContextTar(
    {
      name: contextName(input),
      description: `Berth sandbox ${input.user}/${input.name} (${input.id}), certificate until ${utc(input.client.expiresAt)}`,
      host: input.dockerHost,
      caPem: input.caPem,
      certPem,
      keyPem,
    },
    now,
  );
  return [
    bundleFile("berth.dockercontext", context),
    bundleFile("ca.pem", input.caPem),
    bundleFile("cert.pem", certPem),
    bundleFile("key.pem", keyPem),
    bundleFile("env.sh", envSh(input.id, input.dockerHost)),
    bundleFile("env.ps1", envPs1(input.id, input.dockerHost)),
    bundleFile("README.txt", readme(input, now)),
  ];
}
