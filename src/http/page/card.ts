import { showConnect } from "./connect-view.js";
import { hostOf } from "./connect.js";
import { copyOnClick } from "./copy.js";
import { announce, byId, part, setText, showProblem } from "./dom.js";
import { formatCountdown, formatMs, urgency } from "./format.js";
import { IncidentsView } from "./incidents-view.js";
import { StepsView } from "./steps-view.js";
import type { Me, Problem, Sandbox } from "./types.js";
import { UsageView } from "./usage-view.js";

const stateWords: Record<Sandbox["state"], string> = {
  creating: "being made",
  ready: "ready",
  stopped: "stopped",
  removing: "being removed",
  failed: "failed",
};

/** What the page shows of one sandbox. Asks nothing of the server: home.ts and the actions do. */
export class Card {
  readonly element: HTMLElement;
  readonly steps: StepsView;
  readonly usage: UsageView;
  readonly #incidents: IncidentsView;
  /** Whether the server's list has it; a failed creation may live on here alone. */
  isListed = true;
  /** Whether its user has asked to remove it, here. */
  isBeingRemoved = false;
  #failure: Problem | undefined;
  #actionProblem: Problem | undefined;
  #shownProblem = "";
  #madeInMs: number | undefined;
  #isOpen = true;
  #urgency: ReturnType<typeof urgency> = "calm";

