import { problemOf, type Api } from "./api.js";
import { addActions } from "./card-actions.js";
import { Card } from "./card.js";
import type { Connection } from "./connection.js";
import { CreateForm } from "./create-form.js";
import { followCreation } from "./creation.js";
import { announce, byId, setText } from "./dom.js";
import { waitFor } from "./follow.js";
import { cancelRemove } from "./remove-dialog.js";
import { forgetCreation, isAwaited, loadCreations, saveCreation } from "./session.js";
import type { Me, Sandbox } from "./types.js";

const pollMs = 5000;
const pollWhenLostMs = 2000;
// Browsers open six connections to a host over HTTP/1.1; streams must leave some for requests.
const streamsAtOnce = 3;
// More than these start folded: each open card asks for its usage.
const openAtFirst = 3;

/** The signed-in page: the form and the list of sandboxes, kept up to date. */
export class Home {
  readonly #section = byId("home", HTMLElement);
  readonly #box = byId("cards", HTMLDivElement);
  readonly #form = new CreateForm();
  #running: Running | undefined;

  constructor(private readonly connection: Connection) {}

  start(api: Api, me: Me): void {
    this.stop();
    const title = byId("home-title", HTMLHeadingElement);
    setText(title, me.role === "admin" ? "All sandboxes" : "My sandboxes");
    this.#section.hidden = false;
    const running = new Running(api, me, this.connection, this.#box, this.#form);
    this.#running = running;
    this.#form.start(api, me, (sandbox) => {
      running.created(sandbox);
    });
  }

  stop(): void {
    this.#running?.stop();
    this.#form.stop();
    cancelRemove();
    this.#box.replaceChildren();
    this.#section.hidden = true;
  }
}

const isMade = ({ state }: Sandbox) => state === "ready" || state === "stopped";

/** From sign-in to sign-out. */
class Running {
  readonly #abort = new AbortController();
  readonly #cards = new Map<string, Card>();
  readonly #followed = new Map<string, AbortController>();
  /** Removed here; an answer from before may still list them. */
  readonly #gone = new Set<string>();
  /** Number of the last list asked for, and per card the last one older than what the card shows. */
  #listNumber = 0;
  readonly #touched = new Map<string, number>();
  #wake = new AbortController();

