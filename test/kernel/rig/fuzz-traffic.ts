/**
 * Random packet sequences that make sense to a connection tracker: flows from anywhere to anywhere with
 * answers to what was seen leaving, errors about known and unknown flows, repeats, pauses, and now and then
 * plain nonsense.
 */
import type { Injection, Observation } from '../../../src/cli/kernel/observe.ts';
import type { IpAddress } from '../../../src/wire/ip-address.ts';
import { NO_BYTES, type Packet, type Transport } from '../../../src/wire/packet.ts';
import type { Dice } from './dice.ts';
import { answering, type Dialogue, dialogueOf, someData } from './fuzz-dialogue.ts';
import { cutUp } from './fuzz-fragments.ts';
import type { FuzzHost } from './fuzz-host.ts';
import { PORTS } from './fuzz-scene.ts';
import { openingChunk } from './sctp-dialogue.ts';
import { openingSegment } from './tcp-dialogue.ts';

export type Step =
  | { readonly kind: 'packet'; readonly injection: Injection }
  | { readonly kind: 'wait'; readonly seconds: number };

interface Flow {
  readonly first: Packet;
  /** Where the client's packets come in; undefined: made on the host. */
  readonly device: string | undefined;
  readonly dialogue: Dialogue;
  /** The client's last packet as it left, and through which device: how the server sees the flow. */
  server: { readonly device: string; readonly packet: Packet } | undefined;
}

/** Source ports few enough to collide, in every class that NAT keeps apart. */
const SOURCE_PORTS = [5, 500, 1000, 1023, 1024, 40000, 40001, 40002, 60000];

/** Types and codes of errors, and the second header word's lower half. */
const ERRORS = {
  ipv4: [
    [3, 1, 0],
    [3, 3, 0],
    [3, 4, 1400],
    [3, 4, 600],
    [3, 4, 300],
    [11, 0, 0],
    [12, 0, 0],
    [4, 0, 0],
    [5, 1, 0],
  ],
  ipv6: [
    [1, 0, 0],
    [1, 4, 0],
    [2, 0, 1400],
    [2, 0, 1300],
    [3, 0, 0],
    [4, 1, 0],
  ],
} as const;

/** ICMP types that open no flow, or none that anybody waits for. */
const STRAY_TYPES = { ipv4: [0, 14, 6, 30, 42, 17, 9], ipv6: [129, 139, 100, 200, 144] } as const;

function swapped(packet: Packet): Pick<Packet, 'src' | 'dst'> {
  return { src: packet.dst, dst: packet.src };
}

/** `said` with the ports of `as`. */
function withPortsOf(said: Transport, as: Transport): Transport {
  return 'sport' in said && 'sport' in as ? { ...said, sport: as.sport, dport: as.dport } : said;
}

export interface TrafficOptions {
  readonly waits?: readonly number[];
  readonly maxData?: number;
}

export class FuzzTraffic {
  readonly #dice: Dice;
  readonly #host: FuzzHost;
  readonly #waits: readonly number[];
  readonly #maxData: number;
  readonly #flows: Flow[] = [];
  /** Everything injected so far, to be repeated. */
  readonly #past: Injection[] = [];
  /** Fragments that are still to come. */
  #pieces: Injection[] = [];
  /** The flow whose client has just spoken. */
  #pending: Flow | undefined;
  #id: number;

  /** `waits` are the pauses to choose from; none: no time passes. `maxData`: the most data in a packet. */
  constructor(dice: Dice, host: FuzzHost, { waits = [], maxData = 1400 }: TrafficOptions = {}) {
    this.#dice = dice;
    this.#host = host;
    this.#waits = waits;
    this.#maxData = maxData;
    this.#id = dice.between(1, 30000);
  }

