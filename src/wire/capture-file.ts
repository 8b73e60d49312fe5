/** Capture files of either format, told apart by their first bytes, as one list of packets. */
import { plainBytes, read32 } from './byte-order.ts';
import { LINKTYPE, readPcap } from './pcap.ts';
import { type CaptureTime, PCAPNG_BLOCK } from './pcapng.ts';
import { readPcapng } from './pcapng-read.ts';
import { WireError } from './wire-error.ts';

export interface CapturedPacket {
  /** From 1, as readers number them ("frame 7"). */
  readonly number: number;
  readonly linkType: number;
  /** The interface it was captured at, when the file names it. */
  readonly ifname?: string;
  /** Absent where the file has none (pcapng's simple packets). */
  readonly time?: CaptureTime;
  readonly data: Uint8Array;
  readonly originalLength?: number;
  readonly comments: readonly string[];
}

/** The first word of a classic file: microseconds or nanoseconds, in either byte order. */
const PCAP_MAGIC: ReadonlySet<number> = new Set([0xa1b2c3d4, 0xa1b23c4d, 0xd4c3b2a1, 0x4d3cb2a1]);

function readClassic(bytes: Uint8Array): CapturedPacket[] {
  const { linkType, records } = readPcap(bytes);
  return records.map(({ seconds, nanoseconds, ...rest }, index) => ({
    number: index + 1,
    linkType,
    time: { seconds, nanoseconds },
    comments: [],
    ...rest,
  }));
}

function readNext(bytes: Uint8Array): CapturedPacket[] {
  const packets = readPcapng(bytes).sections.flatMap((section) =>
    section.packets.map(({ interface: index, direction: _, ...packet }) => {
      const { linkType = LINKTYPE.raw, name } = section.interfaces[index] ?? {};
      return { linkType, ...(name === undefined ? {} : { ifname: name }), ...packet };
    }),
  );
  return packets.map((packet, index) => ({ number: index + 1, ...packet }));
}

/**
 * The packets of a pcap or pcapng file, in order. Throws WireError, naming the offset and what was expected,
 * when it is neither, cut off or damaged.
 */
export function readCaptureFile(file: Uint8Array): readonly CapturedPacket[] {
  const bytes = plainBytes(file);
  const magic = read32(bytes, 0);
  if (magic === PCAPNG_BLOCK.sectionHeader) return readNext(bytes);
  if (PCAP_MAGIC.has(magic)) return readClassic(bytes);
  const found = bytes.length < 4 ? `${bytes.length} bytes` : magic.toString(16).padStart(8, '0');
  throw new WireError(`no capture file: found ${found}, expected the magic number of pcap or pcapng`, 0);
}
