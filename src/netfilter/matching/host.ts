/** Matches on how the host sees the packet: address types, bridge ports, sets. */

import type { IpAddress } from '../../wire/ip-address.ts';
import type { AddressTypeTest, AddrtypeMatch, PhysdevMatch } from '../match.ts';
import type { BridgeInfo } from '../skb.ts';
import type { Evaluator, MatchEnvironment } from './environment.ts';
import { deviceMatches } from './headers.ts';

function typeMatches(
  address: IpAddress,
  test: AddressTypeTest | undefined,
  device: string | undefined,
  env: MatchEnvironment,
): boolean {
  return test === undefined || env.host.isOfType(address, test.types, device) !== test.negate;
}

export const matchAddrtype: Evaluator<AddrtypeMatch> = (match, skb, env) => {
  let device: string | undefined;
  if (match.limitDevice === 'in') device = skb.inDevice ?? '';
  else if (match.limitDevice === 'out') device = skb.outDevice ?? '';
  const { src, dst } = skb.packet;
  return typeMatches(src, match.source, device, env) && typeMatches(dst, match.destination, device, env);
};

type PortTest = NonNullable<PhysdevMatch['inDevice']>;

function flagHolds(actual: boolean, test: { readonly negate: boolean } | undefined): boolean {
  return test === undefined || actual !== test.negate;
}

function portHolds(port: string, { ifname, wildcard, negate }: PortTest): boolean {
  return deviceMatches(port, ifname, wildcard) !== negate;
}

function matchPorts(match: PhysdevMatch, { inPort, outPort }: BridgeInfo): boolean {
  const { inDevice, outDevice, isIn, isOut, isBridged } = match;
  const leaves = outPort !== undefined;
  if (!flagHolds(leaves, isBridged) || !flagHolds(true, isIn) || !flagHolds(leaves, isOut)) return false;
  if (inDevice !== undefined && !portHolds(inPort, inDevice)) return false;
  // Without a port to leave by even the negated test fails.
  return outDevice === undefined || (leaves && portHolds(outPort, outDevice));
}

/** Packets that did not cross a bridge have no bridge port: only negated tests hold (xt_physdev). */
export const matchPhysdev: Evaluator<PhysdevMatch> = (match, { bridge }) => {
  if (bridge !== undefined) return matchPorts(match, bridge);
  const { inDevice, outDevice, isIn, isOut, isBridged } = match;
  return [inDevice, outDevice, isIn, isOut, isBridged].every((test) => test === undefined || test.negate);
};
