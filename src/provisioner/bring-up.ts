import type { Step } from "../lib/contract/sandbox.js";
import { allSettled } from "../lib/all-settled.js";
import { enginePort, type Peer, type Route } from "../lib/model.js";
import type { Context } from "./context.js";
import { holdingOf, mustBeHeld } from "./held.js";
import type { SandboxRecord } from "./records.js";
import { settleSlice } from "./slices.js";

/**
 * Makes everything a record promises, or what of it is missing, and waits for the engine's answer.
 * Each step is safe to repeat, so the same way serves a new sandbox and one that had stopped.
 */
export async function bringUp(
  context: Context,
  record: SandboxRecord,
  signal: AbortSignal,
): Promise<void> {
  const { parts, records, events } = context;
  const { id, user, preload } = record;
  const step = async <T>(name: Step, act: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted();
    return events.step(id, name, act);
  };

  // These know nothing of each other, and the disk takes about as long as the rest.
  const [, caPem, diskDir, preloadDir] = await allSettled([
    step("slice", () => settleSlice(context, user)),
    step("certificates", () => ensureCertificates(context, record)),
    step("disk", async () => {
      await parts.disks.create(id, record.limits.diskBytes, record.uidBase ?? 0);
      const mountPoint = await parts.disks.mount(id);
      // A change of its size may have been broken off.
      await parts.disks.grow(id, record.limits.diskBytes);
      return mountPoint;
    }),
    preload === undefined
      ? Promise.resolve(undefined)
      : step("preload", () => parts.preloads.mount(preload)),
    step("network", () => prepareNetwork(context, record)),
  ]);

  await step("container", async () => {
    await parts.engine.prepareContainer({
      id,
      user,
      name: record.name,
      isolation: record.isolation,
      image: record.image,
      slice: parts.slices.nameOf(user),
      limits: record.limits,
      subnet: record.network.subnet,
      address: record.network.address,
      uidBase: record.uidBase,
      environment: parts.isolation.environment(holdingOf(context, record)),
      diskDir,
      certsDir: records.certsDirectory(id),
      preloadDir,
    });
  });

  await step("start", () => parts.engine.start(id));

  await step("door", () => parts.door.open(routeOf(record)));

  await step("ready", async () => {
    await parts.engine.waitReady(id, await peerOf(context, record, caPem), signal);
  });

  await step("check", () => mustBeHeld(context, record));
}

/** No sandbox of the shared bridge starts before the wall around it stands. */
async function prepareNetwork({ parts }: Context, record: SandboxRecord): Promise<void> {
  const { id, user, name, isolation, network } = record;
  await allSettled([
    isolation === "userns" ? parts.isolation.raiseWall() : Promise.resolve(),
    parts.engine.prepareNetwork({ id, user, name, isolation, subnet: network.subnet }),
  ]);
}

/** How Berth itself reaches the sandbox's engine. */
export async function peerOf(
  { parts }: Context,
  { id, network }: SandboxRecord,
  caPem: string,
): Promise<Peer> {
  const own = await parts.certificates.issueOwn({ sandboxId: id, caPem });
  return { address: network.address, port: enginePort, caPem, ...own };
}

/** The host ports that lead to a sandbox. */
export function routeOf({ id, network, ports }: SandboxRecord): Route {
  return {
    id,
    address: network.address,
    engineHostPort: ports.engine,
    from: ports.from,
    to: ports.to,
  };
}

/** Makes the sandbox's certificates if they are not there, and returns its CA certificate. */
async function ensureCertificates(context: Context, record: SandboxRecord): Promise<string> {
  const { parts, records, settings } = context;
  const known = await records.caPem(record.id);
  if (known !== undefined) return known;
  const hosts = new Set([
    record.publicHost,
    ...settings.publicHosts,
    record.network.address,
    "localhost",
    "127.0.0.1",
  ]);
  const made = await parts.certificates.issueForSandbox({
    sandboxId: record.id,
    hosts: [...hosts],
  });
  await records.saveCertificates(record.id, {
    "server-key.pem": made.serverKeyPem,
    "server-cert.pem": made.serverCertPem,
    "ca.pem": made.caPem,
  });
  return made.caPem;
}
