/**
 * Random packet sequences that make sense to a connection tracker: flows from anywhere to anywhere with
 * answers to what was seen leaving, handshakes and their violations, errors about known and unknown flows,
 * and now and then plain nonsense.
 */
import type { Injection, Observation } from '../../../src/cli/kernel/observe.ts';
import { type IpAddress, parseIpAddress } from '../../../src/wire/ip-address.ts';
import { NO_BYTES, type Packet, type TcpSegment, type Transport } from '../../../src/wire/packet.ts';
import { TCP_FLAG } from '../../../src/wire/protocol.ts';
import type { Dice } from './dice.ts';
import type { FuzzHost } from './fuzz-host.ts';

export type Step =
  | { readonly kind: 'packet'; readonly injection: Injection }
  | { readonly kind: 'wait'; readonly seconds: number };

const { SYN, ACK, FIN, RST, PSH, URG, ECE, CWR } = TCP_FLAG;

/** The server's side of a flow, as it showed when the first packet left the host. */
interface ServerView {
  readonly device: string;
  /** Addresses and ports as the server sees them: where an answer comes from and where it goes. */
  readonly packet: Packet;
}

interface Flow {
  readonly first: Packet;
  /** Where the client's packets come in; undefined: made on the host. */
  readonly device: string | undefined;
  server: ServerView | undefined;
  clientNext: number;
  serverNext: number;
  clientWindow: number;
  serverWindow: number;
  /** How far the regular exchange has come: 0 opened, 1 answered, 2 acknowledged, 3 and on closing. */
  stage: number;
}

const PORTS = [22, 53, 80, 443, 500, 1000, 5353, 8080, 30000, 32767];

/** Source ports few enough to collide. */
const SOURCE_PORTS = [5, 500, 1000, 1023, 1024, 40000, 40001, 40002, 60000];

const MARTIANS = [
  '0.0.0.0',
  '255.255.255.255',
  '127.0.0.1',
  '127.3.2.1',
  '224.0.0.1',
  '224.0.0.5',
  '240.0.0.1',
  '0.1.2.3',
  '169.254.1.1',
].map(parseIpAddress);

function swapped(packet: Packet): Pick<Packet, 'src' | 'dst'> {
  return { src: packet.dst, dst: packet.src };
}

/** The transport of an answer in the opposite direction, for protocols where that is a matter of headers. */
function answering(transport: Transport): Transport {
  switch (transport.kind) {
    case 'udp':
    case 'sctp':
      return { ...transport, sport: transport.dport, dport: transport.sport };
    case 'tcp':
      return { ...transport, sport: transport.dport, dport: transport.sport };
    case 'icmp':
      return { ...transport, type: transport.type === 8 ? 0 : transport.type === 13 ? 14 : transport.type };
    case 'opaque':
      return transport;
  }
}

export class FuzzTraffic {
  readonly #dice: Dice;
  readonly #host: FuzzHost;
  readonly #flows: Flow[] = [];
  readonly #waits: readonly number[];
  /** Everything injected so far, to be repeated. */
  readonly #past: Injection[] = [];
  #pending: Flow | undefined;
  #id: number;

  /** `waits` are the pauses to choose from; none: no time passes. */
  constructor(dice: Dice, host: FuzzHost, waits: readonly number[]) {
    this.#dice = dice;
    this.#host = host;
    this.#waits = waits;
    this.#id = dice.between(1, 30000);
  }

