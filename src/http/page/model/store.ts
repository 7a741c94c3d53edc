/** A value that tells its readers when it changes. */
export class Store<T> {
  readonly #readers = new Set<() => void>();

  constructor(private current: T) {}

  get value(): T {
    return this.current;
  }

  set(value: T): void {
    if (Object.is(value, this.current)) return;
    this.current = value;
    for (const reader of [...this.#readers]) reader();
  }

  /** Calls `reader` after each change; returns the end of it. */
  subscribe(reader: () => void): () => void {
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  }
}
