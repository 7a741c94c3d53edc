import { problemOf, type Api } from "./api.js";
import { busy, byId, el, isBusy, setText, showProblem } from "./dom.js";
import { durationForInput, formatSize, freeName, sizeForInput } from "./format.js";
import type { CreateRequest, Me, Problem, Profile, Sandbox } from "./types.js";

type FieldName = keyof CreateRequest;

const more = new Set<FieldName>(["memory", "cpus", "disk", "pids"]);

interface Field {
  input: HTMLInputElement | HTMLSelectElement;
  hint: HTMLParagraphElement;
  error: HTMLParagraphElement;
}

/** The form that asks for a sandbox. Empty fields are left to the profile's defaults. */
export class CreateForm {
  readonly #fields = new Map<FieldName, Field>();
  readonly #error = byId("create-error", HTMLDivElement);
  readonly #form = byId("create-form", HTMLFormElement);
  #suggestedName = "default";
  #abort = new AbortController();

  constructor() {
    for (const box of this.#form.querySelectorAll<HTMLElement>("[data-field]")) {
      this.#fields.set(box.dataset["field"] as FieldName, fieldIn(box));
    }
  }

  start(api: Api, me: Me, onCreated: (sandbox: Sandbox) => void): void {
    this.stop();
    const { signal } = this.#abort;
    this.#form.reset();
    this.#showProblem(undefined);
    this.#field("user")
      .input.closest<HTMLElement>("[data-field]")
      ?.toggleAttribute("hidden", me.user !== undefined);
    const profiles = this.#field("profile").input;
    profiles.replaceChildren(...me.profiles.map(({ name }) => el("option", { value: name }, name)));
    const showDefaults = () => {
      const profile = me.profiles.find(({ name }) => name === profiles.value);
      if (profile) this.#showDefaults(me, profile);
    };
    profiles.addEventListener("change", showDefaults, { signal });
    showDefaults();
    this.#form.addEventListener(
      "submit",
      (event) => {
        event.preventDefault();
        void this.#submit(api, onCreated);
      },
      { signal },
    );
  }

  stop(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
  }

  /** Tells which names the user has, so that the empty field stands for a free one. */
  setTaken(names: string[]): void {
    this.#suggestedName = freeName(names);
    this.#field("name").input.setAttribute("placeholder", this.#suggestedName);
  }

  async #submit(api: Api, onCreated: (sandbox: Sandbox) => void): Promise<void> {
    const button = this.#form.querySelector<HTMLButtonElement>("button[type=submit]");
    if (!button || isBusy(button)) return;
    this.#showProblem(undefined);
    const done = busy(button, "Asking…");
    try {
      const sandbox = await api.create(this.#request());
      for (const name of ["name", "user"] as const) this.#field(name).input.value = "";
      onCreated(sandbox);
    } catch (error) {
      this.#showProblem(problemOf(error));
    } finally {
      done();
    }
  }

  #request(): CreateRequest {
    const request: CreateRequest = {};
    for (const [name, { input }] of this.#fields) {
      const value = input.value.trim();
      if (value !== "") request[name] = value;
    }
    // For somebody else we do not know what is taken: the server's default decides.
    if (request.user === undefined) request.name ??= this.#suggestedName;
    return request;
  }

  #showDefaults(me: Me, { description, isolation, ttlMs, limits }: Profile): void {
    const { maxLimits: max } = me;
    const note =
      isolation === "privileged"
        ? " Whoever uses it can become root on the host: for trusted users only."
        : "";
    this.#describe("profile", "", `${description}${note}`);
    const until = durationForInput(me.ttl.maxMs);
    this.#describe("ttl", durationForInput(ttlMs), `Like 90m or 8h, up to ${until}.`);
    this.#describe("memory", sizeForInput(limits.memoryBytes), upTo(formatSize(max.memoryBytes)));
    this.#describe("cpus", String(limits.cpus), upTo(String(max.cpus)));
    this.#describe("disk", sizeForInput(limits.diskBytes), upTo(formatSize(max.diskBytes)));
    this.#describe("pids", String(limits.pids), upTo(String(max.pids)));
  }

  #describe(name: FieldName, placeholder: string, hint: string): void {
    const field = this.#field(name);
    field.input.setAttribute("placeholder", placeholder);
    setText(field.hint, hint);
  }

  /** Faults of single fields go to their fields (the first gets the focus), the rest above the button. */
  #showProblem(problem: Problem | undefined): void {
    const rest = [];
    for (const field of this.#fields.values()) setFault(field, "");
    let first: Field | undefined;
    for (const fault of problem?.errors ?? []) {
      const name = fault.path.split(/[./]/).at(-1) as FieldName;
      const field = this.#fields.get(name);
      if (field) {
        setFault(field, fault.message);
        if (more.has(name)) byId("more", HTMLDetailsElement).open = true;
        first ??= field;
      } else rest.push(fault);
    }
    // Told at its field, and nothing beside it: no need to say it twice.
    const isTold = first !== undefined && rest.length === 0;
    showProblem(this.#error, problem && !isTold ? { ...problem, errors: rest } : undefined);
    first?.input.focus();
  }

  #field(name: FieldName): Field {
    const field = this.#fields.get(name);
    if (!field) throw new TypeError(`index.html has no field ${name}`);
    return field;
  }
}

/** Gives the field in `box` a place for its hint and for its fault, tied to it for screen readers. */
function fieldIn(box: HTMLElement): Field {
  const input = box.querySelector<HTMLInputElement | HTMLSelectElement>("input, select");
  if (!input) throw new TypeError("index.html has a field without an input");
  const hint = el("p", { class: "hint", id: `${input.id}-hint` });
  const error = el("p", { class: "fault", id: `${input.id}-fault` });
  input.setAttribute("aria-describedby", `${hint.id} ${error.id}`);
  box.append(hint, error);
  return { input, hint, error };
}

function setFault({ input, error }: Field, message: string): void {
  setText(error, message);
  input.setAttribute("aria-invalid", String(message !== ""));
}

const upTo = (limit: string) => `Up to ${limit}.`;
