import { createRequire } from "node:module";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MessageType } from "dbus-next";

// The server's half of the wire format, out of dbus-next's own (untyped) insides.
const require = createRequire(import.meta.url);
const { marshallMessage } = require("dbus-next/lib/marshall-compat.js") as {
  marshallMessage: (message: object) => [Buffer];
};
const { unmarshalMessages } = require("dbus-next/lib/message.js") as {
  unmarshalMessages: (stream: Socket, onMessage: (call: Call) => void, options: object) => void;
};
const readLine = require("dbus-next/lib/readline.js") as (
  stream: Socket,
  onLine: (line: Buffer) => void,
) => void;

interface Call {
  member: string;
  serial: number;
}

export interface Outgoing {
  type: MessageType;
  sender?: string;
  member?: string;
  errorName?: string;
  signature?: string;
  body?: unknown[];
}

const systemd = ":1.1";

export const reply = (signature?: string, body?: unknown[]): Outgoing => ({
  type: MessageType.METHOD_RETURN,
  ...(signature && body ? { signature, body } : {}),
});

export const refusal = (errorName: string, text = "no"): Outgoing => ({
  type: MessageType.ERROR,
  errorName,
  signature: "s",
  body: [text],
});

/** JobRemoved, by systemd or by whoever may claim so. */
export const jobRemoved = (job: string, result: string, sender = systemd): Outgoing => ({
  type: MessageType.SIGNAL,
  sender,
  member: "JobRemoved",
  signature: "uoss",
  body: [1, job, "berth-ann.slice", result],
});

/** What the bus does with a call: the messages are sent in one write; "hang up" ends the connection. */
type Answer = (member: string) => Outgoing[] | "hang up";

/** A D-Bus daemon with systemd behind it, as far as one client sees, that answers as it is told. */
export async function startFakeBus(answer: Answer, options: { isMute?: boolean } = {}) {
  const directory = mkdtempSync(join(tmpdir(), "berth-bus-"));
  const path = join(directory, "socket");
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket.on("error", () => undefined));
    if (!options.isMute) serve(socket, answer);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const hangUp = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return {
    address: `unix:path=${path}`,
    connections: () => connections,
    hangUp,
    async stop() {
      hangUp();
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, { recursive: true });
    },
  };
}

function serve(socket: Socket, answer: Answer): void {
  let serial = 0;
  const onCall = (call: Call) => {
    const isGreeting = call.member === "Hello";
    const messages = answer(call.member);
    if (messages === "hang up") {
      socket.end();
      return;
    }
    const bytes = messages.map((message) => {
      const isSignal = message.type === MessageType.SIGNAL;
      const [data] = marshallMessage({
        serial: ++serial,
        sender: isGreeting ? "org.freedesktop.DBus" : systemd,
        ...(isSignal
          ? { path: "/org/freedesktop/systemd1", interface: "org.freedesktop.systemd1.Manager" }
          : { replySerial: call.serial, destination: ":1.2" }),
        ...message,
      });
      return data;
    });
    socket.write(Buffer.concat(bytes));
  };
  readLine(socket, () => {
    socket.write("OK 0123456789abcdef0123456789abcdef\r\n");
    readLine(socket, () => {
      unmarshalMessages(socket, onCall, {});
      // For calls that came in one chunk with BEGIN; readLine still listens until it returns.
      process.nextTick(() => socket.emit("readable"));
    });
  });
}
