/** Matches on what the IP header says: addresses, protocol, fragments, sizes, TTL, TOS; and on the devices. */

import { ipLength } from '../../wire/headers.ts';
import { compareAddress, type IpAddress, maskAddress, sameAddress } from '../../wire/ip-address.ts';
import { protocolOf } from '../../wire/packet.ts';
import type {
  AddressMatch,
  AddressRange,
  DeviceMatch,
  DscpMatch,
  FragmentMatch,
  IprangeMatch,
  LengthMatch,
  NumberRange,
  PkttypeMatch,
  PortTest,
  ProtocolMatch,
  TosMatch,
  TtlMatch,
} from '../match.ts';
import { lacksTransportHeader } from '../ports.ts';
import type { Skb } from '../skb.ts';
import type { Evaluator } from './environment.ts';

/** True when `value` lies in `range`, both ends included. */
export function inRange(value: number, range: NumberRange): boolean {
  return value >= range.from && value <= range.to;
}

/** True when `(address & mask) == wanted`; false across families. */
export function addressMatches(address: IpAddress, wanted: IpAddress, mask: IpAddress): boolean {
  if (typeof address !== typeof mask) return false;
  return sameAddress(maskAddress(address, mask), wanted);
}

/** A port test with its `!`; an absent test holds. */
export function portMatches(port: number, test: PortTest | undefined): boolean {
  return test === undefined || inRange(port, test) !== test.negate;
}

/** True when `ifname` is the match's device; an absent device has the empty name. */
export function deviceMatches(ifname: string | undefined, name: string, wildcard: boolean): boolean {
  const actual = ifname ?? '';
  return wildcard ? actual.startsWith(name) : actual === name;
}

export const matchAddress: Evaluator<AddressMatch> = (match, skb) => {
  const address = match.kind === 'source' ? skb.packet.src : skb.packet.dst;
  return addressMatches(address, match.address, match.mask) !== match.negate;
};

export const matchDevice: Evaluator<DeviceMatch> = (match, skb) => {
  const ifname = match.kind === 'in-device' ? skb.inDevice : skb.outDevice;
  return deviceMatches(ifname, match.ifname, match.wildcard) !== match.negate;
};

export const matchProtocol: Evaluator<ProtocolMatch> = (match, skb) =>
  (match.protocol === 0 || protocolOf(skb.packet) === match.protocol) !== match.negate;

export const matchFragment: Evaluator<FragmentMatch> = (match, skb) =>
  lacksTransportHeader(skb.packet) !== match.negate;

function inAddressRange(address: IpAddress, range: AddressRange): boolean {
  return compareAddress(address, range.from) >= 0 && compareAddress(address, range.to) <= 0;
}

export const matchIprange: Evaluator<IprangeMatch> = (match, skb) => {
  const { source, destination } = match;
  if (source !== undefined && inAddressRange(skb.packet.src, source) === source.negate) return false;
  return destination === undefined || inAddressRange(skb.packet.dst, destination) !== destination.negate;
};

export const matchLength: Evaluator<LengthMatch> = (match, skb) =>
  inRange(ipLength(skb.packet), match.length) !== match.negate;

export const matchTtl: Evaluator<TtlMatch> = (match, skb) => {
  const { ttl } = skb.packet;
  switch (match.operator) {
    case 'eq':
      return ttl === match.value;
    case 'ne':
      return ttl !== match.value;
    case 'lt':
      return ttl < match.value;
    case 'gt':
      return ttl > match.value;
  }
};

export const matchTos: Evaluator<TosMatch> = (match, skb) =>
  ((skb.packet.tos & match.mask) === match.value) !== match.negate;

export const matchDscp: Evaluator<DscpMatch> = (match, skb) =>
  (skb.packet.tos >> 2 === match.value) !== match.negate;

/** Packets looped back by the host itself count by their destination (xt_pkttype). */
function packetType(skb: Skb): PkttypeMatch['type'] | 'other-host' {
  if (skb.packetType === 'host') return 'unicast';
  return skb.packetType;
}

export const matchPkttype: Evaluator<PkttypeMatch> = (match, skb) =>
  (packetType(skb) === match.type) !== match.negate;
