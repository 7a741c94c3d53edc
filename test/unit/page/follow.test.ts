import { describe, expect, it } from "vitest";
import { backoffMs, follow, waitFor, type Following } from "../../../src/http/page/model/follow.js";

const bodyOf = (...events: string[]) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const data of events) {
        controller.enqueue(new TextEncoder().encode(`data: ${data}\n\n`));
      }
      controller.close();
    },
  });

/** Follows streams that answer with `answers` in turn, until an event says "end". */
async function run(answers: (ReadableStream<Uint8Array> | Error)[]) {
  const seen: string[] = [];
  const connected: boolean[] = [];
  const waits: number[] = [];
  const following: Following = {
    open: () => {
      const answer = answers.shift();
      if (answer instanceof ReadableStream) return Promise.resolve(answer);
      return Promise.reject(answer ?? new Error("gone"));
    },
    take: ({ data }) => {
      seen.push(data);
      return data === "end";
    },
    isFinal: (error) => error instanceof Error && error.message === "gone",
    onConnected: (isConnected) => connected.push(isConnected),
    signal: new AbortController().signal,
    wait: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
  };
  const outcome = await follow(following).then(
    () => "ended",
    (error: unknown) => String(error),
  );
  return { seen, connected, waits, outcome };
}

describe("follow", () => {
  it("stops after the last event of interest without another request", async () => {
    const { seen, waits, outcome } = await run([bodyOf("a", "end", "more")]);
    expect({ seen, waits, outcome }).toEqual({ seen: ["a", "end"], waits: [], outcome: "ended" });
  });

  it("opens the stream again when it breaks off, and says so", async () => {
    const { seen, connected, outcome } = await run([bodyOf("a"), bodyOf("a", "end")]);
    expect(seen).toEqual(["a", "a", "end"]);
    expect(connected).toEqual([true, false, true]);
    expect(outcome).toBe("ended");
  });

  it("waits longer each time, and short again once events have come", async () => {
    const down = new TypeError("fetch failed");
    const { waits } = await run([down, down, down, bodyOf("a"), down, bodyOf("end")]);
    expect(waits).toEqual([500, 1000, 2000, 500, 500]);
  });

  it("gives up on an error that trying again cannot mend", async () => {
    const { outcome, waits } = await run([bodyOf("a")]);
    expect(outcome).toBe("Error: gone");
    expect(waits).toHaveLength(1);
  });

  it("ends quietly when aborted while it waits", async () => {
    const abort = new AbortController();
    await follow({
      open: () => Promise.reject(new TypeError("fetch failed")),
      take: () => false,
      isFinal: () => false,
      onConnected: () => {
        abort.abort();
      },
      signal: abort.signal,
    });
    expect(abort.signal.aborted).toBe(true);
  });
});

describe("backoffMs", () => {
  it("doubles from half a second and stays at 8 s", () => {
    expect([0, 1, 2, 3, 4, 5, 50].map(backoffMs)).toEqual([
      500, 1000, 2000, 4000, 8000, 8000, 8000,
    ]);
  });
});

describe("waitFor", () => {
  it("does not wait for what is aborted already", async () => {
    await waitFor(3_600_000, AbortSignal.abort());
  });
});
