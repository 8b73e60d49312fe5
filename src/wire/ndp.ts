/** Neighbour solicitations and advertisements (RFC 4861 §4.3, §4.4, §4.6.1), which are ICMPv6 messages. */
import { read32, write32 } from './byte-order.ts';
import { ICMPV6 } from './icmp.ts';
import { type Ipv6Address, ipv6 } from './ip-address.ts';
import { type MacAddress, readMac, writeMac } from './mac.ts';
import type { IcmpMessage, Packet } from './packet.ts';

export type NdpMessage =
  | {
      readonly kind: 'solicitation';
      readonly target: Ipv6Address;
      /** Link address of the one who asks; absent when it has no address yet (duplicate address detection). */
      readonly sourceMac?: MacAddress;
    }
  | {
      readonly kind: 'advertisement';
      readonly target: Ipv6Address;
      readonly targetMac?: MacAddress;
      readonly router: boolean;
      /** It answers a solicitation: the target is reachable in both directions. */
      readonly solicited: boolean;
      /** The link address replaces one that is known. */
      readonly override: boolean;
    };

/** Neighbour discovery travels with this hop limit only: what came through a router has less (§7.1). */
export const NDP_HOP_LIMIT = 255;

const OPTION = { sourceLinkAddress: 1, targetLinkAddress: 2 } as const;
/** Bits of an advertisement's first 16-bit word. */
const FLAG = { router: 0x8000, solicited: 0x4000, override: 0x2000 } as const;
const TARGET_LENGTH = 16;
const LINK_OPTION_LENGTH = 8;

/** The link address in the option of `type`; `malformed` when options are cut off or of length 0 (§7.1.1). */
function linkAddress(options: Uint8Array, type: number): MacAddress | undefined | 'malformed' {
  let found: MacAddress | undefined;
  for (let at = 0; at < options.length; ) {
    const length = (options[at + 1] ?? 0) * 8;
    if (length === 0 || at + length > options.length) return 'malformed';
    if (options[at] === type && length === LINK_OPTION_LENGTH) found ??= readMac(options, at + 2);
    at += length;
  }
  return found;
}

/** The neighbour discovery message in `packet`; undefined when it is another packet, or one to be ignored (§7.1). */
export function parseNdp({ src, ttl, corrupt, transport }: Packet): NdpMessage | undefined {
  if (typeof src === 'number' || transport.kind !== 'icmp' || corrupt !== undefined) return undefined;
  const { type, code, id, data } = transport;
  const isSolicitation = type === ICMPV6.neighbourSolicitation;
  if (!isSolicitation && type !== ICMPV6.neighbourAdvertisement) return undefined;
  if (ttl !== NDP_HOP_LIMIT || code !== 0 || data.length < TARGET_LENGTH) return undefined;
  const target = ipv6(read32(data, 0), read32(data, 4), read32(data, 8), read32(data, 12));
  if (target.w0 >>> 24 === 0xff) return undefined;
  const options = data.subarray(TARGET_LENGTH);
  const mac = linkAddress(options, isSolicitation ? OPTION.sourceLinkAddress : OPTION.targetLinkAddress);
  if (mac === 'malformed') return undefined;
  if (isSolicitation)
    return { kind: 'solicitation', target, ...(mac === undefined ? {} : { sourceMac: mac }) };
  return {
    kind: 'advertisement',
    target,
    ...(mac === undefined ? {} : { targetMac: mac }),
    router: (id & FLAG.router) !== 0,
    solicited: (id & FLAG.solicited) !== 0,
    override: (id & FLAG.override) !== 0,
  };
}

function body(target: Ipv6Address, option: number, mac: MacAddress | undefined): Uint8Array {
  const data = new Uint8Array(TARGET_LENGTH + (mac === undefined ? 0 : LINK_OPTION_LENGTH));
  for (const [index, word] of [target.w0, target.w1, target.w2, target.w3].entries())
    write32(data, index * 4, word);
  if (mac !== undefined) {
    data[TARGET_LENGTH] = option;
    data[TARGET_LENGTH + 1] = 1;
    writeMac(data, TARGET_LENGTH + 2, mac);
  }
  return data;
}

/** The ICMPv6 message that says `message`. */
export function ndpMessage(message: NdpMessage): IcmpMessage {
  const { target } = message;
  const base = { kind: 'icmp', code: 0, sequence: 0 } as const;
  if (message.kind === 'solicitation') {
    const data = body(target, OPTION.sourceLinkAddress, message.sourceMac);
    return { ...base, type: ICMPV6.neighbourSolicitation, id: 0, data };
  }
  const { router, solicited, override } = message;
  const id = (router ? FLAG.router : 0) | (solicited ? FLAG.solicited : 0) | (override ? FLAG.override : 0);
  const data = body(target, OPTION.targetLinkAddress, message.targetMac);
  return { ...base, type: ICMPV6.neighbourAdvertisement, id, data };
}

/** The packet that carries `message`. */
export function ndpPacket(src: Ipv6Address, dst: Ipv6Address, message: NdpMessage): Packet {
  const transport = ndpMessage(message);
  return { src, dst, ttl: NDP_HOP_LIMIT, tos: 0, id: 0, dontFragment: false, transport };
}

/** The group on which neighbours look for `address` (RFC 4291 §2.7.1). */
export function solicitedNodeGroup(address: Ipv6Address): Ipv6Address {
  return ipv6(0xff020000, 0, 1, 0xff000000 | (address.w3 & 0xffffff));
}