  get #family() {
    return this.#host.addresses.family;
  }

  /** What to do next. */
  next(): Step {
    const dice = this.#dice;
    const piece = this.#pieces.shift();
    if (piece !== undefined) return { kind: 'packet', injection: piece };
    if (this.#waits.length > 0 && dice.chance(6)) return { kind: 'wait', seconds: dice.pick(this.#waits) };
    this.#pending = undefined;
    const some = this.#flows.length > 0;
    const injection = dice.weighted<() => Injection>(
      [this.#flows.length < 3 ? 60 : 18, () => this.#open()],
      [some ? 50 : 0, () => this.#continue(dice.pick(this.#flows))],
      [this.#past.length > 0 ? 8 : 0, () => this.#repeat()],
      [some ? 9 : 0, () => this.#error(dice.pick(this.#flows))],
      [4, () => this.#nonsense()],
    )();
    const twisted = this.#twist(injection);
    this.#past.push(twisted);
    if (dice.chance(1)) this.#fragment(twisted);
    return { kind: 'packet', injection: this.#pieces.shift() ?? twisted };
  }

  /** Tells what came of the last packet, so that it can be answered. */
  saw(observation: Observation): void {
    const left = observation.sent.find(({ original }) => original);
    if (this.#pending !== undefined && left !== undefined) {
      this.#pending.server = { device: left.device, packet: left.packet };
    }
  }

  #nextId(): number {
    this.#id = (this.#id % 65535) + 1;
    return this.#id;
  }

  #packet(ends: Pick<Packet, 'src' | 'dst'>, transport: Transport): Packet {
    const dice = this.#dice;
    const v4 = this.#family === 'ipv4';
    return {
      ...ends,
      ttl: dice.weighted([30, 64], [1, 1], [1, 0], [2, 2], [1, 255]),
      tos: dice.weighted([10, 0], [1, 0x10], [1, 0x08], [1, 0xb8], [1, 0x03]),
      id: v4 ? this.#nextId() : 0,
      dontFragment: v4 && dice.chance(30),
      transport,
    };
  }

  #anyDestination(): IpAddress {
    const dice = this.#dice;
    const { own, peers } = dice.pick(this.#host.segments);
    const pool = dice.weighted(
      [5, peers],
      [4, this.#host.addresses.remote],
      [3, own.length > 0 ? own : peers],
    );
    return dice.pick(pool);
  }

  #open(): Injection {
    const dice = this.#dice;
    const segment = dice.pick(this.#host.segments);
    const local = dice.chance(22);
    const own = segment.own.length > 0 && dice.chance(90) ? segment.own : segment.peers;
    const far = dice.chance(90) ? segment.peers : this.#host.addresses.remote;
    const src = dice.pick(local ? own : far);
    const dst = dice.chance(4) ? src : this.#anyDestination();
    const first = this.#packet({ src, dst }, this.#opening());
    const flow: Flow = {
      first,
      device: local ? undefined : segment.device,
      dialogue: dialogueOf(dice, first.transport, this.#maxData),
      server: undefined,
    };
    this.#flows.push(flow);
    if (this.#flows.length > 12) this.#flows.shift();
    return this.#asClient(flow, first);
  }

  #asClient(flow: Flow, packet: Packet): Injection {
    this.#pending = flow;
    return flow.device === undefined ? { packet } : { packet, device: flow.device };
  }

  #opening(): Transport {
    const dice = this.#dice;
    const ports = { sport: dice.pick(SOURCE_PORTS), dport: dice.pick(PORTS) };
    const v4 = this.#family === 'ipv4';
    const echo = () => ({
      kind: 'icmp' as const,
      type: v4 ? dice.weighted([8, 8], [1, 13]) : 128,
      code: dice.weighted([9, 0], [1, 5]),
      id: dice.between(1, 4),
      sequence: 1,
      data: dice.chance(30) ? new Uint8Array(12).fill(9) : someData(dice, this.#maxData),
    });
    return dice.weighted<() => Transport>(
      [5, () => openingSegment(dice, ports)],
      [4, () => ({ kind: 'udp', ...ports, data: someData(dice, this.#maxData) })],
      [2, echo],
      [1, () => openingChunk(dice, ports)],
      [
        1,
        () => ({
          kind: 'opaque',
          protocol: dice.pick([4, 50, 89]),
          data: Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 2),
        }),
      ],
    )();
  }

  #continue(flow: Flow): Injection {
    const { server, first, dialogue } = flow;
    const { side, transport } = dialogue.next(server !== undefined);
    if (side === 'client' || server === undefined) {
      return this.#asClient(flow, this.#packet(first, withPortsOf(transport, first.transport)));
    }
    const seen = server.packet.transport;
    const said =
      transport.kind === 'icmp' && seen.kind === 'icmp'
        ? answering({ ...transport, id: seen.id })
        : withPortsOf(transport, answering(seen));
    return { packet: this.#packet(swapped(server.packet), said), device: server.device };
  }

  /** A packet seen before, once more. */
  #repeat(): Injection {
    const { packet, ...rest } = this.#dice.pick(this.#past.slice(-8));
    return { ...rest, packet: { ...packet, id: this.#family === 'ipv4' ? this.#nextId() : 0 } };
  }

  /** An ICMP error about a flow, from one of its ends or a router between. */
  #error(flow: Flow): Injection {
    const dice = this.#dice;
    const { server, first } = flow;
    const [type, code, sequence] = dice.pick<readonly [number, number, number]>(ERRORS[this.#family]);
    // The quoted packet as its receiver, or a router on the way there, had it: beyond the host, or before.
    const beyond = server !== undefined && dice.chance(70);
    const seen = beyond ? server.packet : first;
    const device = beyond ? server.device : flow.device;
    const quoted = dice.chance(25)
      ? { ...seen, ...swapped(seen), transport: answering(seen.transport) }
      : seen;
    const router = dice.chance(45) ? dice.pick(dice.pick(this.#host.segments).peers) : quoted.dst;
    const dst = dice.chance(92) ? quoted.src : this.#anyDestination();
    const packet = this.#packet(
      { src: router, dst },
      { kind: 'icmp', type, code, id: 0, sequence, data: NO_BYTES, quoted },
    );
    return { packet, device: device ?? dice.pick(this.#host.segments).device };
  }

  #nonsense(): Injection {
    const dice = this.#dice;
    const v4 = this.#family === 'ipv4';
    const { odd } = this.#host.addresses;
    const device = dice.pick(this.#host.segments).device;
    const src = dice.chance(50) ? dice.pick(odd) : this.#anyDestination();
    const dst = dice.chance(50) ? dice.pick(odd) : this.#anyDestination();
    const icmp = (type: number, data: Uint8Array): Transport => ({
      kind: 'icmp',
      type,
      code: v4 ? 3 : 4,
      id: 1,
      sequence: 1,
      data,
    });
    const transport = dice.weighted<() => Transport>(
      [3, () => this.#opening()],
      [1, () => ({ ...icmp(dice.pick<number>(STRAY_TYPES[this.#family]), NO_BYTES), code: 0 }) as Transport],
      [
        1,
        () => ({
          kind: 'opaque',
          protocol: dice.pick([6, 17, 132, v4 ? 1 : 58]),
          data: new Uint8Array(dice.between(0, 7)),
        }),
      ],
      // An error whose quotation is no packet.
      [1, () => icmp(v4 ? 3 : 1, new Uint8Array(dice.between(0, 40)))],
    )();
    return { packet: this.#packet({ src, dst }, transport), device };
  }

  /** Lets a packet come in pieces instead: mostly all of them, in any order, sometimes one twice. */
  #fragment({ packet, device }: Injection): void {
    const dice = this.#dice;
    if (device === undefined || packet.corrupt !== undefined) return;
    const cut = cutUp(dice, packet, this.#nextId()) ?? [];
    const pieces = cut.map((piece) => ({ ...piece, device }));
    if (dice.chance(30)) pieces.reverse();
    if (dice.chance(10)) pieces.pop();
    this.#pieces = dice.chance(10) ? [...pieces.slice(0, 1), ...pieces] : pieces;
  }

  /** Now and then a packet comes in by the wrong device, or damaged. */
  #twist(injection: Injection): Injection {
    const dice = this.#dice;
    const { packet } = injection;
    if (injection.device === undefined) return injection;
    if (dice.chance(2)) return { ...injection, frame: dice.pick(['broadcast', 'multicast']) };
    if (dice.chance(3)) return { ...injection, device: dice.pick(this.#host.segments).device };
    if (packet.transport.kind !== 'opaque' && dice.chance(2)) {
      return { ...injection, packet: { ...packet, corrupt: 'transport-checksum' } };
    }
    return injection;
  }
}
