/** What a matched rule does: verdicts, marks, header fields, NAT bindings. */
import { familyOf, sameAddress } from '../wire/ip-address.ts';
import type { RuleEffect } from './events.ts';
import type { Hook, Manip } from './hooks.ts';
import type { HostView } from './host-view.ts';
import type { NatBindingRange } from './nat/choose-tuple.ts';
import { bind, type NatEnvironment } from './nat/translate.ts';
import type { Skb } from './skb.ts';
import type { ConnmarkTarget, DeviceNatTarget, NatTarget, Target } from './target.ts';
import { limitMss } from './tcp-mss.ts';
import { invertTuple } from './tuple.ts';
import { ACCEPT, type HookVerdict } from './verdict.ts';

/** No verdict: traversal goes on with the next rule. Jumps and returns are the traversal's own business. */
export interface TargetResult {
  readonly effect: RuleEffect;
  readonly verdict?: HookVerdict;
}

export interface TargetEnvironment {
  readonly hook: Hook;
  readonly host: HostView;
  readonly nat: NatEnvironment;
}

const CONTINUE: TargetResult = { effect: { kind: 'continue' } };

function unsupported(name: string): TargetResult {
  const reason = `unsupported: -j ${name}`;
  return { effect: { kind: 'unsupported', reason }, verdict: { kind: 'unknown', reason } };
}

function setMark(skb: Skb, after: number): TargetResult {
  const before = skb.mark;
  skb.mark = after >>> 0;
  return { effect: { kind: 'mark', before, after: skb.mark } };
}

function applyConnmark(target: ConnmarkTarget, skb: Skb): TargetResult {
  const entry = skb.ct?.entry;
  if (entry === undefined) return CONTINUE;
  if (target.op === 'restore') {
    return setMark(skb, (skb.mark & ~target.nfmask) ^ (entry.mark & target.ctmask));
  }
  const before = entry.mark;
  const value = target.op === 'set' ? target.value : skb.mark & target.nfmask;
  entry.mark = ((before & ~target.ctmask) ^ value) >>> 0;
  return { effect: { kind: 'ctmark', before, after: entry.mark } };
}

/** Binds `manip`'s half of the packet's flow and ends the nat chain. */
function applyBinding(skb: Skb, manip: Manip, range: NatBindingRange, env: TargetEnvironment): TargetResult {
  const entry = skb.ct?.entry;
  const before = entry && invertTuple(entry.reply);
  if (entry === undefined || before === undefined) return { ...CONTINUE, verdict: ACCEPT };
  bind(entry, manip, range, env.nat);
  const after = invertTuple(entry.reply) ?? before;
  const random = manip === 'source' ? entry.randomSourcePort : entry.randomDestinationPort;
  return { effect: { kind: 'nat', manip, before, after, random }, verdict: ACCEPT };
}

function applyNatTarget(target: NatTarget, skb: Skb, env: TargetEnvironment): TargetResult {
  const manip = target.kind === 'snat' ? 'source' : 'destination';
  return applyBinding(skb, manip, { ...target, ...target.range }, env);
}

const NO_ADDRESS: TargetResult = {
  effect: { kind: 'drop' },
  verdict: { kind: 'drop', reason: 'nat-no-address' },
};

function applyDeviceNat(target: DeviceNatTarget, skb: Skb, env: TargetEnvironment): TargetResult {
  const { ports, random, randomFully } = target;
  const flags = { random, randomFully, persistent: false, ...(ports === undefined ? {} : { ports }) };
  if (target.kind === 'redirect') {
    const device = env.hook === 'output' ? undefined : skb.inDevice;
    const address = env.host.redirectAddress(device, skb.packet.dst);
    if (address === undefined) return NO_ADDRESS;
    return applyBinding(skb, 'destination', { ...flags, addresses: { from: address, to: address } }, env);
  }
  const entry = skb.ct?.entry;
  // A source of 0.0.0.0 is a host that has no address yet (DHCP): it is not masqueraded.
  if (entry === undefined || sameAddress(entry.original.src, 0)) return { ...CONTINUE, verdict: ACCEPT };
  // IPv4 goes by the next hop, IPv6 by the destination (nf_nat_masquerade.c).
  const { dst } = skb.packet;
  const towards = typeof dst === 'number' ? (skb.nextHop ?? dst) : dst;
  const address = env.host.masqueradeAddress(skb.outDevice ?? '', towards);
  if (address === undefined) return NO_ADDRESS;
  entry.masqueradeDevice = skb.outDevice;
  return applyBinding(skb, 'source', { ...flags, addresses: { from: address, to: address } }, env);
}

