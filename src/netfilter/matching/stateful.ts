/** Matches that remember: their answer depends on the packets before, and asking changes it. */

import { read16 } from '../../wire/byte-order.ts';
import { ipLength } from '../../wire/headers.ts';
import { familyOf, formatIpAddress, type IpAddress, maskAddress } from '../../wire/ip-address.ts';
import { prefixMask } from '../../wire/ip-prefix.ts';
import { type Packet, protocolOf } from '../../wire/packet.ts';
import { PROTOCOL } from '../../wire/protocol.ts';
import type {
  ConnlimitMatch,
  HashlimitMatch,
  LimitMatch,
  NfacctMatch,
  RecentMatch,
  StatisticMatch,
} from '../match.ts';
import { DCCP, type Ports, portsOf } from '../ports.ts';
import type { Skb } from '../skb.ts';
import { tupleOf } from '../tuple.ts';
import { type Connection, type ConnectionList, cleanedInPassing, countConnection } from './connlimit-list.ts';
import type { Evaluator, MatchEnvironment } from './environment.ts';
import { atTick, toJiffies } from './jiffies.ts';
import { takeToken } from './token-bucket.ts';

export const matchStatistic: Evaluator<StatisticMatch> = (match, _skb, env) => {
  if (match.mode === 'random') return env.choices.chance(match.probability) !== match.negate;
  const count = env.memory.nth.get(match) ?? 0;
  env.memory.nth.set(match, (count + 1) % match.every);
  return (count === match.packet) !== match.negate;
};

/** The TTL as it was before forwarding lowered it. */
function arrivedTtl({ packet, inDevice, outDevice }: Skb): number {
  const forwarded = inDevice !== undefined && outDevice !== undefined;
  return forwarded ? (packet.ttl + 1) & 0xff : packet.ttl;
}

/** xt_recent's recent_mt. */
export const matchRecent: Evaluator<RecentMatch> = (match, skb, env) => {
  const list = env.memory.recentList(match.name);
  const { src, dst } = skb.packet;
  const ttl = arrivedTtl(skb);
  const now = toJiffies(env.now);
  const address = maskAddress(match.side === 'source' ? src : dst, match.mask);
  const entry = list.find(address, match.rttl ? ttl : undefined);
  if (entry === undefined) {
    if (match.action !== 'set') return match.negate;
    list.add(address, ttl, now);
    return !match.negate;
  }
  if (match.action === 'set') {
    list.touch(entry, ttl, now);
    return !match.negate;
  }
  if (match.action === 'remove') {
    list.remove(entry);
    return !match.negate;
  }
  const horizon = match.seconds === undefined ? undefined : now - toJiffies(match.seconds);
  const hits = entry.stamps.filter((stamp) => horizon === undefined || stamp >= horizon).length;
  const result = hits >= Math.max(1, match.hitcount ?? 1) ? !match.negate : match.negate;
  const updates = match.action === 'update' && result;
  if (match.reap && horizon !== undefined) list.reap(horizon, updates ? entry : undefined);
  if (updates) list.touch(entry, ttl, now);
  return result;
};

export const matchLimit: Evaluator<LimitMatch> = (match, _skb, env) => {
  // xt_limit counts in ticks, nft's own limit in nanoseconds.
  const now = env.backend === 'legacy' ? atTick(env.now) : env.now;
  const { taken, bucket } = takeToken(env.memory.limits.get(match), match, now);
  env.memory.limits.set(match, bucket);
  return taken;
};

function maskTo(address: IpAddress, length: number | undefined): string {
  return formatIpAddress(length === undefined ? address : maskAddress(address, prefixMask(address, length)));
}

/** Protocols in whose header hashlimit looks for ports, and how far in (proto_ports_offset). */
const PORTS_OFFSET: ReadonlyMap<number, number> = new Map([
  [PROTOCOL.tcp, 0],
  [PROTOCOL.udp, 0],
  [DCCP, 0],
  [PROTOCOL.esp, 0],
  [PROTOCOL.sctp, 0],
  [PROTOCOL.udplite, 0],
  [PROTOCOL.ah, 4],
]);

