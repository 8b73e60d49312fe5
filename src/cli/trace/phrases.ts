/** Packets, rules and entries in the words a network engineer expects; no layout here. */
import type { ConntrackSnapshot, RuleEffect } from '../../netfilter/events.ts';
import type { Rule } from '../../netfilter/rule-set.ts';
import type { Tuple } from '../../netfilter/tuple.ts';
import type { Route } from '../../netstack/route-table.ts';
import { formatRuleBody } from '../../ruletext/format-rule.ts';
import { formatIpAddress, type IpAddress } from '../../wire/ip-address.ts';
import { formatIpPrefix } from '../../wire/ip-prefix.ts';
import type { Packet } from '../../wire/packet.ts';
import { TCP_FLAG } from '../../wire/protocol.ts';

/** `10.0.0.1:80`, `[fd00::1]:80`, or the address alone. */
export function socketText(address: IpAddress, port?: number): string {
  const text = formatIpAddress(address);
  if (port === undefined) return text;
  return typeof address === 'number' ? `${text}:${port}` : `[${text}]:${port}`;
}

const FLAG_NAMES = ['SYN', 'FIN', 'RST', 'PSH', 'URG', 'ACK'] as const;

const ICMP_NAMES: Readonly<Record<string, string>> = {
  'v4 0': 'echo reply',
  'v4 3': 'destination unreachable',
  'v4 5': 'redirect',
  'v4 8': 'echo request',
  'v4 11': 'time exceeded',
  'v6 1': 'destination unreachable',
  'v6 2': 'packet too big',
  'v6 3': 'time exceeded',
  'v6 128': 'echo request',
  'v6 129': 'echo reply',
};

/** What kind of packet it is: `SYN-ACK`, `UDP`, `ICMP echo request id 7`. */
export function kindText({ transport, src }: Packet): string {
  switch (transport.kind) {
    case 'tcp':
      return FLAG_NAMES.filter((name) => transport.flags & TCP_FLAG[name]).join('-') || 'no flags';
    case 'icmp': {
      const name = ICMP_NAMES[`${typeof src === 'number' ? 'v4' : 'v6'} ${transport.type}`];
      const kind = name ?? `type ${transport.type}`;
      const about = transport.quoted === undefined ? ` id ${transport.id}` : `, code ${transport.code}`;
      return `ICMP ${kind}${about}`;
    }
    case 'udp':
    case 'sctp':
      return transport.kind.toUpperCase();
    case 'opaque':
      return `protocol ${transport.protocol}`;
  }
}

/** `10.244.1.5:40000 → 10.96.0.10:80` */
export function endsText({ src, dst, transport }: Packet): string {
  const ports = 'sport' in transport ? transport : undefined;
  return `${socketText(src, ports?.sport)} → ${socketText(dst, ports?.dport)}`;
}

export function tupleText({ src, dst, sport, dport, protocol }: Tuple): string {
  // An ICMP tuple holds an identifier and a type where others hold ports.
  if (protocol === 1 || protocol === 58) return `${socketText(src)} → ${socketText(dst)} id ${sport}`;
  return `${socketText(src, sport)} → ${socketText(dst, dport)}`;
}

/** The entry as `conntrack -L` puts it, shorter. */
export function entryText({ original, reply }: ConntrackSnapshot): string {
  return `${tupleText(original)}, replies as ${tupleText(reply)}`;
}

/** `10.244.2.0/24 via 172.18.0.3 dev eth0`, as `ip route` prints it. */
export function routeText(route: Route | undefined, destination: IpAddress): string {
  if (route === undefined) return `no route to ${formatIpAddress(destination)}`;
  const { type, prefix, gateway, device } = route;
  const what = prefix.length === 0 ? 'default' : formatIpPrefix(prefix);
  const kind = type === 'unicast' ? '' : `${type} `;
  const via = gateway === undefined ? '' : ` via ${formatIpAddress(gateway)}`;
  return `${kind}${what}${via}${device === '' ? '' : ` dev ${device}`}`;
}

function markText(mark: number): string {
  return `0x${mark.toString(16)}`;
}

function endText(tuple: Tuple, manip: 'source' | 'destination'): string {
  const icmp = tuple.protocol === 1 || tuple.protocol === 58;
  if (manip === 'source') return socketText(tuple.src, icmp ? undefined : tuple.sport);
  return socketText(tuple.dst, icmp ? undefined : tuple.dport);
}

/** What a rule did: `→ KUBE-SERVICES`, `DNAT 10.96.0.10:80 ⇒ 10.244.2.6:8080`. */
export function effectText(effect: RuleEffect, rule: Rule): string {
  switch (effect.kind) {
    case 'jump':
      return `→ ${effect.chain}`;
    case 'goto':
      return `⇢ ${effect.chain}`;
    case 'reject':
      return `REJECT with ${effect.with}`;
    case 'mark':
    case 'ctmark':
      return `${effect.kind} ${markText(effect.before)} ⇒ ${markText(effect.after)}`;
    case 'nat': {
      const { manip, before, after, random } = effect;
      const name = rule.target.kind.toUpperCase();
      return `${name} ${endText(before, manip)} ⇒ ${endText(after, manip)}${random ? ' (random port)' : ''}`;
    }
    case 'unsupported':
      return effect.reason;
    case 'continue':
      return rule.target.kind === 'none' ? '(no target)' : rule.target.kind.toUpperCase();
    default:
      return effect.kind.toUpperCase();
  }
}

/** Probabilities are programmed in units of 2^-31. */
const STATISTIC_ONE = 2 ** 31;

/** Why the rule is there: its comment, else what it matches; and the odds when it drew. */
export function noteText(rule: Rule): string {
  const comment = rule.matches.find((match) => match.kind === 'comment');
  const statistic = rule.matches.find((match) => match.kind === 'statistic');
  const body = formatRuleBody({ ...rule, target: { kind: 'none' } }).trim();
  const note = comment?.kind === 'comment' ? comment.text : body;
  if (statistic?.kind !== 'statistic' || statistic.mode !== 'random') return note;
  return `${note}   p ${(statistic.probability / STATISTIC_ONE).toFixed(4)}`;
}
