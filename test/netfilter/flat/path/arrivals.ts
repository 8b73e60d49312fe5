/** Random packets that come in at a node: new flows to what its rules name, and all that may follow them. */
import type { RuleSet } from '../../../../src/netfilter/rule-set.ts';
import type { Passage } from '../../../../src/netstack/host.ts';
import { emitPacket } from '../../../../src/wire/headers.ts';
import type { IpAddress } from '../../../../src/wire/ip-address.ts';
import { parseIpAddress } from '../../../../src/wire/ip-address.ts';
import { NO_BYTES, type Packet, type TcpSegment, type Transport } from '../../../../src/wire/packet.ts';
import { PROTOCOL, TCP_FLAG } from '../../../../src/wire/protocol.ts';
import { type Targets, targetsOf } from '../packets.ts';
import type { Dice } from '../random-rules.ts';
import type { Arrival, DEVICES } from './twins.ts';

type DeviceName = (typeof DEVICES)[number];

const SOURCES: readonly (readonly [DeviceName, readonly string[]])[] = [
  ['veth7', ['10.244.1.5', '10.244.1.6', '10.244.1.7']],
  ['veth8', ['10.244.1.133']],
  ['eth0', ['172.18.0.3', '172.18.0.4', '10.244.2.6', '203.0.113.7', '172.18.0.2']],
  ['cni0', ['10.244.9.5']],
];

const { SYN, ACK, FIN, RST, PSH, URG, ECE } = TCP_FLAG;
/** What a segment of a flow that is under way looks like. */
const FLAGS = [ACK, ACK, ACK | PSH, ACK | PSH, FIN | ACK, FIN | ACK, RST, RST | ACK, SYN, SYN | ACK, FIN, 0];
/** Window scale, SACK permitted, timestamps and padding; a lone no-operation row; SACK blocks. */
const OPTIONS = [
  NO_BYTES,
  Uint8Array.of(2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7),
  Uint8Array.of(1, 1, 1, 1),
  Uint8Array.of(1, 1, 5, 10, 0, 0, 4, 0, 0, 0, 8, 0),
];

/** A flow that may go on: the packet as it last passed, in one direction or the other. */
interface Flow {
  packet: Packet;
  device: DeviceName;
}

function addressIn(text: string): IpAddress {
  return parseIpAddress(text);
}

export class Traffic {
  readonly #dice: Dice;
  readonly #targets: Targets;
  readonly #flows: Flow[] = [];

  constructor(dice: Dice, ruleSet: RuleSet) {
    this.#dice = dice;
    const targets = [...ruleSet.tables.values()].map((table) => targetsOf(ruleSet, table));
    const sockets = targets.flatMap((each) => each.sockets);
    const addresses = targets.flatMap((each) => each.addresses);
    this.#targets = { sockets, addresses, ports: targets.flatMap(({ ports }) => ports) };
  }

