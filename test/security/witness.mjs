// Listens where nobody may arrive, and writes down who did: LOG [tcp|udp|dns]@ADDRESS@PORT ...
// Over TCP it answers as a web server does, `dns` resolves every name to 198.51.100.5.
import { writeFileSync } from "node:fs";
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { createServer } from "node:net";

const [log, ...listeners] = process.argv.slice(2);
const note = (line) => writeFileSync(log, `${line}\n`, { flag: "a" });
const page = "HTTP/1.0 200 OK\r\ncontent-length: 8\r\n\r\nwitness\n";

const listen = {
  tcp(address, port) {
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.on("data", () => socket.end(page));
    });
    return new Promise((resolve) => {
      // Another's listener is as good to be reached.
      server.on("error", resolve);
      server.listen(port, address, resolve);
    });
  },
  udp: (address, port) => bind(address, port, (text) => note(String(text))),
  dns: (address, port) =>
    bind(address, port, (question, from, socket) => {
      socket.send(answerTo(question, "198.51.100.5"), from.port, from.address);
    }),
};

function bind(address, port, receive) {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.on("message", (text, from) => receive(text, from, socket));
  return new Promise((resolve) => socket.bind(port, address, resolve));
}

/** RFC 1035: the question again, and for an A record its one answer. */
function answerTo(question, address) {
  const end = question.indexOf(0, 12) + 5;
  const isA = question.readUInt16BE(end - 4) === 1;
  const header = Buffer.from(question.subarray(0, 12));
  header.writeUInt16BE(0x8180, 2);
  header.writeUInt16BE(isA ? 1 : 0, 6);
  header.writeUInt32BE(0, 8);
  const record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split(".").map(Number)];
  return Buffer.concat([header, question.subarray(12, end), Buffer.from(isA ? record : [])]);
}

for (const listener of listeners) {
  const [kind, address, port] = listener.split("@");
  await listen[kind](address, Number(port));
}
note("listening");
