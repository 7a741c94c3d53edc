import { InvalidArgumentError } from "commander";
import type { z } from "zod";
import { sandboxName, userName } from "../lib/contract/sandbox.js";
import type { SandboxReference } from "./resolve.js";

/**
 * Reads an argument with the contract's own schema and keeps the text: it goes over the wire as it
 * was typed, and a mistake is told before anything is asked.
 */
export function checked(schema: z.ZodType): (text: string) => string {
  return (text) => {
    const result = schema.safeParse(text);
    if (result.success) return text;
    throw new InvalidArgumentError(faultOf(result.error));
  };
}

export function sandboxReference(text: string): SandboxReference {
  const slash = text.indexOf("/");
  if (slash === -1) return { text: checked(userName)(text) };
  const owner = { user: text.slice(0, slash), name: text.slice(slash + 1) };
  if (userName.safeParse(owner.user).success && sandboxName.safeParse(owner.name).success) {
    return { text, owner };
  }
  throw new InvalidArgumentError("A sandbox is meant by its id, its user, or user/name.");
}

/** For `SANDBOX...`: commander hands over what was read so far. */
export function sandboxReferences(
  text: string,
  before: SandboxReference[] | undefined,
): SandboxReference[] {
  return [...(before ?? []), sandboxReference(text)];
}

function faultOf(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue?.code === "invalid_union") {
    // The union's own message is "Invalid input"; texts meet the branch that reads texts.
    const branch = issue.errors.flat().find(({ code }) => code !== "invalid_type");
    if (branch) return sentence(branch.message);
  }
  return sentence(issue?.message ?? error.message);
}

function sentence(text: string): string {
  return `It ${text}.`.replace(/^It (?!must)/, "");
}
