import type { Log } from "./log.js";

/**
 * What to do if the work under way fails: each thing made adds its undo, success calls `keep`.
 * Left without `keep`, the undos run in reverse; one that fails is logged and the others still run
 * (reconcile finds what it left).
 *
 * ```ts
 * await using undo = new Undo(log);
 * const slice = await slices.ensure(user, limits);
 * undo.add("slice", () => slices.release(user));
 * undo.keep();
 * ```
 */
export class Undo implements AsyncDisposable {
  #steps: { name: string; run: () => Promise<unknown> }[] = [];

  constructor(private readonly log: Log) {}

  add(name: string, run: () => Promise<unknown>): void {
    this.#steps.push({ name, run });
  }

  keep(): void {
    this.#steps = [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step.run();
      } catch (error) {
        this.log.error({ undo: step.name, err: error }, "an undo failed; reconcile will retry it");
      }
    }
  }
}
