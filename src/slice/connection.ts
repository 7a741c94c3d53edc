import type { EventEmitter } from "node:events";
import { Message, MessageType, sessionBus, type MessageBus } from "dbus-next";
import { BerthError, messageOf } from "../lib/errors.js";

export interface MethodCall {
  destination: string;
  path: string;
  interface: string;
  member: string;
  signature?: string;
  body?: unknown[];
}

type SignalListener = (signal: Message) => void;

/**
 * One connection to a D-Bus daemon, from its first byte to its loss; it never comes back, its owner
 * opens another. Around dbus-next, which tells nobody that the bus closed the connection (calls stay
 * pending for ever) and throws into nowhere when the bus refuses its greeting.
 */
export class BusConnection {
  readonly #bus: MessageBus | undefined;
  readonly #waiting = new Set<(error: Error) => void>();
  readonly #listeners = new Set<SignalListener>();
  #loss: BerthError | undefined;
  #greeted = false;

  /** Connects in the background; calls may be made at once and are sent in their order. */
  constructor(readonly address: string) {
    try {
      this.#bus = sessionBus({ busAddress: plainSocket(address), authMethods: ["EXTERNAL"] });
    } catch (error) {
      this.#lose(error);
      return;
    }
    this.#bus.on("error", (error: unknown) => {
      this.#lose(error);
    });
    // Not in its types, yet the only place where dbus-next tells of an orderly end.
    const { _connection: stream } = this.#bus as unknown as { _connection: EventEmitter };
    stream.on("end", () => {
      this.#lose("the bus closed the connection");
    });
    this.#bus.on("message", (message: Message) => {
      this.#receive(message);
    });
  }

  /** Gone for good. */
  get lost(): boolean {
    return this.#loss !== undefined;
  }

  /**
   * Sends a call and resolves with its reply.
   * Rejects with dbus-next's DBusError (the peer said no), or SYSTEMD_UNREACHABLE.
   */
  async call(call: MethodCall, timeoutMs: number): Promise<Message> {
    if (!this.#bus || this.#loss) throw this.#loss ?? unreachable(this.address, "never connected");
    const reply = await this.within(this.#bus.call(new Message(call)), call.member, timeoutMs);
    if (reply === null) throw new TypeError(`${call.member} was sent without asking for a reply`);
    return reply;
  }

  /** `promise`, unless the connection is lost or `timeoutMs` pass before: then SYSTEMD_UNREACHABLE. */
  within<T>(promise: Promise<T>, what: string, timeoutMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const giveUp = (error: Error) => {
        finish();
        reject(error);
      };
      const timer = setTimeout(() => {
        const error = unreachable(this.address, `no answer to ${what} within ${timeoutMs} ms`);
        // A bus that never even greeted will not recover; a slow systemd will.
        if (this.#greeted) giveUp(error);
        else this.#lose(error);
      }, timeoutMs);
      const finish = () => {
        clearTimeout(timer);
        this.#waiting.delete(giveUp);
      };
      this.#waiting.add(giveUp);
      if (this.#loss) giveUp(this.#loss);
      promise.finally(finish).then(resolve, reject);
    });
  }

  /** Calls back for every signal that reaches us, whoever sent it. Returns a stop function. */
  onSignal(listener: SignalListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(cause: unknown = "Berth closed the connection"): void {
    this.#lose(cause);
  }

  #receive(message: Message): void {
    if (message.type === MessageType.SIGNAL) {
      for (const listener of this.#listeners) listener(message);
    } else if (message.type === MessageType.METHOD_RETURN) {
      this.#greeted = true; // The first reply is to Hello, which dbus-next sends first.
    } else if (message.type === MessageType.ERROR && !this.#greeted) {
      // dbus-next would rethrow a refused Hello (too many connections, say) where nobody can catch
      // it, and the process would end. Without its serial the reply finds no handler there.
      message.replySerial = "";
      this.#lose(`${message.errorName}: ${String(message.body[0] ?? "")}`);
    }
  }

  #lose(cause: unknown): void {
    if (this.#loss) return;
    this.#loss = cause instanceof BerthError ? cause : unreachable(this.address, cause);
    for (const giveUp of [...this.#waiting]) giveUp(this.#loss);
    this.#bus?.disconnect();
  }
}

/** SYSTEMD_UNREACHABLE, with the way out. */
export function unreachable(address: string, cause: unknown): BerthError {
  return new BerthError(
    "SYSTEMD_UNREACHABLE",
    `cannot reach systemd over the D-Bus system bus at ${address}: ${messageOf(cause)}; ` +
      "Berth needs a machine booted by systemd, root, and a running dbus (systemctl status dbus.socket)",
    { cause },
  );
}

/**
 * dbus-next opens `unix:path=` with the native module usocket where npm could build it and with
 * node:net elsewhere; its own `unix:socket=` is always node:net, so every machine behaves alike.
 */
function plainSocket(address: string): string {
  if (!/^\w+:\w+=/.test(address)) throw new Error("not an address like unix:path=/run/dbus/…");
  return address.replaceAll("unix:path=", "unix:socket=");
}
