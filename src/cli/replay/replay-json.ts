/** `kubewire replay -o json`. */

import type { Outcome, Translation } from '../../cluster/replay/packet-outcome.ts';
import type { ReplayResult } from '../../cluster/replay/replay.ts';
import type { ReplayFlow } from '../../cluster/replay/replay-flow.ts';
import type { SkippedPacket } from '../../cluster/replay/replay-packets.ts';
import { packetJson } from '../../cluster/single-host/result.ts';
import { isIcmp, type Tuple } from '../../netfilter/tuple.ts';
import { formatIpAddress } from '../../wire/ip-address.ts';
import { PROTOCOL } from '../../wire/protocol.ts';

/** `tcp`, or the number of a protocol without a name. */
export function protocolName(protocol: number): string | number {
  return Object.entries(PROTOCOL).find(([, number]) => number === protocol)?.[0] ?? protocol;
}

function tupleJson({ protocol, src, dst, sport, dport }: Tuple) {
  const ends = { proto: protocolName(protocol), src: formatIpAddress(src), dst: formatIpAddress(dst) };
  return isIcmp(protocol) ? { ...ends, icmpId: sport } : { ...ends, sport, dport };
}

function outcomeJson(outcome: Outcome) {
  switch (outcome.kind) {
    case 'delivered':
    case 'sent': {
      const { packet, ...rest } = outcome;
      return { ...rest, packet: packetJson(packet) };
    }
    default:
      return outcome;
  }
}

function translationJson({ manip, address, port }: Translation) {
  return {
    kind: manip === 'source' ? 'snat' : 'dnat',
    address: formatIpAddress(address),
    ...(port === undefined ? {} : { port }),
  };
}

function flowJson({ tuple, frames, outcomes, answers }: ReplayFlow) {
  return {
    ...tupleJson(tuple),
    packets: frames.length,
    frames,
    outcomes: outcomes.map(({ outcome, count, translations, path }) => ({
      count,
      ...outcomeJson(outcome),
      nat: translations.map(translationJson),
      path,
    })),
    answers,
  };
}

/** The whole result as indented JSON, ending in a newline. */
export function renderReplayJson(
  { place, flows }: ReplayResult,
  { seed, skipped }: { readonly seed: number; readonly skipped: readonly SkippedPacket[] },
): string {
  const value = { at: `${place.host}:${place.device}`, seed, flows: flows.map(flowJson), skipped };
  return `${JSON.stringify(value, null, 2)}\n`;
}
