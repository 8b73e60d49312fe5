/** What listens where, and what a listening socket says to the first packet of a client. */
import type { ContainerPort } from '../../kube/objects.ts';
import { segmentEnd } from '../../netfilter/conntrack/sequence.ts';
import { type Answerer, closedHost } from '../../netstack/answer.ts';
import { read32 } from '../../wire/byte-order.ts';
import { NO_BYTES, type Packet } from '../../wire/packet.ts';
import { TCP_FLAG } from '../../wire/protocol.ts';
import { sctpInitChunk } from '../../wire/sctp-init.ts';
import type { Listens } from './host-plan.ts';

/** Nothing listens. */
export const listensNowhere: Listens = () => false;
/** Whatever is sent is taken. */
export const listensEverywhere: Listens = () => true;

/**
 * A pod listens on the ports that its containers declare. Declaring is optional in Kubernetes, so a pod that
 * declares none is taken to listen on all.
 */
export function listensOn(ports: readonly ContainerPort[]): Listens {
  if (ports.length === 0) return listensEverywhere;
  return ({ transport }) =>
    'dport' in transport &&
    ports.some(
      ({ containerPort, protocol }) =>
        containerPort === transport.dport && protocol.toLowerCase() === transport.kind,
    );
}

const SERVER_ISN = 1_000_000;
const SERVER_TAG = 2;
/** Chunk type. */
const SCTP_INIT = 1;
const WINDOW = 64_240;
const SYN_ACK = TCP_FLAG.SYN | TCP_FLAG.ACK;

/** The second packet of the conversation: SYN-ACK for a SYN, a datagram for a datagram, INIT ACK for INIT. */
function firstAnswer(packet: Packet): Packet | undefined {
  const { transport } = packet;
  const back = { src: packet.dst, dst: packet.src, ttl: 64, tos: 0, id: 0, dontFragment: true };
  if (transport.kind === 'tcp' && (transport.flags & (SYN_ACK | TCP_FLAG.RST)) === TCP_FLAG.SYN) {
    return {
      ...back,
      transport: {
        kind: 'tcp',
        sport: transport.dport,
        dport: transport.sport,
        seq: SERVER_ISN,
        ack: segmentEnd(transport),
        flags: SYN_ACK,
        window: WINDOW,
        options: NO_BYTES,
        data: NO_BYTES,
      },
    };
  }
  if (transport.kind === 'udp') {
    const { sport, dport, data } = transport;
    return { ...back, transport: { kind: 'udp', sport: dport, dport: sport, data } };
  }
  if (transport.kind === 'sctp' && transport.data[0] === SCTP_INIT) {
    const { sport, dport } = transport;
    // The answer carries the tag that the INIT asked for.
    const verificationTag = read32(transport.data, 4);
    const data = sctpInitChunk('init-ack', SERVER_TAG);
    return { ...back, transport: { kind: 'sctp', sport: dport, dport: sport, verificationTag, data } };
  }
  return undefined;
}

/**
 * The voice of a host on which `listens` says what is open. `expects` knows the answers that the host's own
 * client waits for: they are taken in silence.
 */
export function answererOf(listens: Listens, expects: Listens): Answerer {
  return (packet) => {
    if (expects(packet)) return undefined;
    return (listens(packet) ? firstAnswer(packet) : undefined) ?? closedHost(packet);
  };
}
