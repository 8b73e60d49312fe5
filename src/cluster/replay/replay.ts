/**
 * A capture's packets sent into the emulated cluster at one device, at the capture's own pace.
 *
 *   packets of the host's own addresses ─▶ the host sends them
 *   all others                          ─▶ the device receives them, in frames for it
 *
 * Answers go where the packets claim to come from, and are taken in silence there: whoever lives at that
 * address in the emulated cluster has not asked, and would refuse them.
 */
import type { Namespace } from '../../netstack/namespace.ts';
import type { NamespaceEvent } from '../../netstack/namespace-events.ts';
import { isLinkLocal, isLoopback, isMulticast, isUnspecified } from '../../netstack/route-table.ts';
import { InputError } from '../../sim/input-error.ts';
import { ipFrame } from '../../wire/frame.ts';
import { formatIpAddress, type IpAddress, sameAddress } from '../../wire/ip-address.ts';
import { prefixContains } from '../../wire/ip-prefix.ts';
import { BROADCAST_MAC, groupMac, isMulticastMac } from '../../wire/mac.ts';
import { CaptureSession } from '../captures/capture-session.ts';
import type { ClusterObjects } from '../derive.ts';
import { liveCluster } from '../live-cluster.ts';
import type { ClusterNetwork, Observation } from '../network/cluster-network.ts';
import { planNetwork } from '../network/network-plan.ts';
import { PacketStory, type ReplayCause } from './packet-outcome.ts';
import { FlowTable, type ReplayFlow } from './replay-flow.ts';
import type { ReplayPacket } from './replay-packets.ts';
import { findPlace, type PlaceWords, type ReplayPlace, strangerAt } from './replay-place.ts';

export interface ReplayOptions {
  readonly at: PlaceWords;
  readonly seed: number;
  /** Keep a capture of everything that passes any device. */
  readonly capture: boolean;
}

export interface ReplayResult {
  readonly place: ReplayPlace;
  readonly flows: readonly ReplayFlow[];
  /** The pcapng and pcap files of what happened, when a capture was asked for. */
  readonly capture: CaptureSession | undefined;
}

/** Virtual seconds for what the last packet leads to: a neighbour that nobody answers for is given up after three. */
const PATIENCE = 10;
/** More events a packet than this are one that goes round in circles. */
const MAX_EVENTS = 100_000;

/**
 * Addresses that packets come from and that nobody in the cluster has: each becomes a host outside, so that
 * answers have somewhere to go. Addresses of the pods' and Services' own networks stay nobody's.
 */
function strangersOf(cluster: ClusterObjects, packets: readonly ReplayPacket[], at: PlaceWords): IpAddress[] {
  const plan = planNetwork(cluster);
  const known = new Set(
    [...plan.hosts.values()].flatMap(({ ownAddresses }) => ownAddresses.map(formatIpAddress)),
  );
  const inside = [...cluster.podSubnets, ...cluster.serviceSubnets];
  const own = strangerAt(at);
  const found = new Map<string, IpAddress>(own === undefined ? [] : [[formatIpAddress(own), own]]);
  for (const { packet } of packets) {
    const text = formatIpAddress(packet.src);
    const ours = known.has(text) || inside.some((prefix) => prefixContains(prefix, packet.src));
    if (!ours && isUnicast(packet.src)) found.set(text, packet.src);
  }
  return [...found.values()];
}

function isUnicast(address: IpAddress): boolean {
  if (isMulticast(address) || isLoopback(address) || isLinkLocal(address) || isUnspecified(address))
    return false;
  return typeof address !== 'number' || address >>> 28 !== 0xf;
}

class Replay {
  readonly #network: ClusterNetwork;
  readonly #place: ReplayPlace;
  readonly #namespace: Namespace;
  readonly #flows = new FlowTable();
  readonly #stories: PacketStory[] = [];
  /** The passes that are going on in each host, and whose they are: an answer is made inside the pass it answers. */
  readonly #passes = new Map<string, ReplayCause['leg'][]>();
  readonly #session: CaptureSession | undefined;

  constructor(network: ClusterNetwork, options: ReplayOptions) {
    this.#network = network;
    this.#place = findPlace(network, options.at);
    this.#namespace = network.namespace(this.#place.host);
    if (options.capture) {
      this.#session = new CaptureSession(network.plan, { hook: () => false, note: () => this.#note() });
    }
  }

