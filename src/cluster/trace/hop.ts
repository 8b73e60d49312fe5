/** One host's part in the way of one packet, and how the parts are told apart in what namespaces tell. */
import type { DropReason } from '../../netfilter/verdict.ts';
import type { HostEvent } from '../../netstack/events.ts';
import { dropped, type Fate } from '../../netstack/fate.ts';
import type { LinkEvent, NamespaceEvent } from '../../netstack/namespace-events.ts';
import type { IpAddress } from '../../wire/ip-address.ts';
import type { Packet } from '../../wire/packet.ts';
import type { AnyHostPlan } from '../network/network-plan.ts';

export type Leg = 'request' | 'reply';

/** What became of a packet after its host had sent it. */
export interface Loss {
  readonly reason: DropReason;
  readonly device: string;
  /** The neighbour that was not found. */
  readonly nextHop?: IpAddress;
}

export interface Hop {
  readonly leg: Leg;
  readonly host: string;
  readonly kind: AnyHostPlan['kind'];
  /** What happened, in order: first at the link it came by, then in the host, then at the link it left by. */
  readonly events: readonly NamespaceEvent[];
  readonly fate: Fate;
  readonly loss?: Loss;
}

/** A hop that is still going on. */
export interface OpenHop {
  readonly leg: Leg;
  readonly host: string;
  readonly kind: AnyHostPlan['kind'];
  readonly events: NamespaceEvent[];
  fate: Fate | undefined;
  loss: Loss | undefined;
}

const NDP_FIRST = 133;
const NDP_LAST = 137;

/** Neighbour discovery is how hosts find each other, not what was asked about. */
function isNeighbourDiscovery({ src, transport }: Packet): boolean {
  if (typeof src === 'number' || transport.kind !== 'icmp') return false;
  return transport.type >= NDP_FIRST && transport.type <= NDP_LAST;
}

/** The packet as it came to the host, or as the host made it. What comes in again through lo begins at a hook. */
export function firstPacket(events: readonly NamespaceEvent[]): Packet | undefined {
  for (const event of events) {
    if (event.kind === 'receive' || event.kind === 'originate' || event.kind === 'hook') return event.packet;
    if (event.kind === 'frame-received' && event.frame.payload.kind === 'ip')
      return event.frame.payload.packet;
  }
  return undefined;
}

/** The device by which it came in, a bridge's port and not the bridge; undefined: the host made it. */
export function arrivalDevice(events: readonly NamespaceEvent[]): string | undefined {
  for (const event of events) {
    if (event.kind === 'originate') return undefined;
    if (event.kind === 'receive' || event.kind === 'frame-received') return event.device;
  }
  return 'lo';
}

/** Whether `hop` says anything about the packet that is followed. */
export function isOfInterest({ events, fate }: OpenHop): boolean {
  const packet = firstPacket(events);
  if (packet === undefined || isNeighbourDiscovery(packet)) return false;
  // A flooded frame also reaches those it is not for.
  return !(fate?.kind === 'dropped' && fate.reason === 'not-for-us');
}

/** The fate of an answer that its host made: whether it left, came back over lo, or was stopped by rules. */
function answerFate(events: readonly NamespaceEvent[]): Fate {
  const out = events.find((event) => event.kind === 'transmit');
  if (out?.kind === 'transmit') return { kind: 'sent', device: out.device, packet: out.packet };
  const looped = events.findLast((event) => event.kind === 'loopback');
  return looped?.kind === 'loopback'
    ? { kind: 'sent', device: 'lo', packet: looped.packet }
    : dropped('answer-dropped');
}

export function closed({ leg, host, kind, events, fate, loss }: OpenHop): Hop {
  return {
    leg,
    host,
    kind,
    events,
    fate: fate ?? answerFate(events),
    ...(loss === undefined ? {} : { loss }),
  };
}

const LINK_KINDS: ReadonlySet<string> = new Set<LinkEvent['kind']>([
  'frame-sent',
  'frame-received',
  'frame-dropped',
  'frame-lost',
  'packet-dropped',
  'neighbour-wait',
  'neighbour',
  'bridge',
  'encapsulated',
  'decapsulated',
]);

export function isLinkEvent(event: NamespaceEvent): event is LinkEvent {
  return LINK_KINDS.has(event.kind);
}

/** Events of the host itself, without those of its links. */
export function hostEvents(events: readonly NamespaceEvent[]): HostEvent[] {
  return events.filter((event): event is HostEvent => !isLinkEvent(event));
}
