/**
 * Classic pcap capture files (draft-ietf-opsawg-pcap). The writer makes what tcpdump and Wireshark read:
 * little-endian, microseconds or nanoseconds. The reader takes both byte orders and both resolutions and
 * refuses a file that is cut off or lies about its lengths, saying where.
 */
import { plainBytes } from './byte-order.ts';
import { ETHERTYPE, parseEthernet } from './ethernet.ts';
import { WireError } from './wire-error.ts';

/** Link types: Ethernet frames, or bare IPv4 and IPv6 packets (told apart by their version). */
export const LINKTYPE = { ethernet: 1, raw: 101 } as const;

/** tcpdump's own limit, which readers accept without asking. */
export const MAX_SNAPLEN = 262_144;

const FILE_HEADER = 24;
const RECORD_HEADER = 16;

/** The magic numbers as a reader of the right byte order sees them. */
const MAGIC = { micro: 0xa1b2c3d4, nano: 0xa1b23c4d } as const;

export type PcapResolution = keyof typeof MAGIC;

export interface PcapRecord {
  /** Whole seconds since the epoch (or since the emulation began). */
  readonly seconds: number;
  readonly nanoseconds: number;
  /** What was captured: the frame or packet, possibly cut off at the capture's snap length. */
  readonly data: Uint8Array;
  /** Its length on the wire; absent when `data` is all of it. */
  readonly originalLength?: number;
}

export interface PcapFile {
  readonly linkType: number;
  readonly resolution: PcapResolution;
  readonly records: readonly PcapRecord[];
}

/** The 24 bytes that begin a capture file of `linkType`. */
export function pcapHeader(linkType: number, resolution: PcapResolution = 'micro'): Uint8Array {
  const out = new Uint8Array(FILE_HEADER);
  const view = new DataView(out.buffer);
  view.setUint32(0, MAGIC[resolution], true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, MAX_SNAPLEN, true);
  view.setUint32(20, linkType, true);
  return out;
}

/** The bytes of one record; nanoseconds are cut to the file's resolution. */
export function pcapRecord(record: PcapRecord, resolution: PcapResolution = 'micro'): Uint8Array {
  const { data } = record;
  const out = new Uint8Array(RECORD_HEADER + data.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, record.seconds, true);
  const fraction = resolution === 'nano' ? record.nanoseconds : Math.floor(record.nanoseconds / 1000);
  view.setUint32(4, fraction, true);
  view.setUint32(8, data.length, true);
  view.setUint32(12, record.originalLength ?? data.length, true);
  out.set(data, RECORD_HEADER);
  return out;
}

/** A whole capture file. */
export function writePcap(file: PcapFile): Uint8Array {
  const parts = [pcapHeader(file.linkType, file.resolution)];
  for (const record of file.records) parts.push(pcapRecord(record, file.resolution));
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

interface FileHeader {
  readonly littleEndian: boolean;
  readonly resolution: PcapResolution;
  readonly linkType: number;
  readonly snapLength: number;
}

function readFileHeader(view: DataView): FileHeader {
  if (view.byteLength < FILE_HEADER) {
    throw new WireError(`pcap header cut off: ${view.byteLength} of ${FILE_HEADER} bytes`, view.byteLength);
  }
  for (const littleEndian of [true, false]) {
    const magic = view.getUint32(0, littleEndian);
    const resolution = magic === MAGIC.micro ? 'micro' : magic === MAGIC.nano ? 'nano' : undefined;
    if (resolution === undefined) continue;
    const major = view.getUint16(4, littleEndian);
    if (major !== 2) throw new WireError(`pcap version ${major}, expected 2`, 4);
    return {
      littleEndian,
      resolution,
      snapLength: view.getUint32(16, littleEndian),
      // The upper bits say how long a frame check sequence is; the type is the lower sixteen.
      linkType: view.getUint32(20, littleEndian) & 0xffff,
    };
  }
  const found = view.getUint32(0).toString(16).padStart(8, '0');
  throw new WireError(`no pcap file: it begins with ${found}, expected a1b2c3d4 or a1b23c4d`, 0);
}

function readRecord(bytes: Uint8Array, view: DataView, header: FileHeader, offset: number): PcapRecord {
  const { littleEndian, resolution } = header;
  if (offset + RECORD_HEADER > bytes.length) {
    throw new WireError(
      `pcap record header cut off: ${bytes.length - offset} of ${RECORD_HEADER} bytes`,
      offset,
    );
  }
  const fraction = view.getUint32(offset + 4, littleEndian);
  const captured = view.getUint32(offset + 8, littleEndian);
  const originalLength = view.getUint32(offset + 12, littleEndian);
  const perSecond = resolution === 'nano' ? 1e9 : 1e6;
  if (fraction >= perSecond) {
    throw new WireError(
      `pcap record has ${fraction} ${resolution}seconds, expected below ${perSecond}`,
      offset + 4,
    );
  }
  // A snap length of 0 is written by some tools and means none.
  const limit = Math.max(header.snapLength, MAX_SNAPLEN);
  if (captured > limit) {
    throw new WireError(`pcap record of ${captured} bytes, expected at most ${limit}`, offset + 8);
  }
  const start = offset + RECORD_HEADER;
  if (start + captured > bytes.length) {
    throw new WireError(`pcap record cut off: ${bytes.length - start} of ${captured} bytes`, offset);
  }
  return {
    seconds: view.getUint32(offset, littleEndian),
    nanoseconds: resolution === 'nano' ? fraction : fraction * 1000,
    data: bytes.slice(start, start + captured),
    ...(originalLength === captured ? {} : { originalLength }),
  };
}

/** Reads a capture file. Throws WireError, naming the offset, for anything but a whole one. */
export function readPcap(file: Uint8Array): PcapFile {
  const bytes = plainBytes(file);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = readFileHeader(view);
  const records: PcapRecord[] = [];
  let offset = FILE_HEADER;
  while (offset < bytes.length) {
    const record = readRecord(bytes, view, header, offset);
    records.push(record);
    offset += RECORD_HEADER + record.data.length;
  }
  return { linkType: header.linkType, resolution: header.resolution, records };
}

/**
 * The IP packet inside a captured frame, ready for `parsePacket`; undefined when the frame carries something
 * else (ARP). Throws WireError for a cut-off Ethernet header and for link types other than LINKTYPE's.
 */
export function ipBytesOf(linkType: number, data: Uint8Array): Uint8Array | undefined {
  if (linkType === LINKTYPE.raw) return data;
  if (linkType !== LINKTYPE.ethernet) {
    throw new WireError(`link type ${linkType}, expected 1 (Ethernet) or 101 (raw IP)`, 20);
  }
  const { etherType, payload } = parseEthernet(data);
  return etherType === ETHERTYPE.ipv4 || etherType === ETHERTYPE.ipv6 ? payload : undefined;
}
