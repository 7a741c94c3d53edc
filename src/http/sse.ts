import type { Response } from "express";

/** Proxies drop connections that are silent for long; a comment line keeps them. */
const heartbeatMs = 15_000;

/** A stream of server-sent events (WHATWG HTML, "Server-sent events"). */
export class EventStream {
  readonly #response: Response;
  readonly #heartbeat: NodeJS.Timeout;
  #ended = false;

  constructor(response: Response, onClosed: () => void) {
    this.#response = response;
    response.status(200).set({
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-store",
      // Keeps nginx from collecting events before it passes them on.
      "X-Accel-Buffering": "no",
    });
    response.flushHeaders();
    response.write("retry: 1000\n\n");
    this.#heartbeat = setInterval(() => response.write(": alive\n\n"), heartbeatMs);
    // A reader that went away is told by `close`; its errors are nobody's.
    response.on("error", () => undefined);
    response.once("close", () => {
      this.#stop();
      onClosed();
    });
  }

  /** Nothing is sent after the end. */
  send(event: string, data: unknown): void {
    if (this.#ended) return;
    this.#response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  end(): void {
    this.#stop();
    this.#response.end();
  }

  #stop(): void {
    this.#ended = true;
    clearInterval(this.#heartbeat);
  }
}
