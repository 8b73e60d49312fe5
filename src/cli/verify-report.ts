/** What `verify` prints: a line a packet for people, a JSON line a packet for programs. */

import type { PacketId } from '../cluster/single-host/packet-lines.ts';
import { type VerdictJson, verdictJson } from '../cluster/single-host/result.ts';
import { formatIpAddress } from '../wire/ip-address.ts';
import { describeFate, type ObservedFate } from './kernel/compare.ts';
import type { ListedEntry, ListedTuple } from './kernel/conntrack-list.ts';
import { describeListed, describePacket } from './kernel/describe-packet.ts';
import type { Verification } from './kernel/verify-packets.ts';

interface TupleJson {
  readonly src: string;
  readonly dst: string;
  readonly sport: number;
  readonly dport: number;
}

/** A conntrack entry of the kernel. ICMP: `sport` is the id, `dport` type × 256 + code. */
export interface EntryJson {
  readonly protocol: number;
  readonly state?: string;
  readonly original: TupleJson;
  readonly reply: TupleJson;
  readonly seenReply: boolean;
  readonly assured: boolean;
  readonly mark: number;
  readonly zone: number;
  /** Seconds left. */
  readonly timeout: number;
}

export interface VerifyResult {
  readonly id: PacketId;
  readonly agree: boolean;
  readonly kernel: Omit<VerdictJson, 'reason'> & { readonly error?: string };
  readonly engine?: VerdictJson;
  /** Entries of the kernel's table that the packet made or changed. */
  readonly conntrack: readonly EntryJson[];
  readonly differences: readonly string[];
}

function kernelVerdict(fate: ObservedFate): VerdictJson {
  return fate.kind === 'dropped' ? { verdict: 'dropped' } : verdictJson(fate);
}

function tupleJson({ src, dst, sport, dport }: ListedTuple): TupleJson {
  return { src: formatIpAddress(src), dst: formatIpAddress(dst), sport, dport };
}

function entryJson({ original, reply, ...entry }: ListedEntry): EntryJson {
  return { ...entry, original: tupleJson(original), reply: tupleJson(reply) };
}

/** One packet's result as `verify -o json` prints it. */
export function verifyResult(id: PacketId, verification: Verification): VerifyResult {
  const { kernel, engine, error, conntrack, differences } = verification;
  return {
    id,
    agree: differences.length === 0,
    kernel: { ...kernelVerdict(kernel), ...(error === undefined ? {} : { error }) },
    ...(engine === undefined ? {} : { engine: verdictJson(engine) }),
    conntrack: conntrack.map(entryJson),
    differences,
  };
}

export interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
}

/** ANSI colours, or none. */
export function paint(colour: boolean): Paint {
  const wrap = (code: number) => (text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { good: wrap(32), bad: wrap(31) };
}

/** One packet's result as lines of text. */
export function verifyText(id: PacketId, verification: Verification, { good, bad }: Paint): string {
  const { injection, kernel, error, conntrack, differences } = verification;
  const agree = differences.length === 0;
  const from = injection.device === undefined ? 'made here' : `in ${injection.device}`;
  const refused = error === undefined ? '' : ` (${error})`;
  const lines = [
    `${agree ? good('same') : bad('DIFF')}  ${id}  ${from}  ${describePacket(injection.packet)}`,
    `        ${describeFate(kernel)}${refused}`,
    ...conntrack.map((entry) => `        ct ${describeListed(entry).text}`),
    ...differences.map((difference) => `        ${bad(difference)}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** The last line. */
export function verifySummary(packets: number, different: number): string {
  const verdict = different === 0 ? 'kernel and engine agree' : `${different} differ`;
  return `${packets} ${packets === 1 ? 'packet' : 'packets'}: ${verdict}\n`;
}
