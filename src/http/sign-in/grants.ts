/** How often each is looked at by itself: sessions end by the clock as well. */
const lookEveryMs = 15_000;

interface Grant {
  user: string;
  look: () => Promise<void>;
}

/** What was let in and goes on for long, to be ended when it would not be let in any more. */
export class Grants {
  readonly #grants = new Set<Grant>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * Calls `onOver` once `isStill` is false; returns the end of it.
   * @param user whose changes are a reason to look at once
   */
  add(user: string, isStill: () => Promise<boolean>, onOver: () => void): () => void {
    const drop = () => {
      this.#grants.delete(grant);
      if (this.#grants.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
    const look = async () => {
      const still = await isStill().catch(() => false);
      if (still || !this.#grants.has(grant)) return;
      drop();
      onOver();
    };
    const grant = { user, look };
    this.#grants.add(grant);
    this.#timer ??= setInterval(() => {
      this.#look([...this.#grants]);
    }, lookEveryMs).unref();
    // It may have ended between being let in and now.
    void look();
    return drop;
  }

  /** Something changed about this user. */
  lookAt(user: string): void {
    this.#look([...this.#grants].filter((grant) => grant.user === user));
  }

  #look(grants: Grant[]): void {
    for (const { look } of grants) void look();
  }
}
