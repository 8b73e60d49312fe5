/** Netlink messages (linux/netlink.h): headers and attributes, in the byte order of the machine. */

const HEADER = 16;
export const NLM_F_REQUEST = 1;
export const NLM_F_ACK = 4;
const NLMSG_ERROR = 2;

/** `length` rounded up to the four bytes on which everything in netlink begins. */
function aligned(length: number): number {
  return (length + 3) & ~3;
}

/** One attribute: length, type, `data`, padding. */
export function netlinkAttribute(type: number, data: Uint8Array): Buffer {
  const out = Buffer.alloc(aligned(4 + data.length));
  out.writeUInt16LE(4 + data.length, 0);
  out.writeUInt16LE(type, 2);
  out.set(data, 4);
  return out;
}

/** One message of `type` with the flags and payload given. */
export function netlinkMessage(type: number, flags: number, payload: Uint8Array): Buffer {
  const out = Buffer.alloc(HEADER + payload.length);
  out.writeUInt32LE(out.length, 0);
  out.writeUInt16LE(type, 4);
  out.writeUInt16LE(flags, 6);
  out.set(payload, HEADER);
  return out;
}

export interface NetlinkMessage {
  readonly type: number;
  readonly payload: Buffer;
}

/** The messages in one datagram read from a netlink socket. */
export function netlinkMessages(datagram: Buffer): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  let offset = 0;
  while (offset + HEADER <= datagram.length) {
    const length = datagram.readUInt32LE(offset);
    if (length < HEADER || offset + length > datagram.length) break;
    messages.push({
      type: datagram.readUInt16LE(offset + 4),
      payload: datagram.subarray(offset + HEADER, offset + length),
    });
    offset += aligned(length);
  }
  return messages;
}

/** The errno that an acknowledgement carries (0: done), or undefined for any other message. */
export function netlinkErrno(message: NetlinkMessage): number | undefined {
  return message.type === NLMSG_ERROR ? Math.abs(message.payload.readInt32LE(0)) : undefined;
}

/** The attributes in `bytes` by type; flags for nesting and byte order are dropped from the type. */
export function netlinkAttributes(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  let offset = 0;
  while (offset + 4 <= bytes.length) {
    const length = bytes.readUInt16LE(offset);
    if (length < 4) break;
    attributes.set(bytes.readUInt16LE(offset + 2) & 0x3fff, bytes.subarray(offset + 4, offset + length));
    offset += aligned(length);
  }
  return attributes;
}
