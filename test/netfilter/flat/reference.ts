/** What the reference engine says of a packet at one hook of one table, in the words of the flat engines. */

import { SeededChoices } from '../../../src/netfilter/choices.ts';
import type { NetfilterEvent } from '../../../src/netfilter/events.ts';
import { explore, mergeOutcomes, type Outcome } from '../../../src/netfilter/explore.ts';
import type { Batch } from '../../../src/netfilter/flat/batch.ts';
import type { CompiledTable } from '../../../src/netfilter/flat/compile.ts';
import { CT_BIT, RESULT } from '../../../src/netfilter/flat/layout.ts';
import type { FlatOutcome } from '../../../src/netfilter/flat/outcomes.ts';
import type { Hook } from '../../../src/netfilter/hooks.ts';
import type { HostView } from '../../../src/netfilter/host-view.ts';
import { Netfilter } from '../../../src/netfilter/netfilter.ts';
import type { RuleSet, TableName } from '../../../src/netfilter/rule-set.ts';
import { Skb } from '../../../src/netfilter/skb.ts';
import { toRuleSet } from '../../../src/ruletext/load-rules.ts';
import { parseRules } from '../../../src/ruletext/parse-rules.ts';
import { Clock } from '../../../src/sim/clock.ts';
import { Random } from '../../../src/sim/random.ts';
import { familyOf, formatIpAddress, type IpAddress, ipv6 } from '../../../src/wire/ip-address.ts';
import { hostPrefix, type IpPrefix, parseIpPrefix, prefixContains } from '../../../src/wire/ip-prefix.ts';
import { NO_BYTES, type Packet, type Transport } from '../../../src/wire/packet.ts';
import { PROTOCOL, TCP_FLAG } from '../../../src/wire/protocol.ts';

/** A packet as the columns describe it. */
export interface FlatPacket {
  readonly src: IpAddress;
  readonly dst: IpAddress;
  readonly protocol: number;
  readonly sport: number;
  readonly dport: number;
  readonly mark: number;
  /** What conntrack is to say of it where it is not asked itself. */
  readonly state: 'NEW' | 'ESTABLISHED' | 'RELATED';
  readonly translated: boolean;
}

/** A host whose local addresses are those of `locals`. */
export interface Place {
  readonly table: TableName;
  readonly hook: Hook;
  readonly locals: readonly IpPrefix[];
  readonly inDevice: string;
  readonly outDevice: string;
}

export const HOST_ADDRESSES: readonly IpPrefix[] = [
  parseIpPrefix('127.0.0.0/8'),
  parseIpPrefix('172.18.0.2/32'),
  parseIpPrefix('10.244.1.1/32'),
  parseIpPrefix('fd00:18::2/128'),
  hostPrefix(ipv6(0, 0, 0, 1)),
];

function hostOf({ locals }: Place): HostView {
  const own = (like: IpAddress) => locals.find((prefix) => typeof prefix.address === typeof like)?.address;
  return {
    isOfType: (address, types) =>
      types.includes('LOCAL') && locals.some((prefix) => prefixContains(prefix, address)),
    masqueradeAddress: (_device, nextHop) => own(nextHop),
    redirectAddress: (_device, like) => own(like),
  };
}

/** An INIT chunk: how SCTP flows begin. */
const SCTP_INIT = Uint8Array.from([1, 0, 0, 20, ...new Array<number>(16).fill(1)]);

function transportOf({ protocol, sport, dport }: FlatPacket): Transport {
  switch (protocol) {
    case PROTOCOL.tcp:
      return {
        kind: 'tcp',
        sport,
        dport,
        seq: 1,
        ack: 0,
        flags: TCP_FLAG.SYN,
        window: 1000,
        options: NO_BYTES,
        data: NO_BYTES,
      };
    case PROTOCOL.udp:
      return { kind: 'udp', sport, dport, data: NO_BYTES };
    case PROTOCOL.sctp:
      return { kind: 'sctp', sport, dport, verificationTag: 0, data: SCTP_INIT };
    case PROTOCOL.icmp:
      return { kind: 'icmp', type: 8, code: 0, id: 5, sequence: 1, data: NO_BYTES };
    case PROTOCOL.icmpv6:
      return { kind: 'icmp', type: 128, code: 0, id: 5, sequence: 1, data: NO_BYTES };
    default:
      return { kind: 'opaque', protocol, data: new Uint8Array(8) };
  }
}