  constructor(
    private readonly api: Api,
    private readonly me: Me,
    private readonly connection: Connection,
    private readonly box: HTMLDivElement,
    private readonly form: CreateForm,
  ) {
    const { signal } = this.#abort;
    for (const { sandbox, problem } of loadCreations()) {
      const card = this.#add(sandbox);
      card.isListed = false;
      if (problem) card.fail(problem);
    }
    const ticker = setInterval(() => {
      for (const card of this.#cards.values()) card.tick();
    }, 1000);
    signal.addEventListener("abort", () => {
      clearInterval(ticker);
    });
    const wake = () => {
      this.#wake.abort();
    };
    document.addEventListener("visibilitychange", wake, { signal });
    void this.#pollUntilStopped();
  }

  stop(): void {
    this.#abort.abort();
    this.connection.clear();
  }

  created(sandbox: Sandbox): void {
    saveCreation({ sandbox });
    const card = this.#cards.get(sandbox.id) ?? this.#add(sandbox);
    card.isOpen = true;
    this.#touch(card);
    this.#follow(card);
    this.#drawTotals();
    card.title.focus();
    announce(`${card.label} is being made.`);
  }

  async #pollUntilStopped(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      // Made before the poll: whoever wakes us during it wants another one.
      this.#wake = new AbortController();
      const isSeen = document.visibilityState === "visible";
      const isConnected = !isSeen || (await this.#poll());
      const pause = AbortSignal.any([this.#wake.signal, signal]);
      await waitFor(isConnected ? pollMs : pollWhenLostMs, pause);
    }
  }

  /** Whether the server answered. */
  async #poll(): Promise<boolean> {
    const number = ++this.#listNumber;
    try {
      const sandboxes = await this.api.list();
      if (this.#abort.signal.aborted) return true;
      this.connection.set("list", true);
      this.#take(sandboxes, number);
      await this.#pollUsage();
      return true;
    } catch {
      if (!this.#abort.signal.aborted) this.connection.set("list", false);
      return false;
    }
  }

  async #pollUsage(): Promise<void> {
    const open = [...this.#cards.values()].filter(
      ({ isOpen, sandbox }) => isOpen && sandbox.state === "ready",
    );
    const asked = open.map(async (card) => {
      // Not at hand (just stopped, say): the limits alone, the list will tell why.
      const usage = await this.api.usage(card.sandbox.id).catch(() => undefined);
      if (usage) card.usage.show(usage);
      else card.usage.clear(card.sandbox.limits);
    });
    await Promise.all(asked);
  }

  /** Makes the cards agree with list `number`, but for what has changed since it was asked for. */
  #take(sandboxes: Sandbox[], number: number): void {
    const isOld = (id: string) => (this.#touched.get(id) ?? 0) >= number;
    const listed = new Set<string>();
    for (const sandbox of sandboxes) {
      if (this.#gone.has(sandbox.id)) continue;
      listed.add(sandbox.id);
      const card = this.#cards.get(sandbox.id) ?? this.#add(sandbox);
      card.isListed = true;
      // Over since the last list at least: a server that started anew has no events to tell of it.
      if (isMade(card.sandbox) && isMade(sandbox)) this.#followed.get(sandbox.id)?.abort();
      if (!isOld(sandbox.id)) card.update(sandbox);
      if (isMade(sandbox)) forgetCreation(sandbox.id);
      else this.#followIfMaking(card);
    }
    for (const card of [...this.#cards.values()]) {
      const { id } = card.sandbox;
      if (listed.has(id) || isOld(id)) continue;
      this.#unlisted(card);
    }
    this.#drawTotals();
  }

  /** A card that the list no longer has: removed, expired, or a creation that came to nothing. */
  #unlisted(card: Card): void {
    card.isListed = false;
    card.draw();
    if (card.failure || this.#followed.has(card.sandbox.id)) return;
    if (!this.#followIfMaking(card)) {
      const hadFocus = card.element.contains(document.activeElement);
      this.#drop(card);
      announce(`${card.label} is gone.`);
      if (hadFocus) byId("home-title", HTMLHeadingElement).focus();
    }
  }

  #add(sandbox: Sandbox): Card {
    const card = new Card(sandbox, this.me, () => this.api.now());
    card.isOpen = this.#cards.size < openAtFirst;
    addActions(card, this.api, {
      onTouched: () => {
        this.#touch(card);
      },
      onGone: () => {
        this.#gone.add(sandbox.id);
        this.#drop(card);
        byId("home-title", HTMLHeadingElement).focus();
      },
    });
    // Newest first, and never moved: a focused card stays where it is.
    const older = [...this.#cards.values()].filter(
      (other) => other.sandbox.createdAt < sandbox.createdAt,
    );
    const next = [...this.box.children].find((child) =>
      older.some(({ element }) => element === child),
    );
    this.box.insertBefore(card.element, next ?? null);
    this.#cards.set(sandbox.id, card);
    return card;
  }

  #drop(card: Card): void {
    forgetCreation(card.sandbox.id);
    card.element.remove();
    this.#cards.delete(card.sandbox.id);
    this.#drawTotals();
  }

  /** Follows what is being made, or is taken down because it failed; the history tells how it ended. */
  #followIfMaking(card: Card): boolean {
    const { id, state } = card.sandbox;
    const isFailing = state === "removing" && !card.isBeingRemoved && isAwaited(id);
    if (state !== "creating" && !isFailing) return false;
    this.#follow(card);
    return true;
  }

  #follow(card: Card): void {
    const { id } = card.sandbox;
    if (this.#followed.has(id) || this.#followed.size >= streamsAtOnce || card.failure) return;
    const abort = new AbortController();
    this.#followed.set(id, abort);
    const signal = AbortSignal.any([abort.signal, this.#abort.signal]);
    void followCreation(card, this.api, this.connection, signal)
      .catch((error: unknown) => {
        if (!signal.aborted) card.showActionProblem(problemOf(error));
      })
      .finally(() => {
        this.#followed.delete(id);
        this.#touch(card);
        // Usage and limits at once, not at the next turn.
        this.#wake.abort();
      });
  }

  #touch(card: Card): void {
    this.#touched.set(card.sandbox.id, this.#listNumber);
  }

  #drawTotals(): void {
    const cards = [...this.#cards.values()].filter(({ isListed }) => isListed);
    const { user, sandboxesPerUser } = this.me;
    const mine = cards.filter(({ sandbox }) => sandbox.user === user);
    const total = `${mine.length} of ${sandboxesPerUser}`;
    setText(byId("count", HTMLSpanElement), user === undefined ? String(cards.length) : total);
    byId("empty", HTMLDivElement).hidden = this.#cards.size > 0;
    this.form.setTaken(mine.map(({ sandbox }) => sandbox.name));
  }
}
