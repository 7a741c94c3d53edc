import type { Route, WantedRoutes } from "../lib/model.js";
import type { KernelState } from "./kernel-state.js";
import {
  changeElements,
  elementsOf,
  sameElement,
  skeleton,
  withoutTable,
  type Element,
} from "./ruleset.js";

export interface Plan {
  /** For `nft -f`; empty when there is nothing to do. */
  script: string;
  /** The same for people, one line a change. */
  changes: string[];
  /** What the table holds afterwards. */
  elements: Element[];
}

/** What makes the kernel's table (undefined when there is none) hold these routes and no others. */
export function planSync(
  table: string,
  kernel: KernelState | undefined,
  { routes, isBusy }: WantedRoutes,
): Plan {
  const wanted = routes().flatMap((route) => (isBusy(route.id) ? [] : elementsOf(route)));
  if (kernel === undefined && wanted.length === 0) return { script: "", changes: [], elements: [] };
  const left = (kernel?.elements ?? []).filter(({ id }) => isBusy(id));
  const there = (kernel?.elements ?? []).filter(({ id }) => !isBusy(id));
  const remove = without(there, wanted);
  const add = without(wanted, there);
  const elements = [...left, ...wanted];
  const changes = [
    ...describe("stop forwarding", remove),
    ...describe("forward", add, " into the sandbox"),
  ];
  if (kernel?.rulesComplete)
    return { script: changeElements(table, remove, add), changes, elements };

  const made = kernel ? "replace the rules of" : "make";
  return {
    script: withoutTable(table) + skeleton(table) + changeElements(table, [], elements),
    changes: [`${made} the nftables table ip ${table}`, ...changes],
    elements,
  };
}

/**
 * What opens one route whatever the kernel holds: other elements of the sandbox go, and so does
 * what stands in the way, for the caller has given these ports to this sandbox.
 */
export function planOpen(table: string, kernel: KernelState | undefined, route: Route): string {
  const wanted = elementsOf(route);
  const inTheWay = (kernel?.elements ?? []).filter(
    (element) => element.id === route.id || wanted.some((want) => collide(want, element)),
  );
  return (
    skeleton(table) + changeElements(table, without(inTheWay, wanted), without(wanted, inTheWay))
  );
}

const without = (elements: readonly Element[], others: readonly Element[]) =>
  elements.filter((element) => !others.some((other) => sameElement(element, other)));

function collide(a: Element, b: Element): boolean {
  if (a.container !== b.container) return false;
  if (a.container !== "user_ports") return a.key === b.key;
  const [first, second] = [portsOf(a.key), portsOf(b.key)];
  return first.from <= second.to && second.from <= first.to;
}

/** Whether a port leads to a sandbox by one of these elements; pure. */
export function forwardedPorts(elements: readonly Element[]): (port: number) => boolean {
  const ranges = elements
    .filter(({ container }) => container !== "addresses")
    .map(({ key }) => portsOf(key));
  return (port) => ranges.some(({ from, to }) => port >= from && port <= to);
}

function portsOf(key: string): { from: number; to: number } {
  const [from, to] = key.split("-").map(Number);
  return { from: from ?? NaN, to: to ?? from ?? NaN };
}

/** One line a sandbox. */
function describe(act: string, elements: readonly Element[], end = ""): string[] {
  const ids = [...new Set(elements.map(({ id }) => id))];
  return ids.map((id) => {
    const own = elements.filter((element) => element.id === id);
    const ports = own.filter(({ container }) => container !== "addresses").map(({ key }) => key);
    const what = ports.length > 0 ? `ports ${ports.join(", ")}` : own.map(({ key }) => key).join();
    return `${id || "(no sandbox)"}: ${act} ${what}${end}`;
  });
}