/** What hashlimit takes for ports; undefined when it cannot read them. */
function hashedPorts({ transport }: Packet, protocol: number): Ports | undefined {
  const offset = PORTS_OFFSET.get(protocol);
  if (offset === undefined) return { sport: 0, dport: 0 };
  if (transport.kind !== 'opaque') return portsOf(transport);
  if (transport.data.length < offset + 4) return undefined;
  return { sport: read16(transport.data, offset), dport: read16(transport.data, offset + 2) };
}

/** The parts of the packet that select its bucket; undefined when one of them cannot be read. */
function hashlimitKey({ modes, srcMask, dstMask }: HashlimitMatch, { packet }: Skb): string | undefined {
  const byPort = modes.includes('srcport') || modes.includes('dstport');
  const ports = byPort ? hashedPorts(packet, protocolOf(packet)) : undefined;
  if (byPort && ports === undefined) return undefined;
  const part = {
    srcip: () => maskTo(packet.src, srcMask),
    dstip: () => maskTo(packet.dst, dstMask),
    srcport: () => String(ports?.sport),
    dstport: () => String(ports?.dport),
  };
  return modes.map((mode) => part[mode]()).join(' ');
}

export const matchHashlimit: Evaluator<HashlimitMatch> = (match, skb, env) => {
  const table = env.memory.hashlimitTable(familyOf(skb.packet.src), match, env.now);
  const key = hashlimitKey(table.config, skb);
  if (key === undefined) return 'malformed';
  return table.take(key, atTick(env.now)) !== match.above;
};

/** The flow that `skb` belongs to, as connlimit counts it: also one that conntrack has not judged yet. */
function connectionOf(skb: Skb): Connection | undefined {
  if (skb.ct !== undefined) return { tuple: skb.ct.entry.original, zone: skb.ct.entry.zone };
  const tuple = tupleOf(skb.packet);
  return tuple && { tuple, zone: skb.zone ?? 0 };
}

/** Cleans the lists that share a slot with a new one; which do is the luck of the kernel's seed. */
function cleanNeighbours(lists: Map<string, ConnectionList>, tick: object, env: MatchEnvironment): void {
  const { choices, conntrack: table, now } = env;
  if (choices.collides === undefined) return;
  for (const [key, list] of lists) {
    const cleaned = cleanedInPassing(list, { table, now, tick });
    if (cleaned?.connections.length === list.connections.length || !choices.collides()) continue;
    if (cleaned === undefined) lists.delete(key);
    else lists.set(key, cleaned);
  }
}

export const matchConnlimit: Evaluator<ConnlimitMatch> = (match, skb, env) => {
  const connection = connectionOf(skb);
  if (connection === undefined) return 'malformed';
  const { conntrack: table, now, memory } = env;
  const address = match.side === 'source' ? skb.packet.src : skb.packet.dst;
  const key = `${maskTo(address, match.maskLength)} ${connection.zone}`;
  const lists = memory.connlimits.get(match) ?? new Map<string, ConnectionList>();
  memory.connlimits.set(match, lists);
  const entry = skb.ct?.entry ?? table.find(connection.tuple, connection.zone, now)?.entry;
  const status = { confirmed: entry?.confirmed === true, assured: entry?.assured === true };
  const tick = memory.tick ?? skb;
  if (!lists.has(key)) cleanNeighbours(lists, tick, env);
  const counted = countConnection(lists.get(key), { connection, tick, ...status, table, now });
  lists.set(key, counted);
  const { length } = counted.connections;
  // The last connection has just closed: the kernel takes the empty list for a failure and drops the packet.
  if (length === 0) return 'malformed';
  return length > match.limit === match.above;
};

export const matchNfacct: Evaluator<NfacctMatch> = (match, skb, env) => {
  const counters = env.memory.nfacct.get(match.name) ?? { packets: 0, bytes: 0 };
  env.memory.nfacct.set(match.name, counters);
  counters.packets += 1;
  counters.bytes += ipLength(skb.packet);
  return true;
};