  constructor(
    public sandbox: Sandbox,
    private readonly me: Me,
    private readonly now: () => number,
  ) {
    const template = byId("card-template", HTMLTemplateElement).content;
    const fragment = document.importNode(template, true);
    const element = fragment.querySelector("article");
    if (!element) throw new TypeError("index.html has no card");
    this.element = element;
    this.element.setAttribute("aria-labelledby", `${sandbox.id}-title`);
    this.title.id = `${sandbox.id}-title`;
    this.steps = new StepsView(part(element, "steps", HTMLOListElement));
    this.usage = new UsageView(part(element, "meters", HTMLDivElement), sandbox.limits);
    this.#incidents = new IncidentsView(this.#div("happened"), this.label);
    showConnect(this.#div("tabs"), this.#div("panels"), sandbox);
    copyOnClick(this.button("copy-host"), () => this.sandbox.dockerHost);
    this.button("toggle").addEventListener("click", () => {
      this.isOpen = !this.#isOpen;
    });
    this.draw();
  }

  get title(): HTMLHeadingElement {
    return part(this.element, "title", HTMLHeadingElement);
  }

  button(name: string): HTMLButtonElement {
    return part(this.element, name, HTMLButtonElement);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  set isOpen(isOpen: boolean) {
    this.#isOpen = isOpen;
    this.draw();
  }

  get failure(): Problem | undefined {
    return this.#failure;
  }

  /** Takes what the server now says of this sandbox. */
  update(sandbox: Sandbox): void {
    // An answer from before the failure; the server unwinds a failed creation and forgets it.
    if (this.#failure && sandbox.state === "creating") return;
    this.sandbox = sandbox;
    this.draw();
  }

  /** The creation has failed. */
  fail(problem: Problem): void {
    this.#failure = problem;
    this.sandbox = { ...this.sandbox, state: "failed" };
    this.draw();
  }

  /** The creation is over. */
  made(sandbox: Sandbox, ms: number | undefined): void {
    this.#madeInMs = ms;
    this.update(sandbox);
  }

  /** Shows that an action did not work, or (undefined) that this is over. */
  showActionProblem(problem: Problem | undefined): void {
    this.#actionProblem = problem;
    this.draw();
  }

  /** Brings the countdown up to date; called every second. */
  tick(): void {
    const leftMs = Date.parse(this.sandbox.expiresAt) - this.now();
    const before = this.#urgency;
    this.#urgency = urgency(leftMs);
    const clock = this.#div("clock");
    clock.classList.toggle("soon", this.#urgency !== "calm");
    setText(this.#span("left"), formatCountdown(leftMs));
    const ends = `left, ends ${formatEnd(this.sandbox.expiresAt)}`;
    setText(this.#span("until"), this.#urgency === "over" ? "Time is up" : ends);
    if (clock.hidden || before === this.#urgency) return;
    if (this.#urgency === "soon") announce(`${this.label} ends in less than 15 minutes.`);
    if (this.#urgency === "over") announce(`The time of ${this.label} is up.`);
  }

  /** How it is called: `NAME`, or `USER/NAME` when it is somebody else's. */
  get label(): string {
    const { user, name } = this.sandbox;
    return user === this.me.user ? name : `${user}/${name}`;
  }

  draw(): void {
    const { id, state, profile, warning } = this.sandbox;
    this.element.dataset["state"] = state;
    setText(this.title, this.label);
    setText(this.#span("state"), stateWords[state]);
    const made = this.#madeInMs === undefined ? "" : ` · made in ${formatMs(this.#madeInMs)}`;
    setText(part(this.element, "about", HTMLParagraphElement), `${profile} · ${id}${made}`);
    const warningBox = part(this.element, "warning", HTMLParagraphElement);
    warningBox.hidden = !warning || state === "failed";
    setText(warningBox, warning ?? "");
    this.#drawProblem();
    this.#drawAddresses();
    this.#incidents.show(this.sandbox.incidents);
    // A creation that fails is "removing" for a while: its steps tell where it went wrong.
    const isStory = state === "failed" || (state === "removing" && !this.isBeingRemoved);
    this.#div("making").hidden = state !== "creating" && !(isStory && this.steps.begun);
    this.#div("body").hidden = state !== "ready" || !this.#isOpen;
    this.#div("clock").hidden = state !== "ready" && state !== "stopped";
    this.#drawButtons();
    this.tick();
  }

  #drawButtons(): void {
    const { state } = this.sandbox;
    const toggle = this.button("toggle");
    toggle.hidden = state !== "ready";
    toggle.setAttribute("aria-expanded", String(this.#isOpen));
    const label = `${this.#isOpen ? "Hide" : "Show"} details of ${this.label}`;
    setText(part(toggle, "toggle-label", HTMLSpanElement), label);
    this.button("download").hidden = state !== "ready";
    this.button("extend").hidden = state !== "ready" && state !== "stopped";
    this.button("remove").hidden = state === "removing" || !this.isListed;
    this.button("dismiss").hidden = state !== "failed" || this.isListed;
  }

  #drawAddresses(): void {
    const { dockerHost, ports } = this.sandbox;
    setText(part(this.element, "docker-host", HTMLElement), dockerHost);
    setText(part(this.element, "ports", HTMLElement), `${ports.from} to ${ports.to}`);
    const hint = `docker run -p ${ports.from}:80 … answers at http://${hostOf(dockerHost)}:${ports.from}`;
    setText(part(this.element, "ports-hint", HTMLElement), hint);
  }

  #drawProblem(): void {
    const problem = this.#actionProblem ?? this.#failure ?? reasonOf(this.sandbox);
    const shown = JSON.stringify(problem ?? null);
    // An alert is read out each time it changes: leave it alone when it says the same.
    if (shown !== this.#shownProblem) showProblem(this.#div("problem"), problem);
    this.#shownProblem = shown;
  }

  #div(name: string): HTMLDivElement {
    return part(this.element, name, HTMLDivElement);
  }

  #span(name: string): HTMLSpanElement {
    return part(this.element, name, HTMLSpanElement);
  }
}

function reasonOf({ state, reason }: Sandbox): Problem | undefined {
  if (state === "stopped") {
    return { title: "It has stopped", detail: reason ?? "No reason is known.", code: "" };
  }
  if (state === "failed") {
    return { title: "It does not work", detail: reason ?? "No reason is known.", code: "" };
  }
  return undefined;
}

const endFormat = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  hour: "2-digit",
  minute: "2-digit",
});

const formatEnd = (expiresAt: string) => endFormat.format(new Date(expiresAt));
