/**
 * One packet through the whole emulated cluster, and the answer back: every host on the way, what each of
 * them told, and how it ended.
 */
import type { HostEvent } from '../../netstack/events.ts';
import type { Fate, Transmission } from '../../netstack/fate.ts';
import { sameAddress } from '../../wire/ip-address.ts';
import type { Packet } from '../../wire/packet.ts';
import type { HostKind, Listens } from '../network/host-plan.ts';
import type { NetworkRun } from '../network/network-run.ts';
import type { TraceRequest } from './request.ts';

export type Leg = 'request' | 'reply';

/** One host's part in the way of one packet. */
export interface Hop {
  readonly leg: Leg;
  readonly host: string;
  readonly kind: HostKind;
  readonly events: readonly HostEvent[];
  readonly fate: Fate;
  /** The transmission that no host answered for, when the way ends in a failed neighbour lookup. */
  readonly unresolved?: Transmission;
}

export interface Walk {
  readonly request: TraceRequest;
  readonly hops: readonly Hop[];
}

/** More hops than this are a routing loop that the TTL will end anyway. */
const MAX_HOPS = 200;

/** Whether `packet` answers `request` from the address and port that the request was sent to. */
export function answersRequest({ packet: request }: TraceRequest): Listens {
  return (packet) => {
    if (!sameAddress(packet.src, request.dst) || !sameAddress(packet.dst, request.src)) return false;
    const asked = request.transport;
    const said = packet.transport;
    if ('sport' in asked && 'sport' in said) {
      return said.kind === asked.kind && said.sport === asked.dport && said.dport === asked.sport;
    }
    return asked.kind === 'icmp' && said.kind === 'icmp' && said.id === asked.id;
  };
}

interface Arrival {
  readonly leg: Leg;
  readonly host: string;
  /** Undefined: the host makes the packet. */
  readonly device: string | undefined;
  readonly packet: Packet;
}

interface Pass {
  readonly own: readonly HostEvent[];
  /** What the host said of itself to the packet, and what came of that. */
  readonly answer: readonly HostEvent[];
  readonly fate: Fate;
  readonly sent: readonly { readonly leg: Leg; readonly transmission: Transmission }[];
}

function isAnswer(event: HostEvent): boolean {
  return event.kind === 'originate' && event.answers !== undefined;
}

function play(run: NetworkRun, { leg, host: label, device: ifname, packet }: Arrival): Pass {
  const host = run.host(label);
  const events: HostEvent[] = [];
  host.trace = (event) => events.push(event);
  const device = ifname === undefined ? undefined : host.addresses.devices.get(ifname);
  const { fate, transmissions } = device === undefined ? host.send(packet) : host.receive(packet, device);
  host.trace = undefined;
  const split = events.findIndex(isAnswer);
  const own = split < 0 ? events : events.slice(0, split);
  const ownSent = own.filter((event) => event.kind === 'transmit').length;
  return {
    own,
    answer: split < 0 ? [] : events.slice(split).filter((event) => event.kind !== 'fate'),
    fate,
    sent: transmissions.map((transmission, index) => ({
      leg: index < ownSent ? leg : 'reply',
      transmission,
    })),
  };
}

/** The fate of an answer: it left its own host, came back to it over lo, or was stopped by its rules. */
function answerFate(pass: Pass): Fate {
  const out = pass.sent.find(({ leg }) => leg === 'reply');
  if (out !== undefined) return { kind: 'sent', ...out.transmission };
  const looped = pass.answer.findLast((event) => event.kind === 'loopback');
  const arrived = pass.fate.kind === 'rejected' && pass.fate.device === 'lo';
  return looped?.kind === 'loopback' && arrived
    ? { kind: 'delivered', packet: looped.packet }
    : { kind: 'dropped', reason: 'answer-dropped' };
}

/** Sends `request` into `run`'s network and follows it; with `reply`, what answers it too. */
export function walk(run: NetworkRun, request: TraceRequest, options: { readonly reply: boolean }): Walk {
  const hops: Hop[] = [];
  run.expect(request.from, answersRequest(request));
  const queue: Arrival[] = [
    { leg: 'request', host: request.from, device: undefined, packet: request.packet },
  ];
  for (let next = queue.shift(); next !== undefined && hops.length < MAX_HOPS; next = queue.shift()) {
    const pass = play(run, next);
    const { kind } = run.planOf(next.host);
    const followed = pass.sent.filter(({ leg }) => leg === 'request' || options.reply);
    const lost = (leg: Leg): { unresolved?: Transmission } => {
      const unresolved = followed.find(
        (sent) => sent.leg === leg && ownerOf(run, next.host, sent.transmission) === undefined,
      );
      return unresolved === undefined ? {} : { unresolved: unresolved.transmission };
    };
    hops.push({ leg: next.leg, host: next.host, kind, events: pass.own, fate: pass.fate, ...lost(next.leg) });
    if (options.reply && next.leg === 'request' && pass.answer.length > 0) {
      const fate = answerFate(pass);
      hops.push({ leg: 'reply', host: next.host, kind, events: pass.answer, fate, ...lost('reply') });
    }
    for (const { leg, transmission } of followed) {
      const owner = ownerOf(run, next.host, transmission);
      if (owner !== undefined) queue.push({ leg, ...owner, packet: transmission.packet });
    }
  }
  return { request, hops };
}

function ownerOf(run: NetworkRun, host: string, { device, nextHop }: Transmission) {
  return run.plan.wiring.segmentOf({ host, device })?.owner(nextHop);
}
