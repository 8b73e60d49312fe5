/**
 * One packet through the whole emulated cluster, and the answer back: every host on the way, what each of
 * them told, and how it ended. Whatever a packet leads to carries the leg it belongs to as its cause.
 */
import { dropped, type Fate } from '../../netstack/fate.ts';
import type { LinkEvent, NamespaceEvent } from '../../netstack/namespace-events.ts';
import { sameAddress } from '../../wire/ip-address.ts';
import type { ClusterNetwork, Observation } from '../network/cluster-network.ts';
import type { Listens } from '../network/host-plan.ts';
import { closed, type Hop, isLinkEvent, isOfInterest, type Leg, type Loss, type OpenHop } from './hop.ts';
import type { TraceRequest } from './request.ts';

export interface Walk {
  readonly request: TraceRequest;
  readonly hops: readonly Hop[];
}

/** Seconds of virtual time: a neighbour that nobody answers for is given up after three. */
const PATIENCE = 60;
/** More events than this are a packet going round in circles. */
const MAX_EVENTS = 20_000;

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

/**
 * Puts what namespaces tell into hops. Every pass through a host's layer 3 is one, answers inside it others,
 * and so is a frame that a bridge passes on without its host.
 */
class HopRecorder {
  readonly #network: ClusterNetwork;
  readonly #hops: OpenHop[] = [];
  /** What a host told of a frame or packet that has not come to a pass yet. */
  readonly #early = new Map<string, NamespaceEvent[]>();
  /** The passes that are going on, the innermost last: an answer is made inside the pass it answers. */
  #open: OpenHop[] = [];

  constructor(network: ClusterNetwork) {
    this.#network = network;
  }

  readonly record = ({ host, event }: Observation): void => {
    if (isLinkEvent(event)) {
      this.#link(host, event);
      return;
    }
    if (event.kind === 'receive' || event.kind === 'originate') this.#begin(host, event);
    const hop = this.#open.at(-1);
    // Hooks that a bridge runs, and what comes in again through lo, are in no pass that was begun.
    if (hop !== undefined) hop.events.push(event);
    else this.#wait(host, event);
    if (event.kind === 'fate') this.#end(host, event.fate);
  };

  hops(): Hop[] {
    return this.#hops.filter(isOfInterest).map(closed);
  }

  #leg(): Leg {
    return this.#network.scheduler.cause === 'reply' ? 'reply' : 'request';
  }

  #begin(host: string, event: NamespaceEvent): void {
    // What the host says of itself goes the other way.
    if (event.kind === 'originate' && event.answers !== undefined) this.#network.scheduler.cause = 'reply';
    this.#open.push(this.#hop(host));
  }

  /** A hop that begins with what `host` told early. */
  #hop(host: string): OpenHop {
    const { kind } = this.#network.planOf(host);
    const events = this.#early.get(host) ?? [];
    this.#early.delete(host);
    const hop: OpenHop = { leg: this.#leg(), host, kind, events, fate: undefined, loss: undefined };
    this.#hops.push(hop);
    return hop;
  }

  #wait(host: string, event: NamespaceEvent): void {
    const early = this.#early.get(host);
    if (early === undefined) this.#early.set(host, [event]);
    else early.push(event);
  }

  /** A fate is that of the innermost pass; answers made in it have none of their own. */
  #end(host: string, fate: Fate): void {
    let hop = this.#open.pop();
    if (hop === undefined) {
      this.#hop(host).fate = fate;
      return;
    }
    while (hop !== undefined && isAnswer(hop)) hop = this.#open.pop();
    if (hop !== undefined) hop.fate = fate;
  }

  #link(host: string, event: LinkEvent): void {
    const latest = this.#hops.findLast((hop) => hop.host === host && hop.leg === this.#leg());
    if (isAboutNeighbours(event) && !isAwaited(event, latest)) return;
    if (event.kind === 'frame-received') {
      // A frame that went no further at this host is forgotten when the next one comes.
      if (!isHandedUp(event.device, this.#early.get(host))) this.#early.delete(host);
      this.#wait(host, event);
    } else if (this.#early.has(host) && this.#open.length === 0) {
      this.#wait(host, event);
      const fate = bridgedFate(event);
      if (fate !== undefined) this.#hop(host).fate = fate;
    } else if (latest !== undefined) {
      latest.events.push(event);
      latest.loss ??= lossOf(event, latest.events);
    }
  }
}

/** True when what comes in by `device` is what its bridge, after `early`, hands to its own host. */
function isHandedUp(device: string, early: readonly NamespaceEvent[] = []): boolean {
  return early.some((event) => event.kind === 'bridge' && event.local && event.bridge === device);
}

/** What became of a frame that a bridge has passed on or dropped. */
function bridgedFate(event: LinkEvent): Fate | undefined {
  if (event.kind === 'frame-dropped') return dropped(event.reason);
  if (event.kind !== 'frame-sent' || event.frame.payload.kind !== 'ip') return undefined;
  return { kind: 'forwarded', device: event.device, packet: event.frame.payload.packet };
}

function isAnswer({ events }: OpenHop): boolean {
  return events.some((event) => event.kind === 'originate' && event.answers !== undefined);
}

/** ARP frames, and what a host learns from them. */
function isAboutNeighbours(event: LinkEvent): boolean {
  return event.kind === 'neighbour' || ('frame' in event && event.frame.payload.kind === 'arp');
}

/** True for news of a neighbour that a packet of `hop` waits for. */
function isAwaited(event: LinkEvent, hop: OpenHop | undefined): boolean {
  if (event.kind !== 'neighbour') return false;
  const { address, device } = event;
  return (
    hop?.events.some(
      (each) =>
        each.kind === 'neighbour-wait' && each.device === device && sameAddress(each.address, address),
    ) === true
  );
}

/** The loss that `event` tells of, after `before`. */
function lossOf(event: LinkEvent, before: readonly NamespaceEvent[]): Loss | undefined {
  if (event.kind !== 'packet-dropped' && event.kind !== 'frame-lost' && event.kind !== 'frame-dropped') {
    return undefined;
  }
  const { reason, device } = event;
  if (reason !== 'no-neighbour') return { reason, device };
  const asked = before.findLast((each) => each.kind === 'neighbour-wait');
  return asked?.kind === 'neighbour-wait' ? { reason, device, nextHop: asked.address } : { reason, device };
}

export interface WalkOptions {
  /** Follow what answers the request too. */
  readonly reply: boolean;
  /** Told of everything that happens, too. */
  readonly observe?: (observation: Observation) => void;
}

/** Sends `request` into `network` and follows it. */
export function walk(network: ClusterNetwork, request: TraceRequest, { reply, observe }: WalkOptions): Walk {
  const recorder = new HopRecorder(network);
  const { scheduler } = network;
  network.observe((observation) => {
    recorder.record(observation);
    observe?.(observation);
  });
  const from = network.namespace(request.from);
  scheduler.withCause('request', () => from.send(request.packet));
  scheduler.runUntilIdle({ until: scheduler.now() + PATIENCE, events: MAX_EVENTS });
  network.observe(undefined);
  const hops = recorder.hops();
  return { request, hops: reply ? hops : hops.filter(({ leg }) => leg === 'request') };
}
