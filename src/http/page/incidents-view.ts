import { announce, el, part } from "./dom.js";
import { freshIncidents, incidentLines } from "./incidents.js";
import type { Incident } from "./types.js";

const timeFormat = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/** The latest incidents of a sandbox; says new ones to screen readers. */
export class IncidentsView {
  readonly #list: HTMLUListElement;
  #shown = "";
  /** undefined until the first list: what happened before the page was opened is not announced. */
  #told: Incident[] | undefined;

  constructor(
    private readonly box: HTMLElement,
    private readonly label: string,
  ) {
    this.#list = part(box, "incidents", HTMLUListElement);
  }

  show(incidents: Incident[]): void {
    const lines = incidentLines(incidents);
    const shown = JSON.stringify(lines);
    // Drawn often; a selection within stays where it is when nothing changed.
    if (shown !== this.#shown) {
      const items = lines.map(({ at, text }) =>
        el("li", {}, el("time", { datetime: at }, timeFormat.format(new Date(at))), text),
      );
      this.#list.replaceChildren(...items);
      this.box.hidden = items.length === 0;
    }
    this.#shown = shown;
    const fresh = this.#told === undefined ? [] : freshIncidents(this.#told, incidents);
    for (const { text } of fresh) announce(`${this.label}: ${text}`);
    this.#told = incidents;
  }
}
