// Server-sent events out of a fetch body (EventSource cannot send an Authorization header).
// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

export interface ServerSentEvent {
  /** `message` when the stream names none. */
  event: string;
  data: string;
}

/** Takes the stream in whatever pieces the network cuts it into. */
export class SseParser {
  #line = "";
  #event = "";
  #data: string[] = [];
  #afterCarriageReturn = false;

  /** The events that `chunk` completes. */
  push(chunk: string): ServerSentEvent[] {
    if (chunk === "") return [];
    // A CR ends a line at once; the LF of a CRLF may come with the next chunk.
    const text = this.#afterCarriageReturn && chunk.startsWith("\n") ? chunk.slice(1) : chunk;
    this.#afterCarriageReturn = chunk.endsWith("\r");
    const lines = (this.#line + text).split(/\r\n|\n|\r/);
    this.#line = lines.pop() ?? "";
    return lines.flatMap((line) => this.#take(line));
  }

  #take(line: string): ServerSentEvent[] {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#event = value;
    if (field === "data") this.#data.push(value);
    // Comments (an empty field: heartbeats), id and retry carry nothing for us.
    return [];
  }

  #dispatch(): ServerSentEvent[] {
    const events =
      this.#data.length === 0
        ? []
        : [{ event: this.#event || "message", data: this.#data.join("\n") }];
    this.#event = "";
    this.#data = [];
    return events;
  }
}

/** The events of a body, as they come, until it ends. Cancels the body when the caller stops early. */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<ServerSentEvent, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new SseParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
