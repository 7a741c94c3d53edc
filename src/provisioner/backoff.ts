/** A start that held this long makes the ones before it forgotten. */
const forgottenAfterMs = 600_000;
const firstPauseMs = 2_000;
const longestPauseMs = 300_000;

/** Spaces out the starts of a sandbox that keeps dying or does not come up; only in memory. */
export class Backoff {
  readonly #starts = new Map<string, { count: number; lastAtMs: number }>();

  constructor(private readonly now: () => Date) {}

  /** Notes that a start is tried now. */
  note(id: string): void {
    const count = this.#recent(id)?.count ?? 0;
    this.#starts.set(id, { count: count + 1, lastAtMs: this.now().getTime() });
  }

  /** How long to wait before the next start; the second is free, then 2 s, 4 s … 5 min. */
  waitMs(id: string): number {
    const recent = this.#recent(id);
    if (!recent || recent.count < 2) return 0;
    const pauseMs = Math.min(firstPauseMs * 2 ** (recent.count - 2), longestPauseMs);
    return Math.max(0, recent.lastAtMs + pauseMs - this.now().getTime());
  }

  forget(id: string): void {
    this.#starts.delete(id);
  }

  #recent(id: string) {
    const starts = this.#starts.get(id);
    const isOld = starts && this.now().getTime() - starts.lastAtMs > forgottenAfterMs;
    return isOld ? undefined : starts;
  }
}
