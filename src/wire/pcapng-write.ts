/**
 * pcapng values to bytes: little-endian, timestamps in nanoseconds. Sections do not state their length:
 * Wireshark's editcap and tshark copy what is stated into files that have become shorter.
 */
import { write32 } from './byte-order.ts';
import type { IpAddress } from './ip-address.ts';
import {
  type AddressName,
  BYTE_ORDER_MAGIC,
  PCAPNG_BLOCK,
  PCAPNG_OPTION,
  PCAPNG_VERSION,
  type PcapngFile,
  type PcapngInterface,
  type PcapngPacket,
  type PcapngSection,
} from './pcapng.ts';
import { NANOSECOND_TSRESOL, nanosecondsOf } from './pcapng-time.ts';

const NAME_RECORD = { end: 0, ipv4: 1, ipv6: 2 } as const;
const FLAG = { inbound: 1, outbound: 2 } as const;
const MAX_OPTION = 0xffff;
const UNSTATED = -1n;

const TEXT = new TextEncoder();

function padded(length: number): number {
  return (length + 3) & ~3;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** `length` bytes filled in by `fill` through a view of them. */
function bytesOf(length: number, fill: (view: DataView) => void): Uint8Array {
  const out = new Uint8Array(length);
  fill(new DataView(out.buffer));
  return out;
}

/** A type, a length and a value filled up to four bytes: the form of options and of name records. */
function tagged(code: number, value: Uint8Array): Uint8Array {
  if (value.length > MAX_OPTION) throw new RangeError(`${value.length} bytes do not fit into one option`);
  const out = new Uint8Array(4 + padded(value.length));
  const view = new DataView(out.buffer);
  view.setUint16(0, code, true);
  view.setUint16(2, value.length, true);
  out.set(value, 4);
  return out;
}

/** Text of an option; what 16 bits of length cannot hold is cut, never in the middle of a character. */
function textBytes(text: string): Uint8Array {
  const bytes = TEXT.encode(text);
  if (bytes.length <= MAX_OPTION) return bytes;
  let end = MAX_OPTION;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}

function textOption(code: number, text: string | undefined): Uint8Array[] {
  return text === undefined ? [] : [tagged(code, textBytes(text))];
}

function comments(texts: readonly string[]): Uint8Array[] {
  return texts.flatMap((text) => textOption(PCAPNG_OPTION.comment, text));
}

/** The options and their end; nothing at all when there are none. */
function options(list: readonly Uint8Array[]): readonly Uint8Array[] {
  return list.length === 0 ? [] : [...list, tagged(PCAPNG_OPTION.end, new Uint8Array(0))];
}

function block(type: number, body: readonly Uint8Array[]): Uint8Array {
  const content = join(body);
  const length = 12 + padded(content.length);
  const out = new Uint8Array(length);
  const view = new DataView(out.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  out.set(content, 8);
  view.setUint32(length - 4, length, true);
  return out;
}

function sectionHeader(section: PcapngSection): Uint8Array {
  const fixed = bytesOf(16, (view) => {
    view.setUint32(0, BYTE_ORDER_MAGIC, true);
    view.setUint16(4, PCAPNG_VERSION.major, true);
    view.setUint16(6, PCAPNG_VERSION.minor, true);
    view.setBigInt64(8, UNSTATED, true);
  });
  const list = [
    ...comments(section.comments),
    ...textOption(PCAPNG_OPTION.sectionHardware, section.hardware),
    ...textOption(PCAPNG_OPTION.sectionOs, section.os),
    ...textOption(PCAPNG_OPTION.sectionApplication, section.application),
  ];
  return block(PCAPNG_BLOCK.sectionHeader, [fixed, ...options(list)]);
}

function interfaceDescription({ linkType, snapLength, name, description }: PcapngInterface): Uint8Array {
  const fixed = bytesOf(8, (view) => {
    view.setUint16(0, linkType, true);
    view.setUint32(4, snapLength, true);
  });
  const list = [
    ...textOption(PCAPNG_OPTION.interfaceName, name),
    ...textOption(PCAPNG_OPTION.interfaceDescription, description),
    tagged(PCAPNG_OPTION.interfaceTsresol, Uint8Array.of(NANOSECOND_TSRESOL)),
  ];
  return block(PCAPNG_BLOCK.interfaceDescription, [fixed, ...options(list)]);
}

function addressBytes(address: IpAddress): Uint8Array {
  const words = typeof address === 'number' ? [address] : [address.w0, address.w1, address.w2, address.w3];
  const out = new Uint8Array(words.length * 4);
  for (const [index, word] of words.entries()) write32(out, index * 4, word);
  return out;
}

function nameResolution(names: readonly AddressName[]): Uint8Array[] {
  if (names.length === 0) return [];
  const records = names.map(({ address, names: texts }) => {
    const type = typeof address === 'number' ? NAME_RECORD.ipv4 : NAME_RECORD.ipv6;
    return tagged(type, join([addressBytes(address), ...texts.map((text) => TEXT.encode(`${text}\0`))]));
  });
  return [block(PCAPNG_BLOCK.nameResolution, [...records, tagged(NAME_RECORD.end, new Uint8Array(0))])];
}

function packetBlock(packet: PcapngPacket): Uint8Array {
  const { data, direction, originalLength, time } = packet;
  if (time === undefined) {
    const fixed = bytesOf(4, (view) => view.setUint32(0, originalLength ?? data.length, true));
    return block(PCAPNG_BLOCK.simplePacket, [fixed, data]);
  }
  const timestamp = nanosecondsOf(time);
  const fixed = bytesOf(20, (view) => {
    view.setUint32(0, packet.interface, true);
    view.setUint32(4, Number(timestamp >> 32n), true);
    view.setUint32(8, Number(timestamp & 0xffff_ffffn), true);
    view.setUint32(12, data.length, true);
    view.setUint32(16, originalLength ?? data.length, true);
  });
  const flags =
    direction === undefined
      ? []
      : [
          tagged(
            PCAPNG_OPTION.packetFlags,
            bytesOf(4, (view) => view.setUint32(0, FLAG[direction], true)),
          ),
        ];
  const padding = new Uint8Array(padded(data.length) - data.length);
  return block(PCAPNG_BLOCK.enhancedPacket, [
    fixed,
    data,
    padding,
    ...options([...comments(packet.comments), ...flags]),
  ]);
}

function checkSection({ interfaces, packets }: PcapngSection): void {
  for (const { interface: index, time, data, originalLength, comments: texts, direction } of packets) {
    if (interfaces[index] === undefined) throw new RangeError(`there is no interface ${index}`);
    if (time !== undefined) continue;
    // A simple packet block belongs to the first interface and carries nothing besides the packet.
    if (index !== 0 || texts.length > 0 || direction !== undefined) {
      throw new RangeError('a packet without a time cannot have comments, a direction or another interface');
    }
    // Its captured length is not written: it follows from the other two.
    const original = originalLength ?? data.length;
    if (data.length !== Math.min(original, interfaces[0]?.snapLength || original)) {
      throw new RangeError('a packet without a time must be cut at the snap length exactly');
    }
  }
}

/**
 * The bytes of `file`. Throws RangeError for what the format cannot say: a packet of an interface that is not
 * there, a time that does not fit into 64 bits, a packet without a time (written as a simple packet block)
 * that has what such blocks have no room for. `readPcapng` gives `file` back.
 */
export function writePcapng(file: PcapngFile): Uint8Array {
  return join(
    file.sections.flatMap((section) => {
      checkSection(section);
      return [
        sectionHeader(section),
        ...section.interfaces.map(interfaceDescription),
        ...nameResolution(section.names),
        ...section.packets.map(packetBlock),
      ];
    }),
  );
}
