/**
 * `bench forward`: packets to Services through a whole node: bytes read, all hooks, conntrack, NAT, routing.
 * New flows walk the nat rules, established ones do not. Every engine's packets are compared with the reference's.
 */
import { isDeepStrictEqual } from 'node:util';
import { CompiledFinder } from '../../netfilter/compiled/compiled-finder.ts';
import { LINEAR } from '../../netfilter/rule-finder.ts';
import type { RuleSet } from '../../netfilter/rule-set.ts';
import { toRuleSet } from '../../ruletext/load-rules.ts';
import { parseRules } from '../../ruletext/parse-rules.ts';
import { emitPacket, parsePacket } from '../../wire/headers.ts';
import type { Packet, TcpSegment } from '../../wire/packet.ts';
import { TCP_FLAG } from '../../wire/protocol.ts';
import { FlatNode, type ForwardNode, ObjectNode } from './forward-nodes.ts';
import { interleave, samplesFor } from './measure.ts';
import { syns } from './syns.ts';
import { rulesText, type Size } from './workload.ts';

/**
 * `linear` and `compiled`: the reference engine, which looks at every rule or only at those that may match;
 * `flat`: batches of bytes through typed arrays, and the reference for what that does not do.
 */
export const HOST_ENGINES = ['linear', 'compiled', 'flat'] as const;
export type HostEngine = (typeof HOST_ENGINES)[number];

export interface ForwardResult extends Size {
  readonly engine: HostEngine;
  /** Packets a second, from the median round: first packets of flows, and later ones of flows that were answered. */
  readonly newFlows: number;
  readonly established: number;
  readonly packets: number;
  readonly rounds: number;
}

const SEED = 1;

function nodeOf(engine: HostEngine, ruleSet: RuleSet): ForwardNode {
  switch (engine) {
    case 'linear':
      return new ObjectNode(ruleSet, SEED, LINEAR);
    case 'compiled':
      return new ObjectNode(ruleSet, SEED, new CompiledFinder());
    case 'flat':
      return new FlatNode(ruleSet, SEED);
  }
}

/** Packets of a round: what takes a fair part of a second, and more flows than fit into the cache. */
function packetsFor(engine: HostEngine, services: number): number {
  if (engine === 'flat') return 1 << 16;
  return engine === 'linear' ? Math.max(50, Math.min(2000, Math.floor(2e6 / services))) : 2000;
}

/** Packets whose way is compared with the reference's. */
const COMPARED = 2000;

const { SYN, ACK } = TCP_FLAG;
/** The sequence number that servers begin with. */
const SERVER_SEQUENCE = 5000;

function segmentOf({ transport }: Packet): TcpSegment {
  if (transport.kind !== 'tcp') throw new Error(`the packet is ${transport.kind}, expected tcp`);
  return transport;
}

/** What the endpoint answers to a SYN that reached it as `packet`. */
function synAck(packet: Packet): Uint8Array {
  const segment = segmentOf(packet);
  const { sport, dport, seq } = segment;
  const answer = { sport: dport, dport: sport, seq: SERVER_SEQUENCE, ack: seq + 1, flags: SYN | ACK };
  return emitPacket({
    ...packet,
    src: packet.dst,
    dst: packet.src,
    ttl: 64,
    transport: { ...segment, ...answer },
  });
}

/** What the client sends then, and goes on sending. */
function ackAfter(syn: Uint8Array): Uint8Array {
  const packet = parsePacket(syn);
  const segment = segmentOf(packet);
  const acknowledgment = { seq: segment.seq + 1, ack: SERVER_SEQUENCE + 1, flags: ACK };
  return emitPacket({ ...packet, transport: { ...segment, ...acknowledgment } });
}

/** Plays `packets` once; throws Error when one does not leave. */
function pass(node: ForwardNode, packets: readonly Uint8Array[]): readonly Packet[] {
  node.load(packets);
  node.play();
  return node.left().map((packet) => {
    if (packet === undefined) throw new Error('a packet was not forwarded');
    return packet;
  });
}

/** Sets up a flow for each of `first`. Throws Error when that is not what happened. */
function establish(node: ForwardNode, first: readonly Uint8Array[], later: readonly Uint8Array[]): void {
  node.load(first);
  node.forget();
  pass(node, pass(node, first).map(synAck));
  pass(node, later);
  if (node.flows !== first.length) throw new Error(`${node.flows} flows, expected ${first.length}`);
}

/** Throws Error when the first packets of flows do not leave `engine`'s node as they leave the reference's. */
function compareWithReference(engine: HostEngine, ruleSet: RuleSet, first: readonly Uint8Array[]): void {
  if (engine === 'compiled') return;
  const some = first.slice(0, COMPARED);
  const expected = pass(nodeOf('compiled', ruleSet), some);
  const actual = pass(nodeOf(engine, ruleSet), some);
  const at = expected.findIndex((packet, row) => !isDeepStrictEqual(packet, actual[row]));
  if (at >= 0) throw new Error(`the ${engine} engine sends packet ${at} otherwise than the reference`);
}

/** Measures a node with the rules of a cluster of `size` by each of `engines`. */
export async function benchForward(
  size: Size,
  {
    engines,
    rounds,
    packets: wanted,
  }: {
    readonly engines: readonly HostEngine[];
    readonly rounds: number;
    /** Of a round; what suits the engine when left out. */
    readonly packets?: number | undefined;
  },
): Promise<readonly ForwardResult[]> {
  const ruleSet = toRuleSet(parseRules(rulesText(size), { family: size.family }));
  const results: ForwardResult[] = [];
  for (const engine of engines) {
    const packets = wanted ?? packetsFor(engine, size.services);
    const first = syns(size, { count: packets, spread: 'uniform', seed: SEED }).map(({ bytes }) => bytes);
    const later = first.map(ackAfter);
    compareWithReference(engine, ruleSet, first);
    const fresh = nodeOf(engine, ruleSet);
    const used = nodeOf(engine, ruleSet);
    establish(used, first, later);
    const measured = await interleave(
      [
        {
          name: 'new',
          prepare: () => {
            fresh.load(first);
            fresh.forget();
          },
          run: () => fresh.play(),
        },
        { name: 'established', prepare: () => used.load(later), run: () => used.play() },
      ],
      { rounds, warmUp: 3 },
    );
    const perSecond = (name: 'new' | 'established') =>
      Math.round((packets * 1e9) / samplesFor(measured, name).median);
    results.push({
      ...size,
      engine,
      newFlows: perSecond('new'),
      established: perSecond('established'),
      packets,
      rounds,
    });
  }
  return results;
}
