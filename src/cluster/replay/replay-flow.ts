/** Replayed packets by the flow they belong to, and what became of each flow. */
import { invertTuple, sameTuple, type Tuple, tupleOf } from '../../netfilter/tuple.ts';
import { formatIpAddress } from '../../wire/ip-address.ts';
import { type Packet, protocolOf } from '../../wire/packet.ts';
import type { Outcome, PacketStory, Translation } from './packet-outcome.ts';

/** Packets of a flow that ended alike. */
export interface FlowOutcome {
  readonly outcome: Outcome;
  /** How many packets. */
  readonly count: number;
  /** What was rewritten on the way of the first of them. */
  readonly translations: readonly Translation[];
  /** The hosts on the way of the first of them. */
  readonly path: readonly string[];
}

export interface ReplayFlow {
  /** As the capture's first packet of the flow says. */
  readonly tuple: Tuple;
  /** Frames of the capture that belong to it, either way. */
  readonly frames: readonly number[];
  readonly outcomes: readonly FlowOutcome[];
  /** Packets that came back to where the flow began. */
  readonly answers: number;
}

/** The tuple of `packet`; fragments and headers cut off have their addresses only. */
export function flowTuple(packet: Packet): Tuple {
  const { src, dst } = packet;
  return tupleOf(packet) ?? { protocol: protocolOf(packet), src, dst, sport: 0, dport: 0 };
}

/** True when the two are directions of one flow. */
export function answersTuple(tuple: Tuple, packet: Packet): boolean {
  const back = invertTuple(tuple);
  return back !== undefined && sameTuple(back, flowTuple(packet));
}

/** Packets with the same key ended alike. */
function outcomeKey(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'delivered':
      return `delivered ${outcome.host}`;
    case 'rejected':
      return `rejected ${outcome.host} ${outcome.with}`;
    case 'dropped':
      return `dropped ${outcome.host} ${outcome.reason} ${outcome.rule}`;
    case 'sent':
      return `sent ${outcome.host} ${outcome.device}`;
    case 'unknown':
      return `unknown ${outcome.host} ${outcome.reason}`;
  }
}

interface OpenFlow {
  readonly tuple: Tuple;
  readonly frames: number[];
  readonly outcomes: Map<string, FlowOutcome>;
  answers: number;
}

function keyOf({ protocol, src, dst, sport, dport }: Tuple): string {
  return `${protocol} ${formatIpAddress(src)} ${sport} ${formatIpAddress(dst)} ${dport}`;
}

export class FlowTable {
  readonly #flows: OpenFlow[] = [];
  readonly #byTuple = new Map<string, OpenFlow>();

  /** The number of the flow that `packet` of the capture belongs to, either way; a new one when there is none. */
  flowOf(packet: Packet, frame: number): number {
    const tuple = flowTuple(packet);
    let flow = this.#byTuple.get(keyOf(tuple));
    if (flow === undefined) {
      flow = { tuple, frames: [], outcomes: new Map(), answers: 0 };
      this.#flows.push(flow);
      this.#byTuple.set(keyOf(tuple), flow);
      const back = invertTuple(tuple);
      if (back !== undefined) this.#byTuple.set(keyOf(back), flow);
    }
    flow.frames.push(frame);
    return this.#flows.indexOf(flow);
  }

  /** Whether `packet` goes back to where a flow began. */
  isAnswer(packet: Packet): boolean {
    const flow = this.#byTuple.get(keyOf(flowTuple(packet)));
    return flow !== undefined && answersTuple(flow.tuple, packet);
  }

  /** A packet came back to where its flow began. */
  noteAnswer(packet: Packet): void {
    const flow = this.#byTuple.get(keyOf(flowTuple(packet)));
    if (flow !== undefined) flow.answers++;
  }

  /** A packet of flow number `flow` has come to its end. */
  noteOutcome(flow: number, { outcome, translations, path }: PacketStory): void {
    const open = this.#flows[flow];
    if (open === undefined || outcome === undefined) return;
    const key = outcomeKey(outcome);
    const known = open.outcomes.get(key);
    open.outcomes.set(
      key,
      known === undefined ? { outcome, count: 1, translations, path } : { ...known, count: known.count + 1 },
    );
  }

  /** The flows in the order of their first packets. */
  flows(): ReplayFlow[] {
    return this.#flows.map(({ outcomes, ...flow }) => ({ ...flow, outcomes: [...outcomes.values()] }));
  }
}
