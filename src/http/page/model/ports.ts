// Which of a sandbox's ports lead to which of its containers. Pure.

import type { Container } from "./types.js";

/** The ports outside at which a container answers. */
export function hostPortsOf(container: Container): number[] {
  const ports = container.ports.flatMap((port) => {
    if (typeof port !== "string") return port.hostPort ?? [];
    // As docker ps writes it: `0.0.0.0:21003->80/tcp`.
    const found = /:?(\d+)->/.exec(port)?.[1];
    return found === undefined ? [] : Number(found);
  });
  return [...new Set(ports)];
}

export interface PortUse {
  port: number;
  /** The container that answers there. */
  container?: string;
}

/** Every port of the sandbox, with the container that answers there where one does. */
export function portUses(
  range: { from: number; to: number },
  containers: Container[] = [],
): PortUse[] {
  const users = new Map(
    containers.flatMap((container) =>
      hostPortsOf(container).map((port) => [port, container.name] as const),
    ),
  );
  return Array.from({ length: Math.max(0, range.to - range.from + 1) }, (_, index) => {
    const port = range.from + index;
    const container = users.get(port);
    return container === undefined ? { port } : { port, container };
  });
}
