/** Matches that remember: their answer depends on the packets before, and asking changes it. */

import { ipLength } from '../../wire/headers.ts';
import { formatIpAddress, type IpAddress, maskAddress } from '../../wire/ip-address.ts';
import { prefixMask } from '../../wire/ip-prefix.ts';
import type { ConntrackTable } from '../conntrack/table.ts';
import type {
  ConnlimitMatch,
  HashlimitMatch,
  LimitMatch,
  NfacctMatch,
  RecentMatch,
  StatisticMatch,
} from '../match.ts';
import type { Skb } from '../skb.ts';
import type { Tuple } from '../tuple.ts';
import { sameTuple } from '../tuple.ts';
import type { Evaluator } from './environment.ts';
import { takeToken } from './token-bucket.ts';

export const matchStatistic: Evaluator<StatisticMatch> = (match, _skb, env) => {
  if (match.mode === 'random') return env.choices.chance(match.probability) !== match.negate;
  const count = env.memory.nth.get(match) ?? 0;
  env.memory.nth.set(match, (count + 1) % match.every);
  return (count === match.packet) !== match.negate;
};

/** xt_recent's recent_mt. */
export const matchRecent: Evaluator<RecentMatch> = (match, skb, env) => {
  const list = env.memory.recentList(match.name);
  const { src, dst, ttl } = skb.packet;
  const address = maskAddress(match.side === 'source' ? src : dst, match.mask);
  const entry = list.find(address, match.rttl ? ttl : undefined);
  if (entry === undefined) {
    if (match.action !== 'set') return match.negate;
    list.add(address, ttl, env.now);
    return !match.negate;
  }
  if (match.action === 'set') {
    list.touch(entry, ttl, env.now);
    return !match.negate;
  }
  if (match.action === 'remove') {
    list.remove(entry);
    return !match.negate;
  }
  const horizon = match.seconds === undefined ? undefined : env.now - match.seconds;
  const hits = entry.stamps.filter((stamp) => horizon === undefined || stamp >= horizon).length;
  const result = hits >= Math.max(1, match.hitcount ?? 1) ? !match.negate : match.negate;
  const updates = match.action === 'update' && result;
  if (match.reap && horizon !== undefined) list.reap(horizon, updates ? entry : undefined);
  if (updates) list.touch(entry, ttl, env.now);
  return result;
};

export const matchLimit: Evaluator<LimitMatch> = (match, _skb, env) => {
  const { taken, bucket } = takeToken(env.memory.limits.get(match), match, env.now);
  env.memory.limits.set(match, bucket);
  return taken;
};

function maskTo(address: IpAddress, length: number | undefined): string {
  return formatIpAddress(length === undefined ? address : maskAddress(address, prefixMask(address, length)));
}

function portsOf(skb: Skb): { readonly sport: number; readonly dport: number } {
  const { transport } = skb.packet;
  return 'sport' in transport ? transport : { sport: 0, dport: 0 };
}

/** The parts of the packet that select its bucket. */
function hashlimitKey(match: HashlimitMatch, skb: Skb): string {
  const { src, dst } = skb.packet;
  const { sport, dport } = portsOf(skb);
  const part = {
    srcip: () => maskTo(src, match.srcMask),
    dstip: () => maskTo(dst, match.dstMask),
    srcport: () => String(sport),
    dstport: () => String(dport),
  };
  return match.modes.map((mode) => part[mode]()).join(' ');
}

export const matchHashlimit: Evaluator<HashlimitMatch> = (match, skb, env) => {
  let buckets = env.memory.hashlimits.get(match.name);
  if (buckets === undefined) {
    buckets = new Map();
    env.memory.hashlimits.set(match.name, buckets);
  }
  const key = hashlimitKey(match, skb);
  const { taken, bucket } = takeToken(buckets.get(key), match, env.now);
  buckets.set(key, bucket);
  return taken !== match.above;
};

/** A flow counts until it is gone, or over: TIME_WAIT and CLOSE do not count (nf_conncount already_closed). */
function isLive(tuple: Tuple, table: ConntrackTable, now: number): boolean {
  const found = table.find(tuple, 0, now);
  if (found === undefined) return false;
  const state = found.entry.tcp?.state;
  return state !== 'TIME_WAIT' && state !== 'CLOSE';
}

export const matchConnlimit: Evaluator<ConnlimitMatch> = (match, skb, env) => {
  const { ct } = skb;
  // xt_connlimit drops packets it cannot classify; nothing has such a packet reach the match but INVALID ones.
  if (ct === undefined) return false;
  const address = match.side === 'source' ? skb.packet.src : skb.packet.dst;
  const key = maskTo(address, match.maskLength);
  let keys = env.memory.connlimits.get(match);
  if (keys === undefined) {
    keys = new Map();
    env.memory.connlimits.set(match, keys);
  }
  const own = ct.entry.tuple(ct.direction === 'original' ? 'original' : 'reply');
  const others = (keys.get(key) ?? []).filter(
    (tuple) => !sameTuple(tuple, own) && isLive(tuple, env.conntrack, env.now),
  );
  const tuples = [...others, own];
  keys.set(key, tuples);
  return tuples.length > match.limit === match.above;
};

export const matchNfacct: Evaluator<NfacctMatch> = (match, skb, env) => {
  const counters = env.memory.nfacct.get(match.name) ?? { packets: 0, bytes: 0 };
  env.memory.nfacct.set(match.name, counters);
  counters.packets += 1;
  counters.bytes += ipLength(skb.packet);
  return true;
};
