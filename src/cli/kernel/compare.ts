/** What the kernel did against what the engine says: fate, everything that left, conntrack's table. */

import { type Fate, formatRefusal, type Refusal } from '../../netstack/fate.ts';
import type { Host, Passage } from '../../netstack/host.ts';
import type { Packet } from '../../wire/packet.ts';
import type { ListedEntry } from './conntrack-list.ts';
import { describeListed, describeModelled, describePacket } from './describe-packet.ts';
import type { Injection, Observation } from './observe.ts';

/** The fate of a packet as far as it can be seen from outside: without a drop's reason. */
export type ObservedFate =
  | { readonly kind: 'forwarded' | 'sent'; readonly device: string; readonly packet: Packet }
  | { readonly kind: 'delivered'; readonly packet: Packet }
  | { readonly kind: 'rejected'; readonly refusal: Refusal; readonly device: string }
  | { readonly kind: 'dropped' };

/** How `answer` refuses; undefined when it is no reset and no ICMP error. */
function refusalIn({ transport }: Packet): Refusal | undefined {
  if (transport.kind === 'tcp') return { kind: 'tcp-reset' };
  if (transport.kind === 'icmp') return { kind: 'icmp', type: transport.type, code: transport.code };
  return undefined;
}

/** The fate that an observation shows. */
export function observedFate(injection: Injection, { sent, delivered }: Observation): ObservedFate {
  const arrived = delivered.find(({ original }) => original);
  const left = sent.find(({ original }) => original);
  const isOwn = injection.device === undefined;
  // Of a broadcast made here a copy arrives, too.
  if (arrived !== undefined && (left === undefined || !isOwn)) {
    return { kind: 'delivered', packet: arrived.packet };
  }
  if (left !== undefined) {
    return { kind: isOwn ? 'sent' : 'forwarded', device: left.device, packet: left.packet };
  }
  const answer = sent[0] ?? (delivered[0] && { ...delivered[0], device: 'lo' });
  const refusal = answer && refusalIn(answer.packet);
  if (answer === undefined || refusal === undefined) return { kind: 'dropped' };
  return { kind: 'rejected', refusal, device: answer.device };
}

/** One line that says all of a fate; `reason` is left out, since the kernel does not tell. */
export function describeFate(fate: ObservedFate | Fate): string {
  switch (fate.kind) {
    case 'forwarded':
    case 'sent':
      return `${fate.kind} through ${fate.device}: ${describePacket(fate.packet, true)}`;
    case 'delivered':
      return `delivered: ${describePacket(fate.packet, true)}`;
    case 'rejected':
      return `rejected with ${formatRefusal(fate.refusal)} through ${fate.device}`;
    case 'dropped':
      return 'dropped';
    case 'unknown':
      return `unknown (${fate.reason})`;
  }
}

function describeWay(fate: ObservedFate | Fate): string {
  return 'device' in fate && 'packet' in fate ? `${fate.kind} through ${fate.device}` : describeFate(fate);
}

const TIMESTAMP_REPLY = 14;
/** The originate timestamp, echoed; the other two are the time of day of whoever answers (RFC 792). */
const ECHOED_TIMESTAMP = 4;

function withoutClock(packet: Packet): Packet {
  const { transport } = packet;
  if (transport.kind !== 'icmp' || transport.type !== TIMESTAMP_REPLY || typeof packet.src !== 'number') {
    return packet;
  }
  const data = transport.data.slice();
  data.fill(0, ECHOED_TIMESTAMP);
  return { ...packet, transport: { ...transport, data } };
}

/** Everything that left by a device, in an order that does not depend on which device was read first. */
function transmissionLines(sent: readonly { readonly device: string; readonly packet: Packet }[]): string[] {
  return sent.map(({ device, packet }) => `${device}: ${describePacket(withoutClock(packet))}`).sort();
}

/** What the engine got wrong about one packet, one line each. */
export function compareObservation(
  injection: Injection,
  observation: Observation,
  passage: Passage,
): readonly string[] {
  const differences: string[] = [];
  const seen = observedFate(injection, observation);
  // A packet that left in pieces: they are compared below, one by one.
  const inPieces = 'packet' in seen && seen.kind !== 'delivered' && seen.packet.fragment !== undefined;
  const kernel = inPieces ? describeWay(seen) : describeFate(seen);
  const engine = inPieces ? describeWay(passage.fate) : describeFate(passage.fate);
  if (kernel !== engine) {
    const reason = passage.fate.kind === 'dropped' ? ` (${passage.fate.reason})` : '';
    differences.push(`fate: kernel ${kernel}; engine ${engine}${reason}`);
  }
  const left = transmissionLines(observation.sent);
  const expected = transmissionLines(passage.transmissions);
  if (left.join('\n') !== expected.join('\n')) {
    differences.push(`left the host: kernel [${left.join('; ')}]; engine [${expected.join('; ')}]`);
  }
  return differences;
}

/** The kernel counts in ticks and lists whole seconds, rounded down; the engine's clock is read a little apart. */
const TIMEOUT_TOLERANCE = 2;

export interface ConntrackComparison {
  readonly now: number;
  /** Seconds by which the kernel's table may have been read later: a busy machine takes its time. */
  readonly late?: number;
  readonly compareTimeouts?: boolean;
}

/** What the engine's conntrack table has wrong, one line each; `compareTimeouts` says whether seconds left count. */
export function compareConntrack(
  listed: readonly ListedEntry[],
  host: Host,
  { now, late = 0, compareTimeouts = true }: ConntrackComparison,
): readonly string[] {
  const tolerance = TIMEOUT_TOLERANCE + late;
  const kernel = new Map(listed.map(describeListed).map(({ text, timeout }) => [text, timeout]));
  const entries = [...host.netfilter.conntrack.entries(now)].map((entry) => describeModelled(entry, now));
  const engine = new Map(entries.map(({ text, timeout }) => [text, timeout]));
  const differences: string[] = [];
  for (const [text, timeout] of kernel) {
    const modelled = engine.get(text);
    // An entry in its last seconds may be gone on one side only.
    if (modelled === undefined && timeout > tolerance)
      differences.push(`conntrack: only the kernel has ${text}`);
    if (modelled !== undefined && compareTimeouts && Math.abs(modelled - timeout) > tolerance) {
      differences.push(`conntrack: ${text}: kernel ${timeout} s left, engine ${modelled.toFixed(1)} s`);
    }
  }
  for (const [text, timeout] of engine) {
    if (!kernel.has(text) && timeout > tolerance) differences.push(`conntrack: only the engine has ${text}`);
  }
  return differences;
}