function packetOf(packet: FlatPacket): Packet {
  const { src, dst } = packet;
  const fixed = { ttl: 64, tos: 0, id: 0, dontFragment: false };
  return { src, dst, ...fixed, transport: transportOf(packet) };
}

/** One result, comparable as text; the mark and the destination as they are afterwards. */
export interface Answer {
  readonly result: string;
  readonly decision: string;
  readonly mark: number;
  readonly to: string;
}

export function textOf({ result, decision, mark, to }: Answer): string {
  return `${result} by ${decision}, mark 0x${mark.toString(16)}, to ${to}`;
}

function socketText(address: IpAddress, port: number): string {
  return `${formatIpAddress(address)} ${port}`;
}

/** The event that decided: the last verdict of a rule, or the policy. */
function decisionOf(events: readonly NetfilterEvent[], table: TableName): [string, string] {
  for (const event of events.toReversed()) {
    if (event.kind === 'policy' && event.table === table) return ['policy', event.policy];
    if (event.kind !== 'rule' || event.table !== table) continue;
    const { effect, rule } = event;
    const decided = `${event.chain} ${event.number}`;
    const kind = effect.kind === 'continue' && rule.target.kind === 'masquerade' ? 'nat' : effect.kind;
    return [decided, kind];
  }
  return ['nothing', ''];
}

const RESULT_OF: Readonly<Record<string, number>> = {
  accept: RESULT.accept,
  drop: RESULT.drop,
  reject: RESULT.reject,
  ACCEPT: RESULT.policyAccept,
  DROP: RESULT.policyDrop,
  nat: RESULT.nat,
};

/** The conntrack state column for `packet`, as `reference` will have it. */
export function stateBits(packet: FlatPacket, place: Place): number {
  if (place.table === 'nat') return CT_BIT.NEW;
  return CT_BIT[packet.state] | (packet.translated ? CT_BIT.DNAT : 0);
}

/** Netfilter with one table of `ruleSet` loaded, to be forked. */
export function loadTable(ruleSet: RuleSet, place: Place): Netfilter {
  const { table } = place;
  const only = ruleSet.tables.get(table);
  if (only === undefined) throw new Error(`no table ${table}`);
  const choices = new SeededChoices(new Random(0));
  const netfilter = new Netfilter({ clock: new Clock(), choices, host: hostOf(place) });
  netfilter.load({ family: ruleSet.family, tables: new Map([[table, only]]) });
  return netfilter;
}

/** Every outcome by the reference engine. NAT that depends on more than the columns is `nat`, nothing more. */
export function referenceOutcomes(loaded: Netfilter, packet: FlatPacket, place: Place): Outcome<Answer>[] {
  const { table, hook } = place;
  const outcomes = explore(
    (choices) => {
      const netfilter = loaded.fork({ clock: new Clock(), choices, host: hostOf(place) });
      const events: NetfilterEvent[] = [];
      const skb = new Skb(packetOf(packet), place.inDevice);
      skb.outDevice = place.outDevice;
      skb.mark = packet.mark;
      if (table !== 'nat') {
        // Conntrack makes an entry for the flow; what state it is in is for the test to say.
        const tracker = new Netfilter({ clock: new Clock(), choices, host: hostOf(place) });
        tracker.load(TRACKING[familyOf(packet.src)]);
        const probe = new Skb(skb.packet, 'eth0');
        tracker.run('prerouting', probe);
        const { ct } = probe;
        if (ct === undefined) throw new Error('conntrack knows the packet');
        ct.entry.destinationNat = packet.translated;
        skb.ct = { entry: ct.entry, direction: 'original', state: packet.state };
      }
      netfilter.trace = (event) => events.push(event);
      const verdict = netfilter.run(hook, skb);
      return answerOf({ verdict: verdict.kind, events, skb, packet }, table);
    },
    () => 0,
  );
  return mergeOutcomes(outcomes, textOf);
}

