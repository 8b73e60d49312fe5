/** The packets of a capture file, ready to be sent: times made virtual, frames taken off. */

import { read16 } from '../../wire/byte-order.ts';
import type { CapturedPacket } from '../../wire/capture-file.ts';
import { ETHERTYPE, parseEthernet } from '../../wire/ethernet.ts';
import { parsePacket } from '../../wire/headers.ts';
import type { MacAddress } from '../../wire/mac.ts';
import type { Packet } from '../../wire/packet.ts';
import { WireError } from '../../wire/wire-error.ts';

export interface ReplayPacket {
  /** Its number in the capture, from 1. */
  readonly frame: number;
  /** Seconds after the first packet. */
  readonly time: number;
  readonly packet: Packet;
  /** Whom the frame was for; absent in captures without Ethernet headers. */
  readonly destination?: MacAddress;
}

/** A packet of the capture that cannot be sent, and why. */
export interface SkippedPacket {
  readonly frame: number;
  readonly reason: string;
}

interface Payload {
  /** An EtherType; undefined: IP, by its version. */
  readonly type: number | undefined;
  readonly bytes: Uint8Array;
  readonly destination?: MacAddress;
}

/** "Linux cooked" captures, as `tcpdump -i any` makes them: fixed headers that end in or begin with an EtherType. */
const COOKED_HEADER = 16;
const COOKED2_HEADER = 20;
/** BSD loopback: the address family, in the byte order of whoever captured. */
const NULL_HEADER = 4;

/** How to find the packet, by link type (https://www.tcpdump.org/linktypes.html). */
const PAYLOADS: Readonly<Record<number, (data: Uint8Array) => Payload>> = {
  0: (data) => ({ type: undefined, bytes: data.subarray(NULL_HEADER) }),
  1: (data) => {
    const { etherType, payload, destination } = parseEthernet(data);
    return { type: etherType, bytes: payload, destination };
  },
  12: (data) => ({ type: undefined, bytes: data }),
  101: (data) => ({ type: undefined, bytes: data }),
  113: (data) => ({ type: read16(data, COOKED_HEADER - 2), bytes: data.subarray(COOKED_HEADER) }),
  228: (data) => ({ type: ETHERTYPE.ipv4, bytes: data }),
  229: (data) => ({ type: ETHERTYPE.ipv6, bytes: data }),
  276: (data) => ({ type: read16(data, 0), bytes: data.subarray(COOKED2_HEADER) }),
};

/** True for link types whose packets can be replayed. */
export function isReplayable(linkType: number): boolean {
  return PAYLOADS[linkType] !== undefined;
}

function readOne({ linkType, data }: CapturedPacket): Payload & { readonly packet: Packet } {
  const payload = PAYLOADS[linkType]?.(data);
  if (payload === undefined) throw new WireError(`link type ${linkType}`, 0);
  const { type } = payload;
  if (type !== undefined && type !== ETHERTYPE.ipv4 && type !== ETHERTYPE.ipv6) {
    const name = type === ETHERTYPE.arp ? 'ARP' : `EtherType 0x${type.toString(16).padStart(4, '0')}`;
    throw new WireError(`${name}, no IP packet`, 0);
  }
  return { ...payload, packet: parsePacket(payload.bytes) };
}

/**
 * The IP packets among `captured`, and what is left out: other protocols, packets cut off by the capture,
 * bytes that are no packet. Time never goes back, and begins with 0.
 */
export function replayPackets(captured: readonly CapturedPacket[]): {
  readonly packets: readonly ReplayPacket[];
  readonly skipped: readonly SkippedPacket[];
} {
  const packets: ReplayPacket[] = [];
  const skipped: SkippedPacket[] = [];
  const first = captured.find(({ time }) => time !== undefined)?.time ?? { seconds: 0, nanoseconds: 0 };
  let now = 0;
  for (const each of captured) {
    const { time = { seconds: first.seconds + now, nanoseconds: first.nanoseconds }, number } = each;
    const after = time.seconds - first.seconds + (time.nanoseconds - first.nanoseconds) / 1e9;
    now = Math.max(now, each.time === undefined ? now : after);
    try {
      const { packet, destination } = readOne(each);
      packets.push({
        frame: number,
        time: now,
        packet,
        ...(destination === undefined ? {} : { destination }),
      });
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const reason =
        each.originalLength !== undefined && each.originalLength > each.data.length
          ? `cut off by the capture: ${each.data.length} of ${each.originalLength} bytes`
          : error.message.replace(/ at byte 0$/, '');
      skipped.push({ frame: number, reason });
    }
  }
  return { packets, skipped };
}
