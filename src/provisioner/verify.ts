import type { Verification } from "../lib/contract/verify.js";
import { gatewayOf, lastAddressOf } from "../lib/subnets.js";
import { peerOf } from "./bring-up.js";
import type { Context } from "./context.js";
import { inspect } from "./held.js";
import type { SandboxRecord } from "./records.js";
import { certificatesLost } from "./refusals.js";

/**
 * Looks at a running sandbox again, as its start did and deeper: from the host, and from inside by a
 * container that has all a user can ask for.
 */
export async function verify(context: Context, record: SandboxRecord): Promise<Verification> {
  const { parts, records } = context;
  const caPem = await records.caPem(record.id);
  if (caPem === undefined) throw certificatesLost(record.id);
  const outside = await inspect(context, record);
  const { subnet } = record.network;
  const inside = await parts.probe.run(await peerOf(context, record, caPem), {
    gateway: gatewayOf(subnet),
    neighbour: lastAddressOf(subnet),
  });
  const checks = [
    ...outside.map((check) => ({ ...check, seenFrom: "host" as const })),
    ...inside.map((check) => ({ ...check, seenFrom: "inside" as const })),
  ];
  return { ok: checks.every(({ ok }) => ok), checks };
}