/** Rules that turn connection tracking on and do nothing else before routing. */
const TRACKING_TEXT = '*nat\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n';
const TRACKING = {
  ipv4: toRuleSet(parseRules(TRACKING_TEXT, { family: 'ipv4' })),
  ipv6: toRuleSet(parseRules(TRACKING_TEXT, { family: 'ipv6' })),
} as const;

function answerOf(
  {
    verdict,
    events,
    skb,
    packet,
  }: {
    readonly verdict: string;
    readonly events: readonly NetfilterEvent[];
    readonly skb: Skb;
    readonly packet: FlatPacket;
  },
  table: TableName,
): Answer {
  const [decision, effect] = decisionOf(events, table);
  const mark = skb.mark;
  const before = socketText(packet.dst, packet.dport);
  if (verdict === 'unknown') return { result: 'undecided', decision, mark, to: before };
  const known = effect !== 'nat' ? RESULT_OF[effect] : natResult(events);
  const { transport, dst } = skb.packet;
  const port = 'dport' in transport ? transport.dport : packet.dport;
  const to = known === RESULT.dnat ? socketText(dst, port) : before;
  return { result: nameOf(known ?? -1), decision, mark, to };
}

/** Whether the binding is one that the columns can tell. */
function natResult(events: readonly NetfilterEvent[]): number {
  for (const event of events.toReversed()) {
    if (event.kind !== 'rule' || event.effect.kind !== 'nat') continue;
    const { target } = event.rule;
    if (target.kind !== 'dnat') return RESULT.nat;
    const { addresses, ports } = target.range;
    const one = addresses === undefined || formatIpAddress(addresses.from) === formatIpAddress(addresses.to);
    const port = ports === undefined || (ports.from === ports.to && ports.base === undefined);
    const { protocol } = event.effect.before;
    const hasPorts = [PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.sctp, PROTOCOL.udplite].some(
      (p) => p === protocol,
    );
    return one && port && hasPorts ? RESULT.dnat : RESULT.nat;
  }
  return RESULT.nat;
}

export function nameOf(result: number): string {
  return Object.entries(RESULT).find(([, value]) => value === result)?.[0] ?? `result ${result}`;
}

/** Writes `packet` into row `row`. */
export function fillRow(batch: Batch, row: number, packet: FlatPacket, place: Place): void {
  const put = (column: Uint32Array, address: IpAddress) => {
    if (typeof address === 'number') column[row] = address;
    else column.set([address.w0, address.w1, address.w2, address.w3], 4 * row);
  };
  put(batch.src, packet.src);
  put(batch.dst, packet.dst);
  batch.protocol[row] = packet.protocol;
  batch.sport[row] = packet.sport;
  batch.dport[row] = packet.dport;
  batch.mark[row] = packet.mark;
  batch.state[row] = stateBits(packet, place);
}

function addressFrom(words: readonly number[]): IpAddress {
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = words;
  return words.length === 1 ? w0 : ipv6(w0, w1, w2, w3);
}

/** A flat engine's outcome as an Answer. */
export function flatAnswer(outcome: FlatOutcome, table: CompiledTable): Answer {
  const decided = table.describe(outcome.decision);
  return {
    result: nameOf(outcome.result),
    decision: decided === undefined ? 'policy' : `${decided.chain} ${decided.number}`,
    mark: outcome.newMark,
    to: socketText(addressFrom(outcome.newDst), outcome.newDport),
  };
}
