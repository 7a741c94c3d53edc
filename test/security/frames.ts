// Ethernet frames, byte by byte.

export const etherTypes = { ipv4: 0x0800, arp: 0x0806, vlan: 0x8100, ipv6: 0x86dd };
/** IEEE 802's number for experiments: nobody's protocol. */
export const experimental = 0x88b5;
export const everybody = "ff:ff:ff:ff:ff:ff";

const mac = (text: string) => Buffer.from(text.replaceAll(":", ""), "hex");
const ip = (text: string) => Buffer.from(text.split(".").map(Number));
const words = (...values: number[]) => {
  const buffer = Buffer.alloc(2 * values.length);
  values.forEach((value, i) => buffer.writeUInt16BE(value, 2 * i));
  return buffer;
};

export function ethernet(to: string, from: string, type: number, payload: Buffer): Buffer {
  // 60 bytes are the least that Ethernet carries.
  const frame = Buffer.concat([mac(to), mac(from), words(type), payload]);
  return Buffer.concat([frame, Buffer.alloc(Math.max(0, 60 - frame.length))]);
}

/** RFC 826; `reply` says that `from.ip` is at `from.mac`. */
export function arp(
  operation: "request" | "reply",
  from: { mac: string; ip: string },
  to: { mac: string; ip: string },
): Buffer {
  return Buffer.concat([
    words(1, etherTypes.ipv4, 0x0604, operation === "request" ? 1 : 2),
    ...[mac(from.mac), ip(from.ip), mac(to.mac), ip(to.ip)],
  ]);
}

/** RFC 791 and 768. */
export function udpPacket(from: string, to: string, port: number, text: string): Buffer {
  const datagram = Buffer.concat([words(port, port, 8 + text.length, 0), Buffer.from(text)]);
  return ipv4(from, to, 17, datagram);
}

/** A reset for a connection that nobody has. */
export function strayReset(from: string, to: string, port: number): Buffer {
  const segment = words(port, port, 0, 1, 0, 0, 0x5004, 0, 0, 0);
  const pseudo = Buffer.concat([ip(from), ip(to), words(6, segment.length), segment]);
  segment.writeUInt16BE(checksum(pseudo), 16);
  return ipv4(from, to, 6, segment);
}

/** "Port unreachable" about a packet that nobody sent. */
export function strayUnreachable(from: string, to: string): Buffer {
  const about = udpPacket(to, from, 9, "");
  const message = Buffer.concat([words(0x0303, 0, 0, 0), about]);
  message.writeUInt16BE(checksum(message), 2);
  return ipv4(from, to, 1, message);
}

function ipv4(from: string, to: string, protocol: number, payload: Buffer): Buffer {
  const header = Buffer.concat([
    words(0x4500, 20 + payload.length, 1, 0, (64 << 8) | protocol, 0),
    ...[ip(from), ip(to)],
  ]);
  header.writeUInt16BE(checksum(header), 10);
  return Buffer.concat([header, payload]);
}

/** RFC 1071. */
function checksum(data: Buffer): number {
  let sum = 0;
  for (let i = 0; i < data.length; i += 2) {
    sum += (data[i] ?? 0) * 256 + (data[i + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