  /** A packet, and how it came in. */
  next(): Arrival {
    const dice = this.#dice;
    const flow = this.#flows.length > 0 && dice.chance(60) ? dice.pick(this.#flows) : undefined;
    const { packet, device } = flow === undefined ? this.#begin() : this.#goOn(flow);
    const bytes = emitPacket(this.#oddities(packet));
    // Ethernet pads short frames.
    const padded = dice.chance(5) ? Uint8Array.from([...bytes, 0, 0, 0, 0, 0, 0]) : bytes;
    if (dice.chance(2)) padded[dice.random.below(padded.length)] = dice.random.below(256);
    return { bytes: padded, device };
  }

  /** What left the host may be answered, or be followed by more. */
  learn({ transmissions }: Passage): void {
    for (const { packet, device } of transmissions) {
      if (this.#flows.length > 40) this.#flows.splice(this.#dice.random.below(40), 1);
      this.#flows.push({ packet: answer(packet), device: device as DeviceName });
    }
  }

  #begin(): Flow {
    const dice = this.#dice;
    const [device, sources] = dice.pick(SOURCES);
    const { sockets, addresses, ports } = this.#targets;
    const dst = dice.chance(80) ? dice.pick(addresses) : addressIn(dice.pick(['203.0.113.9', '10.244.2.6']));
    const socket =
      sockets.length > 0 && dice.chance(70)
        ? dice.pick(sockets)
        : {
            dst,
            protocol: dice.pick([PROTOCOL.tcp, PROTOCOL.udp]),
            dport: dice.chance(70) ? dice.pick(ports) : 30_000 + dice.random.below(3),
          };
    const source = dice.chance(90) ? addressIn(dice.pick(sources)) : dice.pick(addresses);
    // NodePorts are asked for at the node's own address.
    const node = dice.chance(15) ? addressIn('172.18.0.2') : socket.dst;
    const sport = dice.chance(90) ? 40_000 + dice.random.below(6) : dice.pick([80, 600, 1023, 8080]);
    const transport = this.#first(socket.protocol, sport, socket.dport || dice.pick(ports));
    const fixed = { ttl: dice.chance(4) ? 1 : 64, tos: 0, id: 0, dontFragment: dice.chance(80) };
    const packet: Packet = { src: source, dst: node, ...fixed, transport };
    const flow = { packet, device };
    if (dice.chance(30)) this.#flows.push(flow);
    return flow;
  }

  #first(protocol: number, sport: number, dport: number): Transport {
    const dice = this.#dice;
    const data = dice.chance(20) ? new Uint8Array(dice.random.below(50)).fill(7) : NO_BYTES;
    if (protocol === PROTOCOL.udp) return { kind: 'udp', sport, dport, data };
    if (protocol === PROTOCOL.sctp) {
      const init = Uint8Array.from([1, 0, 0, 20, ...new Array<number>(16).fill(1)]);
      return { kind: 'sctp', sport, dport, verificationTag: 0, data: init };
    }
    if (dice.chance(5)) {
      return { kind: 'icmp', type: 8, code: 0, id: sport & 7, sequence: 1, data: NO_BYTES };
    }
    return {
      kind: 'tcp',
      sport,
      dport,
      seq: dice.random.uint32(),
      ack: 0,
      flags: dice.chance(90) ? SYN : dice.pick([SYN | ECE | 128, SYN | URG, ...FLAGS]),
      window: dice.pick([0, 1000, 65_535]),
      options: dice.pick(OPTIONS),
      data: dice.chance(5) ? data : NO_BYTES,
    };
  }

  /** The next packet of a flow: an answer, more of the same, or the same again. */
  #goOn(flow: Flow): Flow {
    const dice = this.#dice;
    const { transport } = flow.packet;
    if (transport.kind === 'tcp') {
      const data = dice.chance(30) ? new Uint8Array(1 + dice.random.below(1400)).fill(1) : NO_BYTES;
      const flags = flow.packet.id === ANSWERED && dice.chance(60) ? SYN | ACK : dice.pick(FLAGS);
      const fresh: TcpSegment = { ...transport, flags, data: flags & SYN ? NO_BYTES : data };
      const options = flags & SYN ? transport.options : dice.pick([NO_BYTES, NO_BYTES, ...OPTIONS]);
      return dice.chance(15)
        ? flow
        : { ...flow, packet: { ...flow.packet, id: 0, transport: { ...fresh, options } } };
    }
    return flow;
  }

  /** Now and then a packet is not what the path takes. */
  #oddities(packet: Packet): Packet {
    const dice = this.#dice;
    if (dice.chance(96)) return packet;
    return dice.pick<Packet>([
      { ...packet, ipOptions: Uint8Array.of(1, 1, 1, 0) },
      { ...packet, corrupt: 'transport-checksum' },
      { ...packet, corrupt: 'ip-checksum' },
      { ...packet, dst: addressIn('224.0.0.5') },
      { ...packet, dst: addressIn('192.0.2.1') },
      { ...packet, src: addressIn('127.0.0.1') },
    ]);
  }
}

/** Marks, in the id, packets that answer a first one. */
const ANSWERED = 77;

/** What a peer says to `packet`: acknowledges what it got. */
function answer(packet: Packet): Packet {
  const { src, dst, transport } = packet;
  const back = { ...packet, src: dst, dst: src, ttl: 64 };
  switch (transport.kind) {
    case 'tcp': {
      const { sport, dport, seq, ack, flags } = transport;
      const length = transport.data.length + (flags & (SYN | FIN) ? 1 : 0);
      const said = flags & ACK ? ack : 9000;
      const swapped = { sport: dport, dport: sport, seq: said, ack: (seq + length) >>> 0, data: NO_BYTES };
      return {
        ...back,
        id: flags & SYN ? ANSWERED : 0,
        transport: { ...transport, ...swapped, window: 2000 },
      };
    }
    case 'udp':
    case 'sctp':
      return { ...back, transport: { ...transport, sport: transport.dport, dport: transport.sport } };
    case 'icmp':
      return transport.type === 8 ? { ...back, transport: { ...transport, type: 0 } } : back;
    default:
      return back;
  }
}
