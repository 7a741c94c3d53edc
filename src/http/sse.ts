import type { Response } from "express";

/** Proxies drop connections that are silent for long; a comment line keeps them. */
const heartbeatMs = 15_000;

/** A stream of server-sent events (WHATWG HTML, "Server-sent events"). */
export class EventStream {
  readonly #response: Response;
  readonly #heartbeat: NodeJS.Timeout;

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
    response.once("close", () => {
      clearInterval(this.#heartbeat);
      onClosed();
    });
  }

  send(event: string, data: unknown): void {
    this.#response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  end(): void {
    this.#response.end();
  }
}
