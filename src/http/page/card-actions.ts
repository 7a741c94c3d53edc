import { ApiError, problemOf, type Api } from "./api.js";
import type { Card } from "./card.js";
import { bundleName } from "./connect.js";
import { announce, busy, isBusy } from "./dom.js";
import { confirmRemove } from "./remove-dialog.js";

const extendBy = "2h";
// The browser reads the blob after the click; a minute is long enough for it and short for a key.
const blobKeptMs = 60_000;

export interface ActionEvents {
  /** The sandbox has changed or is about to: answers on their way are old. */
  onTouched(card: Card): void;
  /** It is gone from the server, or a failure was read. */
  onGone(card: Card): void;
}

/** Puts the card's buttons to work. */
export function addActions(card: Card, api: Api, events: ActionEvents): void {
  onClick(card, "download", "Downloading…", async () => {
    save(await api.bundle(card.sandbox.id), `${bundleName(card.sandbox)}.zip`);
    announce("Bundle downloaded.");
  });
  onClick(card, "extend", "Adding…", async () => {
    const sandbox = await api.extend(card.sandbox.id, extendBy);
    events.onTouched(card);
    card.update(sandbox);
    announce(`${card.label} has 2 hours more.`);
  });
  card.button("remove").addEventListener("click", () => {
    card.showActionProblem(undefined);
    void remove(card, api, events).catch((error: unknown) => {
      card.showActionProblem(problemOf(error));
    });
  });
  card.button("dismiss").addEventListener("click", () => {
    events.onGone(card);
  });
}

async function remove(card: Card, api: Api, events: ActionEvents): Promise<void> {
  if (!(await confirmRemove(card.sandbox))) return;
  const before = card.sandbox;
  card.title.focus();
  events.onTouched(card);
  card.isBeingRemoved = true;
  card.update({ ...before, state: "removing" });
  try {
    await api.remove(before.id);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) {
      card.isBeingRemoved = false;
      card.update(before);
      throw error;
    }
  }
  announce(`${card.label} is removed.`);
  events.onGone(card);
}

function onClick(card: Card, name: string, text: string, act: () => Promise<void>): void {
  const button = card.button(name);
  button.addEventListener("click", () => {
    if (isBusy(button)) return;
    const done = busy(button, text);
    card.showActionProblem(undefined);
    void act()
      .catch((error: unknown) => {
        card.showActionProblem(problemOf(error));
      })
      .finally(done);
  });
}

function save(blob: Blob, fileName: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = fileName;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(link.href);
  }, blobKeptMs);
}
