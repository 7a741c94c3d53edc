import { describe, expect, it } from "vitest";
import { readEvents, SseParser, type ServerSentEvent } from "../../../src/http/page/model/sse.js";

const stream = 'event: step\ndata: {"step":"slice"}\n\n: heartbeat\n\ndata: one\ndata: two\n\n';
const wanted: ServerSentEvent[] = [
  { event: "step", data: '{"step":"slice"}' },
  { event: "message", data: "one\ntwo" },
];

const parse = (chunks: string[]) => {
  const parser = new SseParser();
  return chunks.flatMap((chunk) => parser.push(chunk));
};

describe("SseParser", () => {
  it.each([
    ["LF", stream],
    ["CRLF", stream.replaceAll("\n", "\r\n")],
    ["CR", stream.replaceAll("\n", "\r")],
  ])("reads the same events wherever a stream with %s is cut in two", (_, text) => {
    for (let cut = 0; cut <= text.length; cut++) {
      expect(parse([text.slice(0, cut), text.slice(cut)])).toEqual(wanted);
    }
  });

  it("reads a stream that comes character by character", () => {
    expect(parse(Array.from(stream.replaceAll("\n", "\r\n")))).toEqual(wanted);
  });

  it("gives an event as soon as its empty line is there, and not before", () => {
    const parser = new SseParser();
    expect(parser.push("data: x\n")).toEqual([]);
    expect(parser.push("\n")).toEqual([{ event: "message", data: "x" }]);
  });

  it("takes off one space after the colon, and only one", () => {
    expect(parse(["data:  two\ndata:none\n\n"])).toEqual([
      { event: "message", data: " two\nnone" },
    ]);
  });

  it("forgets the name of an event without data", () => {
    expect(parse(["event: step\n\ndata: x\n\n"])).toEqual([{ event: "message", data: "x" }]);
  });
});

describe("readEvents", () => {
  it("puts characters together that the network cut through", async () => {
    const bytes = new TextEncoder().encode("data: Größe 🐳\n\n");
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    const events: ServerSentEvent[] = [];
    for await (const event of readEvents(body)) events.push(event);
    expect(events).toEqual([{ event: "message", data: "Größe 🐳" }]);
  });

  it("cancels the body when the reader stops early", async () => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("data: x\n\n"));
      },
      cancel() {
        cancelled = true;
      },
    });
    for await (const { data } of readEvents(body)) {
      expect(data).toBe("x");
      break;
    }
    expect(cancelled).toBe(true);
  });
});
