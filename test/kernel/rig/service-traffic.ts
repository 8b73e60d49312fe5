/**
 * Packets to every address and port of every Service, from a pod, the node and outside, with the answers that
 * a server would give and what the client says then.
 */
import type { Injection, Observation } from '../../../src/cli/kernel/observe.ts';
import type { Service, ServicePort } from '../../../src/kube/objects.ts';
import { familyOf, type IpAddress, type IpFamily, tryParseIpAddress } from '../../../src/wire/ip-address.ts';
import { NO_BYTES, type Packet, type Transport } from '../../../src/wire/packet.ts';
import { TCP_FLAG } from '../../../src/wire/protocol.ts';
import type { Step } from './fuzz-traffic.ts';

/** Someone who connects; no device: the node itself. */
export interface Client {
  readonly address: IpAddress;
  readonly device?: string;
}

export interface Target {
  readonly address: IpAddress;
  readonly port: number;
  readonly protocol: ServicePort['protocol'];
}

/** Where the ports of `services` can be reached at: their own addresses, and `nodeAddresses` for node ports. */
export function serviceTargets(
  services: readonly Service[],
  nodeAddresses: readonly IpAddress[],
  family: IpFamily,
): Target[] {
  return services
    .flatMap(({ spec, status }) => {
      const texts = [
        ...(spec.clusterIPs.length > 0 ? spec.clusterIPs : [spec.clusterIP]),
        ...spec.externalIPs,
        ...status.loadBalancer.ingress.flatMap(({ ip }) => ip ?? []),
      ];
      const addresses = texts.flatMap((text) => tryParseIpAddress(text) ?? []);
      return spec.ports.flatMap(({ protocol, port, nodePort }) => [
        ...addresses.map((address) => ({ address, port, protocol })),
        // A port that the Service does not have, at an address that it does.
        ...addresses.slice(0, 1).map((address) => ({ address, port: port + 1, protocol })),
        ...(nodePort === 0 ? [] : nodeAddresses.map((address) => ({ address, port: nodePort, protocol }))),
      ]);
    })
    .filter(({ address }) => familyOf(address) === family);
}

const { SYN, ACK } = TCP_FLAG;

function transport(protocol: Target['protocol'], sport: number, dport: number): Transport {
  switch (protocol) {
    case 'TCP':
      return {
        kind: 'tcp',
        sport,
        dport,
        seq: 1000,
        ack: 0,
        flags: SYN,
        window: 64240,
        options: NO_BYTES,
        data: NO_BYTES,
      };
    case 'UDP':
      return { kind: 'udp', sport, dport, data: Uint8Array.of(1) };
    case 'SCTP':
      return {
        kind: 'sctp',
        sport,
        dport,
        verificationTag: 0,
        data: Uint8Array.from([1, 0, 0, 20, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1]),
      };
  }
}

/** The server's answer to `packet`, as it left the host. */
function answerTo(packet: Packet): Packet {
  const { src, dst, transport: asked } = packet;
  const base = { ...packet, src: dst, dst: src, ttl: 64 };
  switch (asked.kind) {
    case 'tcp':
      return {
        ...base,
        transport: {
          ...asked,
          sport: asked.dport,
          dport: asked.sport,
          seq: 5000,
          ack: asked.seq + 1,
          flags: SYN | ACK,
        },
      };
    case 'udp':
      return { ...base, transport: { ...asked, sport: asked.dport, dport: asked.sport } };
    case 'sctp': {
      const data = asked.data.slice();
      // INIT ACK.
      data[0] = 2;
      return {
        ...base,
        transport: { ...asked, sport: asked.dport, dport: asked.sport, verificationTag: 1, data },
      };
    }
    default:
      return base;
  }
}

/** The client's second packet: the end of the handshake, or more data. */
function continued(packet: Packet): Packet {
  const { transport: first } = packet;
  if (first.kind !== 'tcp') return packet;
  return { ...packet, transport: { ...first, flags: ACK, seq: first.seq + 1, ack: 5001 } };
}

/** Plays `repeats` connections from every client to every target; an answered one goes on. */
export class ServiceTraffic {
  readonly #connections: readonly {
    readonly client: Client;
    readonly target: Target;
    readonly round: number;
  }[];
  #at = 0;
  #id = 0;
  #queue: Injection[] = [];
  #opening: Injection | undefined;

  constructor(clients: readonly Client[], targets: readonly Target[], repeats: number) {
    this.#connections = targets.flatMap((target) =>
      clients.flatMap((client) => Array.from({ length: repeats }, (_, round) => ({ client, target, round }))),
    );
  }

  next(): Step | undefined {
    const queued = this.#queue.shift();
    if (queued !== undefined) return { kind: 'packet', injection: this.#identified(queued) };
    const connection = this.#connections[this.#at];
    if (connection === undefined) return undefined;
    const { client, target } = connection;
    // Every connection has a source port of its own.
    const sport = 20_000 + (this.#at++ % 40_000);
    const packet: Packet = {
      src: client.address,
      dst: target.address,
      ttl: 64,
      tos: 0,
      id: 0,
      dontFragment: false,
      transport: transport(target.protocol, sport, target.port),
    };
    const opening = { packet, ...(client.device === undefined ? {} : { device: client.device }) };
    this.#opening = this.#identified(opening);
    return { kind: 'packet', injection: this.#opening };
  }

  saw({ sent }: Observation): void {
    const opening = this.#opening;
    this.#opening = undefined;
    const left = sent.find(({ original }) => original);
    if (opening === undefined || left === undefined) return;
    const { id: _, ...answer } = answerTo(left.packet);
    this.#queue = [
      { packet: { ...answer, id: 0 }, device: left.device },
      { ...opening, packet: continued(opening.packet) },
    ];
  }

  #identified(injection: Injection): Injection {
    if (familyOf(injection.packet.src) === 'ipv6') return injection;
    this.#id = (this.#id % 0xffff) + 1;
    return { ...injection, packet: { ...injection.packet, id: this.#id } };
  }
}