/** `-j CT`: only the first one counts, and none once conntrack has seen the packet (xt_ct_target). */
function applyCt(
  skb: Skb,
  { notrack, zone }: { readonly notrack: boolean; readonly zone?: number | undefined },
): TargetResult {
  const effect: RuleEffect = { kind: notrack ? 'notrack' : 'continue' };
  if (skb.ct !== undefined || skb.untracked || skb.zone !== undefined || skb.beyondCt) return { effect };
  if (notrack) skb.untracked = true;
  else skb.zone = zone ?? 0;
  return { effect };
}

function setTtl(skb: Skb, op: 'set' | 'inc' | 'dec', value: number): TargetResult {
  const { ttl } = skb.packet;
  const next = { set: value, inc: Math.min(255, ttl + value), dec: Math.max(0, ttl - value) }[op];
  skb.packet = { ...skb.packet, ttl: next };
  return CONTINUE;
}

/** IP and TCP headers without options. */
const HEADERS = { ipv4: 40, ipv6: 60 } as const;

function applyTcpmss(
  { value }: Extract<Target, { kind: 'tcpmss' }>,
  skb: Skb,
  { host }: TargetEnvironment,
): TargetResult {
  const { packet } = skb;
  if (packet.transport.kind !== 'tcp') return CONTINUE;
  const family = familyOf(packet.src);
  const room = (host.narrowestMtu?.(skb) ?? Number.POSITIVE_INFINITY) - HEADERS[family];
  if (value === undefined && room <= 0) {
    return { effect: { kind: 'drop' }, verdict: { kind: 'drop', reason: 'malformed' } };
  }
  const segment = limitMss(packet.transport, value ?? Math.min(room, 0xffff), family);
  // The kernel makes the whole packet writable, and so one piece, before it looks.
  skb.written = Number.MAX_SAFE_INTEGER;
  if (segment !== packet.transport) skb.packet = { ...packet, transport: segment };
  return CONTINUE;
}

/** Applies `target` to `skb`. Jump, goto, return and none do not come here. */
export function applyTarget(target: Target, skb: Skb, env: TargetEnvironment): TargetResult {
  switch (target.kind) {
    case 'accept':
      return { effect: { kind: 'accept' }, verdict: ACCEPT };
    case 'drop':
      return { effect: { kind: 'drop' }, verdict: { kind: 'drop', reason: 'rule' } };
    case 'reject':
      return {
        effect: { kind: 'reject', with: target.with },
        verdict: { kind: 'reject', with: target.with },
      };
    case 'mark':
      return setMark(skb, (skb.mark & ~target.mask) ^ target.value);
    case 'connmark':
      return applyConnmark(target, skb);
    case 'snat':
    case 'dnat':
      return applyNatTarget(target, skb, env);
    case 'masquerade':
    case 'redirect':
      return applyDeviceNat(target, skb, env);
    case 'notrack':
      return applyCt(skb, { notrack: true, zone: undefined });
    case 'ct':
      if (!target.notrack && target.zone === undefined && target.text !== '') return unsupported('CT');
      return applyCt(skb, target);
    case 'log':
      return { effect: { kind: 'log' } };
    case 'tos':
      skb.packet = { ...skb.packet, tos: (skb.packet.tos & ~target.mask & 0xff) ^ target.value };
      return CONTINUE;
    case 'dscp':
      skb.packet = { ...skb.packet, tos: (skb.packet.tos & 3) | (target.value << 2) };
      return CONTINUE;
    case 'ttl':
    case 'hl':
      return setTtl(skb, target.op, target.value);
    case 'tcpmss':
      return applyTcpmss(target, skb, env);
    // It changes bytes that no rule and no route looks at.
    case 'checksum':
      return CONTINUE;
    case 'unknown':
      return unsupported(target.name);
    case 'jump':
    case 'goto':
    case 'return':
    case 'none':
      return CONTINUE;
  }
}

/** Which kinds of target are carried out: keyed by kind, so that a new one must say. */
const CARRIED_OUT: Readonly<Record<Target['kind'], boolean>> = {
  none: true,
  jump: true,
  goto: true,
  accept: true,
  drop: true,
  return: true,
  notrack: true,
  reject: true,
  mark: true,
  connmark: true,
  snat: true,
  dnat: true,
  masquerade: true,
  redirect: true,
  log: true,
  ct: true,
  tos: true,
  dscp: true,
  ttl: true,
  hl: true,
  tcpmss: true,
  checksum: true,
  unknown: false,
};

/** The kinds of target that are carried out; the others make a packet's fate unknown when it reaches them. */
export const SUPPORTED_TARGETS: readonly Target['kind'][] = (
  Object.keys(CARRIED_OUT) as Target['kind'][]
).filter((kind) => CARRIED_OUT[kind]);
