/**
 * What was captured, at one place or many, until it becomes a file. Comments may be added to a packet after
 * it was captured: what becomes of it is known later.
 */
import { emitFrame, type Frame } from '../../wire/frame.ts';
import { emitPacket } from '../../wire/headers.ts';
import type { Packet } from '../../wire/packet.ts';
import { LINKTYPE, MAX_SNAPLEN, writePcap } from '../../wire/pcap.ts';
import type { AddressName, CaptureDirection, CaptureTime, PcapngInterface } from '../../wire/pcapng.ts';
import { writePcapng } from '../../wire/pcapng-write.ts';

/** A place where packets are captured: a device, or a netfilter hook of a namespace. */
export interface CapturePlace {
  /** `node/worker-1:eth0`, `node/worker-1 nf:prerouting`. */
  readonly name: string;
  readonly linkType: (typeof LINKTYPE)[keyof typeof LINKTYPE];
  readonly description?: string;
}

/** A packet in the log, open for comments. */
export interface LoggedPacket {
  readonly place: CapturePlace;
  readonly time: CaptureTime;
  readonly data: Uint8Array;
  readonly direction: CaptureDirection | undefined;
  readonly comments: string[];
}

export interface Sighting {
  /** Virtual seconds. */
  readonly time: number;
  readonly direction?: CaptureDirection;
  readonly comments?: readonly string[];
}

/** The seconds of a virtual clock as a capture has them. */
export function captureTime(seconds: number): CaptureTime {
  const whole = Math.floor(seconds);
  const nanoseconds = Math.round((seconds - whole) * 1e9);
  return nanoseconds >= 1e9 ? { seconds: whole + 1, nanoseconds: 0 } : { seconds: whole, nanoseconds };
}

export class CaptureLog {
  readonly #packets: LoggedPacket[] = [];

  /** Everything captured so far, in order. */
  get packets(): readonly LoggedPacket[] {
    return this.#packets;
  }

  /** A frame was seen at `place`; places of link type raw keep the packet inside, if there is one. */
  frame(place: CapturePlace, frame: Frame, sighting: Sighting): LoggedPacket | undefined {
    if (place.linkType === LINKTYPE.ethernet) return this.#add(place, emitFrame(frame), sighting);
    return frame.payload.kind === 'ip' ? this.packet(place, frame.payload.packet, sighting) : undefined;
  }

  /** A bare packet was seen at `place`, which must be of link type raw. */
  packet(place: CapturePlace, packet: Packet, sighting: Sighting): LoggedPacket {
    return this.#add(place, emitPacket(packet), sighting);
  }

  #add(place: CapturePlace, data: Uint8Array, { time, direction, comments = [] }: Sighting): LoggedPacket {
    const logged = { place, time: captureTime(time), data, direction, comments: [...comments] };
    this.#packets.push(logged);
    return logged;
  }

  /** The log as a pcapng file: an interface a place, and the names of addresses. */
  toPcapng(names: readonly AddressName[] = []): Uint8Array {
    const places = [...new Set(this.#packets.map(({ place }) => place))];
    const interfaces = places.map(
      ({ name, linkType, description }): PcapngInterface => ({
        linkType,
        snapLength: MAX_SNAPLEN,
        name,
        ...(description === undefined ? {} : { description }),
      }),
    );
    const packets = this.#packets.map(({ place, time, data, direction, comments }) => ({
      interface: places.indexOf(place),
      time,
      data,
      comments,
      ...(direction === undefined ? {} : { direction }),
    }));
    const section = { application: 'kubewire', comments: [], interfaces, names, packets };
    return writePcapng({ sections: [section] });
  }

  /**
   * The log as a classic pcap file, which has one link type: that of its places, or raw IP where they differ
   * (what is no IP packet is left out then). Comments, names and places are lost.
   */
  toPcap(): Uint8Array {
    const types = new Set(this.#packets.map(({ place }) => place.linkType));
    const linkType = types.size === 1 && types.has(LINKTYPE.ethernet) ? LINKTYPE.ethernet : LINKTYPE.raw;
    const records = this.#packets.flatMap(({ place, time, data }) => {
      const bytes = linkType === place.linkType ? data : packetIn(data);
      return bytes === undefined ? [] : [{ ...time, data: bytes }];
    });
    return writePcap({ linkType, resolution: 'nano', records });
  }
}

const ETHERNET_HEADER = 14;

/** The packet in the bytes of an untagged frame. */
function packetIn(frame: Uint8Array): Uint8Array | undefined {
  const type = ((frame[12] ?? 0) << 8) | (frame[13] ?? 0);
  return type === 0x0800 || type === 0x86dd ? frame.subarray(ETHERNET_HEADER) : undefined;
}
