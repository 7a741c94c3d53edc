import { z } from "zod";
import { ruleCounts, version, type ContainerName, type Element } from "./ruleset.js";

/** What the kernel holds of our table. */
export interface KernelState {
  /** Whether every rule is there, as this version of Berth writes it. */
  rulesComplete: boolean;
  elements: Element[];
}

// `nft -j list table` (libnftables-json(5)). An element is its bare key, or an object once it has a comment.
const key = z.union([
  z.string(),
  z.number().transform(String),
  z
    .strictObject({ range: z.tuple([z.number(), z.number()]) })
    .transform(({ range }) => range.join("-")),
]);
const commented = z.union([
  key.transform((val) => ({ val, comment: "" })),
  z
    .object({ elem: z.object({ val: key, comment: z.string().default("") }) })
    .transform((e) => e.elem),
]);
const value = z.union([
  z.string(),
  z
    .strictObject({ concat: z.array(z.union([z.string(), z.number()])) })
    .transform(({ concat }) => concat.join(" . ")),
]);
const mapSchema = z.object({
  name: z.enum(["engine_ports", "user_ports"]),
  elem: z.array(z.tuple([commented, value])).default([]),
});
const setSchema = z.object({ name: z.literal("addresses"), elem: z.array(commented).default([]) });
const ruleSchema = z.object({ chain: z.string(), comment: z.string().optional() });
const tableSchema = z.object({ name: z.string() });
const listing = z.object({ nftables: z.array(z.record(z.string(), z.unknown())) });

/** Reads the output of `nft -j list tables`. */
export function parseTables(json: string): string[] {
  return listing.parse(JSON.parse(json)).nftables.flatMap((item) => {
    const table = "table" in item ? tableSchema.safeParse(item["table"]) : undefined;
    return table?.success ? [table.data.name] : [];
  });
}

/**
 * Reads the output of `nft -j list table ip berth`. Maps and sets that are none of ours make the
 * table incomplete, so that it is made anew.
 */
export function parseTable(json: string): KernelState {
  const elements: Element[] = [];
  const counts = new Map<string, number>();
  let strange = false;
  for (const item of listing.parse(JSON.parse(json)).nftables) {
    const map = "map" in item ? mapSchema.safeParse(item["map"]) : undefined;
    const set = "set" in item ? setSchema.safeParse(item["set"]) : undefined;
    if (map?.success) elements.push(...mapElements(map.data));
    if (set?.success) elements.push(...setElements(set.data));
    strange ||= map?.success === false || set?.success === false;
    if ("rule" in item) {
      const { chain, comment } = ruleSchema.parse(item["rule"]);
      counts.set(chain, (counts.get(chain) ?? 0) + 1);
      strange ||= comment !== version;
    }
  }
  const allThere = [...ruleCounts].every(([chain, count]) => counts.get(chain) === count);
  return { rulesComplete: allThere && !strange, elements };
}

function mapElements({ name, elem }: z.infer<typeof mapSchema>): Element[] {
  return elem.map(([{ val, comment }, leadsTo]) => element(name, val, comment, leadsTo));
}

function setElements({ name, elem }: z.infer<typeof setSchema>): Element[] {
  return elem.map(({ val, comment }) => element(name, val, comment));
}

function element(container: ContainerName, key: string, id: string, value?: string): Element {
  return { container, key, id, ...(value === undefined ? {} : { value }) };
}