  /** Sends all packets; returns what became of them. */
  run(packets: readonly ReplayPacket[]): ReplayResult {
    const { scheduler } = this.#network;
    const begun = scheduler.now();
    const flowOf = packets.map(({ packet, frame }) => this.#flows.flowOf(packet, frame));
    this.#silence(packets);
    this.#network.observe(this.#observe);
    for (const [index, each] of packets.entries()) {
      this.#passUntil(begun + each.time, each.frame);
      this.#stories.push(new PacketStory());
      this.#frames.push(each.frame);
      scheduler.withCause({ index, leg: 'packet' } satisfies ReplayCause, () => this.#send(each));
    }
    scheduler.runUntilIdle({ until: scheduler.now() + PATIENCE, events: MAX_EVENTS });
    this.#network.observe(undefined);
    for (const [index, story] of this.#stories.entries()) this.#flows.noteOutcome(flowOf[index] ?? -1, story);
    return { place: this.#place, flows: this.#flows.flows(), capture: this.#session };
  }

  /** Lets time pass until the next packet is due; without a bound, packets that go round in circles never end. */
  #passUntil(time: number, frame: number): void {
    const { scheduler } = this.#network;
    const { events, idle } = scheduler.runUntilIdle({ until: time, events: MAX_EVENTS });
    if (!idle && events >= MAX_EVENTS) {
      throw new InputError(
        `more than ${MAX_EVENTS} things happened before frame ${frame} was due: packets go round in circles`,
      );
    }
    scheduler.runUntil(time);
  }

  readonly #frames: number[] = [];

  /** For the capture: which packet of the input something comes from. */
  #note(): string | undefined {
    const cause = this.#cause();
    if (cause === undefined) return undefined;
    const frame = this.#frames[cause.index];
    return cause.leg === 'packet' ? `replayed packet ${frame}` : `because of replayed packet ${frame}`;
  }

  #cause(): ReplayCause | undefined {
    const { cause } = this.#network.scheduler;
    return typeof cause === 'object' && cause !== null && 'leg' in cause ? (cause as ReplayCause) : undefined;
  }

  /** Those who have not asked take answers in silence. */
  #silence(packets: readonly ReplayPacket[]): void {
    const sources = new Map(packets.map(({ packet }) => [formatIpAddress(packet.src), packet.src]));
    for (const { label, ownAddresses } of this.#network.plan.hosts.values()) {
      if (!ownAddresses.some((address) => sources.has(formatIpAddress(address)))) continue;
      const namespace = this.#network.namespace(label);
      void namespace.sockets;
      const { answerer } = namespace;
      namespace.answerer = (packet, delivery) => {
        if (!this.#flows.isAnswer(packet)) return answerer(packet, delivery);
        this.#flows.noteAnswer(packet);
        return undefined;
      };
    }
  }

  #send({ packet, destination }: ReplayPacket): void {
    const namespace = this.#namespace;
    const own = this.#network.planOf(this.#place.host).ownAddresses;
    if (own.some((address) => sameAddress(address, packet.src))) {
      namespace.send(packet);
      return;
    }
    const device = namespace.interface(this.#place.device);
    if (device === undefined) return;
    if (device.kind === 'loopback' || device.kind === 'ipip') {
      namespace.packetIn(device, packet);
      return;
    }
    // The emulated cluster has link addresses of its own: what was for one host is for this device.
    const toAll = destination !== undefined && isMulticastMac(destination);
    const group = isMulticast(packet.dst) ? groupMac(packet.dst) : undefined;
    const target = toAll ? destination : packet.dst === 0xffffffff ? BROADCAST_MAC : (group ?? device.mac);
    device.receive(ipFrame(SENDER_MAC, target, packet));
  }

  readonly #observe = (observation: Observation): void => {
    const { host, event } = observation;
    const cause = this.#cause();
    const leg = cause === undefined ? 'answer' : this.#legOf(host, event, cause);
    this.#session?.observe(observation);
    if (cause !== undefined && leg === 'packet') this.#stories[cause.index]?.tell(host, event);
  };

  /** Whom `event` is about; whatever follows an answer carries that on. */
  #legOf(host: string, event: NamespaceEvent, cause: ReplayCause): ReplayCause['leg'] {
    const passes = this.#passes.get(host) ?? [];
    this.#passes.set(host, passes);
    // A pass ends as what it began as, whatever was said inside it.
    if (event.kind === 'fate') return passes.pop() ?? cause.leg;
    const begins = event.kind === 'receive' || event.kind === 'originate';
    if (!begins) return cause.leg;
    const said = event.kind === 'originate' && (passes.length > 0 || event.answers !== undefined);
    const leg = said ? 'answer' : cause.leg;
    if (leg !== cause.leg) this.#network.scheduler.cause = { ...cause, leg } satisfies ReplayCause;
    // What the host itself says has no end of its own.
    if (event.kind === 'receive' || event.answers === undefined) passes.push(leg);
    return leg;
  }
}

/** Nobody in the emulated cluster has this address. */
const SENDER_MAC = 0x02_00_00_ff_ff_fe;

/** Brings `cluster` to life and replays `packets`. Throws InputError for places there are not. */
export function replay(
  cluster: ClusterObjects,
  packets: readonly ReplayPacket[],
  options: ReplayOptions,
): ReplayResult {
  if (packets.length === 0) throw new InputError('the capture holds no IP packet to replay');
  const strangers = strangersOf(cluster, packets, options.at);
  return new Replay(liveCluster(cluster, { seed: options.seed, strangers }), options).run(packets);
}
