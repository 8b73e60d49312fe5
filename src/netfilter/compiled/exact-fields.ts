/**
 * The header fields that a rule wants to have one exact value, as far as its matches may be judged out of
 * order: only those before the first match that remembers, draws, or cannot be judged.
 */
import { type IpAddress, sameAddress } from '../../wire/ip-address.ts';
import type { AddressMatch, Match, PortTest } from '../match.ts';
import type { Rule } from '../rule-set.ts';

export interface ExactFields {
  readonly src?: IpAddress;
  readonly dst?: IpAddress;
  readonly protocol?: number;
  readonly dport?: number;
}

/** Matches whose answer depends on the packet, the entry and the host alone, and asking changes nothing. */
const PURE: ReadonlySet<Match['kind']> = new Set([
  'source',
  'destination',
  'in-device',
  'out-device',
  'protocol',
  'fragment',
  'tcp',
  'udp',
  'udplite',
  'sctp',
  'dccp',
  'icmp',
  'icmp6',
  'multiport',
  'mark',
  'connmark',
  'conntrack',
  'state',
  'addrtype',
  'comment',
  'iprange',
  'length',
  'ttl',
  'hl',
  'tos',
  'dscp',
  'pkttype',
]);

const FULL_V6 = { w0: 0xffffffff, w1: 0xffffffff, w2: 0xffffffff, w3: 0xffffffff } as const;

function exactAddress({ negate, address, mask }: AddressMatch): IpAddress | undefined {
  if (negate) return undefined;
  return sameAddress(mask, typeof mask === 'number' ? 0xffffffff : FULL_V6) ? address : undefined;
}

function exactPort(test: PortTest | undefined): number | undefined {
  return test !== undefined && !test.negate && test.from === test.to ? test.from : undefined;
}

function fieldOf(match: Match): ExactFields {
  switch (match.kind) {
    case 'source':
    case 'destination': {
      const address = exactAddress(match);
      if (address === undefined) return {};
      return match.kind === 'source' ? { src: address } : { dst: address };
    }
    case 'protocol':
      return match.negate || match.protocol === 0 ? {} : { protocol: match.protocol };
    case 'tcp':
    case 'udp':
    case 'sctp': {
      const dport = exactPort(match.dport);
      return dport === undefined ? {} : { dport };
    }
    default:
      return {};
  }
}

/** The exact fields of `rule`. Of two contradicting matches the later counts; the rule is judged anyway. */
export function exactFieldsOf(rule: Rule): ExactFields {
  let fields: ExactFields = {};
  for (const match of rule.matches) {
    if (!PURE.has(match.kind)) break;
    fields = { ...fields, ...fieldOf(match) };
  }
  return fields;
}
