import { Agent, request } from "node:https";
import { z } from "zod";
import type { InnerContainer } from "../lib/contract/looks.js";
import { BerthError, messageOf } from "../lib/errors.js";
import type { Peer } from "../lib/model.js";

/** From the first packet to the last byte. */
const timeoutMs = 3_000;
/** A thousand containers; what is more is not read. */
const mostBytes = 1024 ** 2;
const mostContainers = 100;
const mostPorts = 50;
const longestText = 200;

/** Printable and of bounded length: it is shown to people, and a sandbox may say anything. */
const text = z
  .string()
  .transform((given) => given.slice(0, longestText).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?"));

const portNumber = z.int().min(1).max(65_535);
const port = z.object({
  PrivatePort: portNumber,
  PublicPort: portNumber.optional(),
  Type: z.enum(["tcp", "udp", "sctp"]),
});

/** One entry of the engine's list (Engine API, ContainerList), as much of it as is told. */
const entry = z.object({
  Names: z.array(text).min(1),
  Image: text,
  State: text,
  Ports: z.array(z.unknown()).default([]),
});

/**
 * The containers that run in a sandbox, by the word of its own engine: whoever is root in there can
 * make it say anything, say nothing, or not stop talking. It is asked as any client asks, over TCP.
 * @throws BerthError ENGINE_UNREACHABLE, ENGINE_FAILED
 */
export async function listContainers(peer: Peer): Promise<InnerContainer[]> {
  const body = await ask(peer, "/containers/json").catch((error: unknown) => {
    throw new BerthError(
      "ENGINE_UNREACHABLE",
      `the sandbox's engine did not say which containers run (${messageOf(error)}); is it busy?`,
      { cause: error },
    );
  });
  return parseContainers(body);
}

/** What cannot be read is left out, entry by entry; pure. @throws BerthError ENGINE_FAILED */
export function parseContainers(body: string): InnerContainer[] {
  const list = z.array(z.unknown()).safeParse(jsonOf(body));
  if (!list.success) {
    throw new BerthError("ENGINE_FAILED", "the sandbox's engine answered with no list");
  }
  return list.data.slice(0, mostContainers).flatMap((given) => {
    const { data } = entry.safeParse(given);
    if (!data) return [];
    const name = data.Names[0]?.replace(/^\//, "") ?? "";
    return [{ name, image: data.Image, state: data.State, ports: portsOf(data.Ports) }];
  });
}

/** One for each of IPv4 and IPv6 comes as two; told once. */
function portsOf(given: unknown[]): InnerContainer["ports"] {
  const ports = new Map<string, InnerContainer["ports"][number]>();
  for (const one of given.slice(0, mostPorts)) {
    const { data } = port.safeParse(one);
    if (!data) continue;
    const { PrivatePort: containerPort, PublicPort: hostPort, Type: protocol } = data;
    const told = { containerPort, ...(hostPort === undefined ? {} : { hostPort }), protocol };
    ports.set(JSON.stringify(told), told);
  }
  return [...ports.values()];
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function ask(peer: Peer, path: string): Promise<string> {
  const deadline = AbortSignal.timeout(timeoutMs);
  return new Promise((resolve, fail) => {
    const reject = (error: Error) => {
      fail(deadline.aborted ? new Error("no whole answer in time") : error);
    };
    const asked = request(
      {
        host: peer.address,
        port: peer.port,
        path,
        ca: peer.caPem,
        cert: peer.certPem,
        key: peer.keyPem,
        agent: new Agent({ keepAlive: false }),
        signal: deadline,
      },
      (response) => {
        const parts: Buffer[] = [];
        let bytes = 0;
        response.on("data", (part: Buffer) => {
          bytes += part.length;
          if (bytes > mostBytes) asked.destroy(new Error("its answer is too long"));
          else parts.push(part);
        });
        response.once("error", reject);
        response.once("end", () => {
          if (response.statusCode === 200) resolve(Buffer.concat(parts).toString("utf8"));
          else reject(new Error(`it answered ${response.statusCode ?? 0}`));
        });
      },
    );
    asked.once("error", reject);
    asked.end();
  });
}
