// What limits did to a sandbox, as the page tells it. Pure.

import type { Incident } from "./types.js";

/** The latest, newest first. */
const shown = 3;

export interface IncidentLine {
  at: string;
  text: string;
}

export function incidentLines(incidents: Incident[]): IncidentLine[] {
  const latest = incidents.slice(-shown).reverse();
  return latest.map(({ at, text, count }) => ({
    at,
    text: count > 1 ? `${text} (${count} times)` : text,
  }));
}

/** Those of `now` that were not there `before`; a repeat of what was told is none. */
export function freshIncidents(before: Incident[], now: Incident[]): Incident[] {
  const last = before.reduce((latest, { at }) => (at > latest ? at : latest), "");
  const isRepeat = ({ kind, count }: Incident) =>
    count > 1 && before.some((one) => one.kind === kind && one.count < count);
  return now.filter((incident) => incident.at > last && !isRepeat(incident));
}
