/** How a walk ended, for the one who asked: the facts that the last sentence and the exit code rest on. */
import type { DropReason } from '../../netfilter/verdict.ts';
import type { Refusal } from '../../netstack/fate.ts';
import type { IpAddress } from '../../wire/ip-address.ts';
import type { Packet } from '../../wire/packet.ts';
import type { NetworkPlan } from '../network/network-plan.ts';
import type { Hop } from './hop.ts';
import { answersRequest, type Walk } from './walk.ts';

interface At {
  /** The host where it was decided. */
  readonly host: string;
}

export type Outcome =
  /** Arrived where something listens; `answered` when the reply was followed and came home. */
  | (At & { readonly kind: 'delivered'; readonly packet: Packet; readonly answered: boolean })
  /** Arrived where nothing listens. */
  | (At & { readonly kind: 'closed'; readonly packet: Packet })
  | (At & { readonly kind: 'refused'; readonly refusal: Refusal })
  | (At & { readonly kind: 'dropped'; readonly reason: DropReason })
  | (At & { readonly kind: 'no-neighbour'; readonly device: string; readonly nextHop: IpAddress })
  /** Left its host and was lost at the link: on the wire, in a bridge, at a device that is down. */
  | (At & { readonly kind: 'lost'; readonly device: string; readonly reason: DropReason })
  | (At & { readonly kind: 'unknown'; readonly reason: string })
  /** The answer came home from an address or port that was never asked: the client resets it. */
  | (At & { readonly kind: 'reply-unrecognised'; readonly packet: Packet })
  /** The request arrived, the answer did not come home: `reply` tells where it ended. */
  | (At & { readonly kind: 'reply-lost'; readonly packet: Packet; readonly reply: Hop });

/** Whether what arrived at `host` met an open socket (or a kernel that answers echo requests). */
function isServed(plan: NetworkPlan, host: string, packet: Packet): boolean {
  if (packet.transport.kind === 'icmp') return true;
  return plan.hosts.get(host)?.listens(packet) ?? false;
}

function requestOutcome(last: Hop, plan: NetworkPlan): Outcome {
  const { host, fate, loss } = last;
  if (loss !== undefined) {
    const { device, reason, nextHop } = loss;
    return nextHop === undefined
      ? { kind: 'lost', host, device, reason }
      : { kind: 'no-neighbour', host, device, nextHop };
  }
  switch (fate.kind) {
    case 'delivered': {
      const { packet } = fate;
      return isServed(plan, host, packet)
        ? { kind: 'delivered', host, packet, answered: false }
        : { kind: 'closed', host, packet };
    }
    case 'rejected':
      return { kind: 'refused', host, refusal: fate.refusal };
    case 'dropped':
      return { kind: 'dropped', host, reason: fate.reason };
    case 'unknown':
      return { kind: 'unknown', host, reason: fate.reason };
    // The walk stopped following it: only a loop is that long.
    case 'forwarded':
    case 'sent':
      return { kind: 'dropped', host, reason: 'loop-limit' };
  }
}

/** Judges `walk`. `reply` says whether the answer was followed. */
export function outcomeOf(walk: Walk, plan: NetworkPlan, reply: boolean): Outcome {
  const final = walk.hops.findLast(({ leg }) => leg === 'request');
  if (final === undefined) return { kind: 'dropped', host: walk.request.from, reason: 'no-route' };
  const outcome = requestOutcome(final, plan);
  if (outcome.kind !== 'delivered' || !reply) return outcome;
  const replies = walk.hops.filter(({ leg }) => leg === 'reply');
  for (const { host, fate, events } of replies) {
    if (host !== walk.request.from || fate.kind !== 'delivered') continue;
    // The outer packet of a tunnel is not the answer.
    if (events.some(({ kind }) => kind === 'decapsulated')) continue;
    return answersRequest(walk.request)(fate.packet)
      ? { ...outcome, answered: true }
      : { kind: 'reply-unrecognised', host, packet: fate.packet };
  }
  const last = replies.at(-1);
  return last === undefined ? outcome : { ...outcome, kind: 'reply-lost', reply: last };
}

/** True when the connection attempt got what it came for. */
export function isSuccess(outcome: Outcome): boolean {
  return outcome.kind === 'delivered';
}
