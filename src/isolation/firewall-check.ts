import { z } from "zod";
import { messageOf } from "../lib/errors.js";
import type { run } from "../lib/exec.js";
import type { Check } from "../lib/model.js";

/** What there is of `nft -j list ruleset` (libnftables-json(5)). */
const listing = z.object({ nftables: z.array(z.record(z.string(), z.unknown())) });
const chainOf = z.object({
  table: z.string(),
  name: z.string(),
  hook: z.string().optional(),
  policy: z.string().optional(),
});
const ruleOf = z.object({ table: z.string(), chain: z.string() });

/**
 * Whether the container's network namespace has the firewall it was given. Rules are counted, not read:
 * nobody but real root could change one, and the entrypoint loads all of them or none.
 * @param pid of the container's first process; its network namespace is the one of the firewall
 */
export async function checkFirewall(pid: number, wanted: string, exec: typeof run): Promise<Check> {
  const name = "firewall";
  try {
    // The host's own nft, in the other network namespace only: no file of the container's is used.
    const netns = `--net=/proc/${pid}/ns/net`;
    const listed = await exec("nsenter", [netns, "nft", "-j", "list", "ruleset"]);
    const fault = faultOf(countListed(listed), countWanted(wanted));
    return fault === undefined
      ? { name, ok: true, detail: "in place, in the container's network namespace" }
      : { name, ok: false, detail: fault };
  } catch (error) {
    return { name, ok: false, detail: `it cannot be read: ${messageOf(error)}` };
  }
}

/** Both tables, inet and ip, have this name. */
const tableName = "berth";

interface Chain {
  rules: number;
  policy?: string | undefined;
}

function faultOf(there: Map<string, Chain>, wanted: Map<string, Chain>): string | undefined {
  for (const [name, { rules, policy }] of wanted) {
    const chain = there.get(name);
    if (!chain) return `its chain ${name} is missing`;
    if (chain.rules !== rules)
      return `its chain ${name} has ${chain.rules} rules instead of ${rules}`;
    if (chain.policy !== policy)
      return `its chain ${name} has the policy ${String(chain.policy)} instead of ${String(policy)}`;
  }
  const strange = [...there.keys()].find((name) => !wanted.has(name));
  return strange === undefined ? undefined : `there is a chain ${strange} of somebody else`;
}

function countListed(json: string): Map<string, Chain> {
  const chains = new Map<string, Chain>();
  const { nftables } = listing.parse(JSON.parse(json));
  for (const item of nftables) {
    if (!("chain" in item)) continue;
    const { table, name, hook, policy } = chainOf.parse(item["chain"]);
    // The engine has rules of its own here, for its resolver.
    if (table !== tableName) continue;
    chains.set(`${table} ${name}`, { rules: 0, policy: hook === undefined ? undefined : policy });
  }
  for (const item of nftables) {
    if (!("rule" in item)) continue;
    const { table, chain } = ruleOf.parse(item["rule"]);
    const counted = chains.get(`${table} ${chain}`);
    if (counted) counted.rules++;
  }
  return chains;
}

/** The same of the text that firewall() writes: a line is a rule unless it opens, closes or hooks. */
function countWanted(script: string): Map<string, Chain> {
  const chains = new Map<string, Chain>();
  let chain: Chain | undefined;
  let family = "";
  for (const line of script.split("\n").map((text) => text.trim())) {
    const opened = /^(?:table (\w+ )?(\w+) \{|chain (\w+) \{)$/.exec(line);
    if (opened?.[3] !== undefined) {
      chain = { rules: 0 };
      chains.set(`${family} ${opened[3]}`, chain);
    } else if (opened?.[2] !== undefined) family = opened[2];
    else if (line === "}") chain = undefined;
    else if (chain && line.startsWith("type ")) chain.policy = /policy (\w+);/.exec(line)?.[1];
    else if (chain && line !== "") chain.rules++;
  }
  return chains;
}
