import { useEffect } from "preact/hooks";
import { urgency } from "../model/format.js";
import { usePage } from "./context.js";

/** Says once when the end is near, and when it is there. */
export function useSoonWarning(label: string, expiresAt: string, now: number): void {
  const { announce } = usePage();
  const word = urgency(Date.parse(expiresAt) - now);
  useEffect(() => {
    if (word === "soon") announce(`${label} ends in less than 15 minutes.`);
    if (word === "over") announce(`The time of ${label} is up.`);
  }, [word, label]);
}