  /** What to do next. */
  next(): Step {
    const dice = this.#dice;
    if (this.#waits.length > 0 && dice.chance(6)) return { kind: 'wait', seconds: dice.pick(this.#waits) };
    this.#pending = undefined;
    const injection = dice.weighted<() => Injection>(
      [this.#flows.length < 3 ? 60 : 18, () => this.#open()],
      [this.#flows.length > 0 ? 50 : 0, () => this.#continue(dice.pick(this.#flows))],
      [this.#past.length > 0 ? 8 : 0, () => this.#repeat()],
      [this.#flows.length > 0 ? 9 : 0, () => this.#error(dice.pick(this.#flows))],
      [4, () => this.#nonsense()],
    )();
    const twisted = this.#twist(injection);
    this.#past.push(twisted);
    return { kind: 'packet', injection: twisted };
  }

  /** Tells what came of the last packet, so that it can be answered. */
  saw(observation: Observation): void {
    const flow = this.#pending;
    if (flow === undefined || flow.server !== undefined) return;
    const left = observation.sent.find(({ original }) => original);
    if (left !== undefined) flow.server = { device: left.device, packet: left.packet };
  }

  #nextId(): number {
    this.#id = (this.#id % 65535) + 1;
    return this.#id;
  }

  #packet(ends: Pick<Packet, 'src' | 'dst'>, transport: Transport): Packet {
    const dice = this.#dice;
    return {
      ...ends,
      ttl: dice.weighted([30, 64], [1, 1], [1, 0], [2, 2], [1, 255]),
      tos: dice.weighted([10, 0], [1, 0x10], [1, 0x08], [1, 0xb8]),
      id: this.#nextId(),
      dontFragment: dice.chance(30),
      transport,
    };
  }

  #anyDestination(): IpAddress {
    const dice = this.#dice;
    const segment = dice.pick(this.#host.segments);
    return dice.weighted<() => IpAddress>(
      [5, () => dice.pick(segment.peers)],
      [4, () => dice.pick(this.#host.remote)],
      [3, () => dice.pick(segment.own.length > 0 ? segment.own : segment.peers)],
    )();
  }

  #open(): Injection {
    const dice = this.#dice;
    const segment = dice.pick(this.#host.segments);
    const local = dice.chance(22);
    const src = local
      ? dice.pick(segment.own.length > 0 && dice.chance(90) ? segment.own : segment.peers)
      : dice.chance(90)
        ? dice.pick(segment.peers)
        : dice.pick(this.#host.remote);
    const transport = this.#opening();
    const packet = this.#packet({ src, dst: this.#anyDestination() }, transport);
    const flow: Flow = {
      first: packet,
      device: local ? undefined : segment.device,
      server: undefined,
      clientNext: transport.kind === 'tcp' ? (transport.seq + 1) >>> 0 : 0,
      serverNext: dice.uint32(),
      clientWindow: dice.pick([1000, 8192, 65535]),
      serverWindow: dice.pick([1000, 3000, 65535]),
      stage: 0,
    };
    this.#flows.push(flow);
    if (this.#flows.length > 12) this.#flows.shift();
    this.#pending = flow;
    return this.#from(flow, packet);
  }

  #from(flow: Flow, packet: Packet): Injection {
    return flow.device === undefined ? { packet } : { packet, device: flow.device };
  }

  #opening(): Transport {
    const dice = this.#dice;
    const ports = { sport: dice.pick(SOURCE_PORTS), dport: dice.pick(PORTS) };
    return dice.weighted<() => Transport>(
      [
        5,
        () =>
          this.#segment({
            ...ports,
            flags: dice.weighted([12, SYN], [1, ACK], [1, ACK | PSH], [1, SYN | ECE | CWR]),
            ack: 0,
          }),
      ],
      [4, () => ({ kind: 'udp', ...ports, data: this.#data() })],
      [
        2,
        () => ({
          kind: 'icmp',
          type: dice.weighted([8, 8], [1, 13]),
          code: dice.weighted([9, 0], [1, 5]),
          id: dice.between(1, 4),
          sequence: 1,
          data: this.#data(),
        }),
      ],
      [1, () => ({ kind: 'sctp', ...ports, verificationTag: 0, data: sctpInit(dice.uint32()) })],
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

  #data(): Uint8Array {
    const { length } = { length: this.#dice.pick([0, 0, 1, 4, 20]) };
    return Uint8Array.from({ length }, (_, index) => index + 1);
  }

  #segment(fields: Pick<TcpSegment, 'sport' | 'dport' | 'flags'> & Partial<TcpSegment>): TcpSegment {
    const dice = this.#dice;
    // Maximum segment size, window scale, selective acknowledgements: what a tracker reads of a SYN.
    const options =
      fields.flags & SYN
        ? dice.weighted<readonly number[]>(
            [5, []],
            [2, [2, 4, 5, 180]],
            [2, [2, 4, 5, 180, 4, 2, 1, 3, 3, dice.between(0, 14), 1, 1]],
            [1, [3, 3, dice.between(0, 8), 0]],
          )
        : [];
    return {
      kind: 'tcp',
      seq: dice.uint32(),
      ack: dice.uint32(),
      window: dice.pick([1000, 3000, 65535]),
      options: Uint8Array.from(options.slice(0, options.length & ~3)),
      data: NO_BYTES,
      ...fields,
    };
  }

  #continue(flow: Flow): Injection {
    return flow.first.transport.kind === 'tcp' ? this.#continueTcp(flow) : this.#continuePlain(flow);
  }

  /** Another packet of a flow without states: from either side. */
  #continuePlain(flow: Flow): Injection {
    const { server, first } = flow;
    const data = this.#data();
    if (server === undefined || this.#dice.chance(45)) {
      const { transport } = first;
      const again =
        transport.kind === 'icmp' ? { ...transport, sequence: this.#dice.between(2, 9) } : transport;
      this.#pending = flow;
      return this.#from(flow, this.#packet(first, again.kind === 'udp' ? { ...again, data } : again));
    }
    const transport = answering(server.packet.transport);
    const answer = this.#packet(
      swapped(server.packet),
      transport.kind === 'udp' ? { ...transport, data } : transport,
    );
    return { packet: answer, device: server.device };
  }

  #client(flow: Flow, fields: Pick<TcpSegment, 'flags'> & Partial<TcpSegment>): Injection {
    const { first } = flow;
    if (first.transport.kind !== 'tcp') throw new RangeError('not a TCP flow');
    const { sport, dport } = first.transport;
    this.#pending = flow;
    const segment = this.#segment({
      seq: flow.clientNext,
      ack: fields.flags & ACK ? flow.serverNext : 0,
      window: flow.clientWindow,
      ...fields,
      sport,
      dport,
    });
    return this.#from(flow, this.#packet(first, segment));
  }

  #server(
    flow: Flow,
    server: ServerView,
    fields: Pick<TcpSegment, 'flags'> & Partial<TcpSegment>,
  ): Injection {
    const { transport } = server.packet;
    if (transport.kind !== 'tcp') throw new RangeError('not a TCP flow');
    const segment = this.#segment({
      seq: flow.serverNext,
      ack: fields.flags & ACK ? flow.clientNext : 0,
      window: flow.serverWindow,
      ...fields,
      sport: transport.dport,
      dport: transport.sport,
    });
    return { packet: this.#packet(swapped(server.packet), segment), device: server.device };
  }

  #continueTcp(flow: Flow): Injection {
    const dice = this.#dice;
    const { server } = flow;
    if (server === undefined) {
      return this.#client(flow, {
        flags: dice.pick([SYN, ACK, RST, FIN | ACK]),
        seq: (flow.clientNext - dice.between(0, 1)) >>> 0,
      });
    }
    if (dice.chance(30)) return this.#violate(flow, server);
    return this.#proceed(flow, server);
  }

  /** The next step of a regular exchange. */
  #proceed(flow: Flow, server: ServerView): Injection {
    const dice = this.#dice;
    switch (flow.stage) {
      case 0: {
        flow.stage = 1;
        const answer = this.#server(flow, server, { flags: SYN | ACK });
        flow.serverNext = (flow.serverNext + 1) >>> 0;
        return answer;
      }
      case 1:
        flow.stage = 2;
        return this.#client(flow, { flags: ACK });
      case 2: {
        const data = Uint8Array.from({ length: dice.between(0, 30) }, (_, index) => index);
        const length = data.length;
        if (dice.chance(15)) flow.stage = 3;
        const closing = flow.stage === 3;
        const flags = closing ? FIN | ACK : dice.pick([ACK, ACK | PSH]);
        const advance = length + (closing ? 1 : 0);
        if (dice.chance(50)) {
          const segment = this.#client(flow, { flags, data });
          flow.clientNext = (flow.clientNext + advance) >>> 0;
          return segment;
        }
        const segment = this.#server(flow, server, { flags, data });
        flow.serverNext = (flow.serverNext + advance) >>> 0;
        return segment;
      }
      default: {
        flow.stage++;
        if (flow.stage > 8) flow.stage = 0;
        const flags = dice.weighted([3, FIN | ACK], [4, ACK], [1, RST | ACK]);
        const advance = flags & FIN ? 1 : 0;
        if (dice.chance(50)) {
          const segment = this.#client(flow, { flags });
          flow.clientNext = (flow.clientNext + advance) >>> 0;
          return segment;
        }
        const segment = this.#server(flow, server, { flags });
        flow.serverNext = (flow.serverNext + advance) >>> 0;
        return segment;
      }
    }
  }

  /** A segment that the exchange does not call for. */
  #violate(flow: Flow, server: ServerView): Injection {
    const dice = this.#dice;
    const fromClient = dice.chance(50);
    const shift = dice.weighted(
      [4, 0],
      [2, 1],
      [1, -1],
      [2, dice.between(-3000, 5000)],
      [1, 70000],
      [1, dice.uint32()],
    );
    const ackShift = dice.weighted([5, 0], [2, 1], [1, -1], [1, dice.between(-70000, 3000)]);
    const flags = dice.weighted(
      [3, RST],
      [2, RST | ACK],
      [3, SYN],
      [2, SYN | ACK],
      [3, ACK],
      [2, FIN | ACK],
      [1, FIN],
      [1, 0],
      [1, PSH],
      [1, SYN | FIN],
      [1, FIN | PSH | URG],
      [1, SYN | RST],
      [1, ACK | URG | PSH],
    );
    const fields = {
      flags,
      seq: ((fromClient ? flow.clientNext : flow.serverNext) + shift) >>> 0,
      ack: flags & ACK ? ((fromClient ? flow.serverNext : flow.clientNext) + ackShift) >>> 0 : 0,
      data: dice.chance(25) ? this.#data() : NO_BYTES,
    };
    return fromClient ? this.#client(flow, fields) : this.#server(flow, server, fields);
  }

  /** A packet seen before, once more: from the wire it comes with its identification, here with a new one. */
  #repeat(): Injection {
    const { packet, ...rest } = this.#dice.pick(this.#past.slice(-8));
    return { ...rest, packet: { ...packet, id: this.#nextId() } };
  }

  /** An ICMP error about a flow, from one of its ends or a router between. */
  #error(flow: Flow): Injection {
    const dice = this.#dice;
    const { server, first } = flow;
    const [type, code] = dice.pick([
      [3, 1],
      [3, 3],
      [3, 4],
      [11, 0],
      [12, 0],
      [4, 0],
      [5, 1],
    ] as const);
    const aboutReply = dice.chance(25);
    // The quoted packet as the sender of the error saw it: near the server, or near the client.
    const near = server !== undefined && !aboutReply ? server.packet : first;
    const quoted = aboutReply ? { ...near, ...swapped(near), transport: answering(near.transport) } : near;
    const sender = dice.weighted<() => IpAddress>(
      [4, () => quoted.dst],
      [3, () => dice.pick(dice.pick(this.#host.segments).peers)],
    )();
    const dst = dice.chance(92) ? quoted.src : this.#anyDestination();
    const packet = this.#packet(
      { src: sender, dst },
      {
        kind: 'icmp',
        type,
        code,
        id: 0,
        sequence: type === 3 && code === 4 ? 1400 : 0,
        data: NO_BYTES,
        quoted,
      },
    );
    const device = near === first ? flow.device : server?.device;
    return { packet, device: device ?? dice.pick(this.#host.segments).device };
  }

  #nonsense(): Injection {
    const dice = this.#dice;
    const device = dice.pick(this.#host.segments).device;
    const src = dice.chance(50) ? dice.pick(MARTIANS) : this.#anyDestination();
    const dst = dice.chance(50) ? dice.pick(MARTIANS) : this.#anyDestination();
    const transport = dice.weighted<() => Transport>(
      [3, () => this.#opening()],
      [
        1,
        () => ({
          kind: 'icmp',
          type: dice.pick([0, 14, 6, 30, 42, 17, 9]),
          code: 0,
          id: 1,
          sequence: 1,
          data: NO_BYTES,
        }),
      ],
      [
        1,
        () => ({
          kind: 'opaque',
          protocol: dice.pick([6, 17, 132, 1]),
          data: new Uint8Array(dice.between(0, 7)),
        }),
      ],
      [
        1,
        () => ({
          kind: 'icmp',
          type: 3,
          code: 3,
          id: 0,
          sequence: 0,
          data: new Uint8Array(dice.between(0, 40)),
        }),
      ],
    )();
    return { packet: this.#packet({ src, dst }, transport), device };
  }

  /** Now and then a packet comes in by the wrong device, or damaged. */
  #twist(injection: Injection): Injection {
    const dice = this.#dice;
    const { packet } = injection;
    if (injection.device === undefined) return injection;
    if (dice.chance(3)) return { ...injection, device: dice.pick(this.#host.segments).device };
    if (packet.transport.kind !== 'opaque' && dice.chance(2)) {
      return { ...injection, packet: { ...packet, corrupt: 'transport-checksum' } };
    }
    return injection;
  }
}

/** An SCTP INIT chunk with this initiate tag (RFC 9260 §3.3.2). */
function sctpInit(tag: number): Uint8Array {
  const out = new Uint8Array(20);
  const view = new DataView(out.buffer);
  view.setUint8(0, 1);
  view.setUint16(2, 20);
  view.setUint32(4, tag);
  view.setUint32(8, 65536);
  view.setUint16(12, 1);
  view.setUint16(14, 1);
  view.setUint32(16, tag);
  return out;
}
