import type { Readable } from "node:stream";
import type { BundleFormat } from "../lib/model.js";
import type { Context } from "./context.js";
import type { SandboxRecord } from "./records.js";
import { certificatesLost } from "./refusals.js";
import { dockerHostOf } from "./view.js";

/** Packs a bundle with a new client certificate, and tells its end; nothing of it is kept on the host. */
export async function bundleOf(
  { parts, records }: Context,
  record: SandboxRecord,
  format: BundleFormat,
): Promise<{ archive: Readable; expiresAt: Date }> {
  const caPem = await records.caPem(record.id);
  if (caPem === undefined) throw certificatesLost(record.id);
  const expiresAt = new Date(record.expiresAt);
  const client = await parts.certificates.issueClient({
    sandboxId: record.id,
    caPem,
    user: record.user,
    sandboxExpiresAt: expiresAt,
  });
  const archive = parts.bundler.archive(format, {
    id: record.id,
    user: record.user,
    name: record.name,
    profile: record.profile,
    isolation: record.isolation,
    dockerHost: dockerHostOf(record),
    publicHost: record.publicHost,
    ports: { from: record.ports.from, to: record.ports.to },
    expiresAt,
    caPem,
    client,
  });
  return { archive, expiresAt: client.expiresAt };
}
