import { Api, ApiError, problemOf } from "./api.js";
import { busy, byId, isBusy, showProblem } from "./dom.js";
import type { Me, Problem } from "./types.js";

const wrongToken: Problem = {
  title: "This token does not work",
  detail: "Check that you copied all of it. If it is lost, ask for a new one.",
  code: "",
};

/** The sign-in form; calls back with a token that the server took. */
export class SignIn {
  readonly #section = byId("sign-in", HTMLElement);
  readonly #field = byId("token", HTMLInputElement);
  readonly #error = byId("sign-in-error", HTMLDivElement);
  readonly #button: HTMLButtonElement;

  constructor(private readonly onSignedIn: (token: string, me: Me) => void) {
    const form = byId("sign-in-form", HTMLFormElement);
    this.#button = form.querySelector("button") ?? form.appendChild(new HTMLButtonElement());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!isBusy(this.#button)) void this.#submit();
    });
  }

  show(problem?: Problem): void {
    this.#section.hidden = false;
    this.#field.value = "";
    this.#say(problem);
    this.#field.focus();
  }

  hide(): void {
    this.#section.hidden = true;
    this.#field.value = "";
  }

  async #submit(): Promise<void> {
    this.#say(undefined);
    const token = this.#field.value.trim();
    const done = busy(this.#button, "Signing in…");
    try {
      // What a header cannot carry is no token of ours.
      if (!/^[\x21-\x7e]+$/.test(token)) throw new ApiError(401, wrongToken);
      const me = await new Api(token, () => undefined).me();
      this.onSignedIn(token, me);
    } catch (error) {
      const refused = error instanceof ApiError && error.status === 401;
      this.#say(refused ? wrongToken : problemOf(error));
      this.#field.select();
      this.#field.focus();
    } finally {
      done();
    }
  }

  #say(problem: Problem | undefined): void {
    showProblem(this.#error, problem);
    this.#field.setAttribute("aria-invalid", String(problem !== undefined));
  }
}
