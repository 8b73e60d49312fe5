/** Matches on how the host sees the packet: address types, bridge ports, sets. */

import type { IpAddress } from '../../wire/ip-address.ts';
import type { AddressTypeTest, AddrtypeMatch, PhysdevMatch } from '../match.ts';
import type { Evaluator, MatchEnvironment } from './environment.ts';

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

/** Packets that did not cross a bridge have no bridge port: only negated tests hold (xt_physdev). */
export const matchPhysdev: Evaluator<PhysdevMatch> = (match) => {
  const { inDevice, outDevice, isIn, isOut, isBridged } = match;
  return [inDevice, outDevice, isIn, isOut, isBridged].every((test) => test === undefined || test.negate);
};
