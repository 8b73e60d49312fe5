/**
 * pcapng capture files (draft-ietf-opsawg-pcapng) as values.
 *
 *   PcapngFile ─▶ sections ─┬▶ interfaces   one a device or hook, each with a link type and a name
 *                           ├▶ names        addresses and what they are called
 *                           └▶ packets      with comments: why this packet went where it went
 *
 * `writePcapng` (pcapng-write.ts) and `readPcapng` (pcapng-read.ts) take them to bytes and back. What they
 * do not model (statistics, decryption secrets, custom blocks and options) is not written, and skipped when read.
 */
import type { IpAddress } from './ip-address.ts';

/** Block types. */
export const PCAPNG_BLOCK = {
  sectionHeader: 0x0a0d0d0a,
  interfaceDescription: 1,
  /** Obsolete since 2004, still found in old files. */
  packet: 2,
  simplePacket: 3,
  nameResolution: 4,
  enhancedPacket: 6,
} as const;

/** In a section header, as a reader of the right byte order sees it. */
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

export const PCAPNG_VERSION = { major: 1, minor: 0 } as const;

/** Option codes; their meaning depends on the block, apart from the first two. */
export const PCAPNG_OPTION = {
  end: 0,
  comment: 1,
  sectionHardware: 2,
  sectionOs: 3,
  sectionApplication: 4,
  interfaceName: 2,
  interfaceDescription: 3,
  interfaceTsresol: 9,
  interfaceTsoffset: 14,
  packetFlags: 2,
} as const;

/** Time since the epoch (or since the emulation began). */
export interface CaptureTime {
  /** Whole seconds; negative only in files whose interface has a negative offset. */
  readonly seconds: number;
  /** 0 to 999,999,999. */
  readonly nanoseconds: number;
}

export interface PcapngInterface {
  /** LINKTYPE of pcap.ts. */
  readonly linkType: number;
  /** The longest packet it keeps, in bytes; 0: no limit. */
  readonly snapLength: number;
  readonly name?: string;
  readonly description?: string;
}

/** Which way a packet went, seen from the interface (bits 0 and 1 of epb_flags). */
export type CaptureDirection = 'inbound' | 'outbound';

export interface PcapngPacket {
  /** Index into the section's interfaces. */
  readonly interface: number;
  /** Absent for simple packet blocks, which have none. */
  readonly time?: CaptureTime;
  /** What was captured, possibly cut off at the snap length. */
  readonly data: Uint8Array;
  /** Its length on the wire; absent when `data` is all of it. */
  readonly originalLength?: number;
  readonly direction?: CaptureDirection;
  readonly comments: readonly string[];
}

export interface AddressName {
  readonly address: IpAddress;
  /** At least one. */
  readonly names: readonly string[];
}

export interface PcapngSection {
  readonly hardware?: string;
  readonly os?: string;
  /** The program that wrote it. */
  readonly application?: string;
  readonly comments: readonly string[];
  readonly interfaces: readonly PcapngInterface[];
  readonly names: readonly AddressName[];
  readonly packets: readonly PcapngPacket[];
}

export interface PcapngFile {
  /** At least one. */
  readonly sections: readonly PcapngSection[];
}
