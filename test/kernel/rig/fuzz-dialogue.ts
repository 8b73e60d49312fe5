/**
 * What the two ends of one flow say to each other: regular exchanges with violations strewn in. A dialogue
 * speaks in transports of the client's first packet; who sends which through what is fuzz-traffic's matter.
 */
import type { Transport } from '../../../src/wire/packet.ts';
import type { Dice } from './dice.ts';
import { SctpDialogue } from './sctp-dialogue.ts';
import { TcpDialogue } from './tcp-dialogue.ts';

export type Side = 'client' | 'server';

export interface Utterance {
  readonly side: Side;
  /** As the speaker's own first packet had it: ports are put in by the caller. */
  readonly transport: Transport;
}

export interface Dialogue {
  /** The next thing said. `answerable`: the server can be heard, so it may speak. */
  next(answerable: boolean): Utterance;
}

/** A few bytes, or none; rarely enough to be too much for a device. */
export function someData(dice: Dice, most = 20): Uint8Array {
  const length = dice.weighted([5, 0], [2, 1], [2, 4], [2, 20], [1, 600], [1, 1400]);
  return Uint8Array.from({ length: Math.min(length, most) }, (_, index) => index + 1);
}

const ICMP_ANSWERS: Readonly<Record<number, number>> = { 8: 0, 13: 14, 128: 129 };

/** The transport that answers `transport`, ports swapped; for protocols where that is a matter of headers. */
export function answering(transport: Transport): Transport {
  switch (transport.kind) {
    case 'tcp':
    case 'udp':
    case 'sctp':
      return { ...transport, sport: transport.dport, dport: transport.sport };
    case 'icmp':
      return { ...transport, type: ICMP_ANSWERS[transport.type] ?? transport.type };
    case 'opaque':
      return transport;
  }
}

/** Flows without states: either side speaks at any time. */
class PlainDialogue implements Dialogue {
  readonly #dice: Dice;
  readonly #first: Transport;
  readonly #maxData: number;

  constructor(dice: Dice, first: Transport, maxData: number) {
    this.#dice = dice;
    this.#first = first;
    this.#maxData = maxData;
  }

  next(answerable: boolean): Utterance {
    const side = answerable && this.#dice.chance(55) ? 'server' : 'client';
    const first = this.#first;
    if (first.kind === 'udp')
      return { side, transport: { ...first, data: someData(this.#dice, this.#maxData) } };
    if (first.kind === 'icmp' && this.#dice.chance(60)) {
      return { side, transport: { ...first, sequence: this.#dice.between(2, 9) } };
    }
    return { side, transport: first };
  }
}

/** The dialogue that `first` opens; nobody says more than `maxData` bytes at a time. */
export function dialogueOf(dice: Dice, first: Transport, maxData: number): Dialogue {
  switch (first.kind) {
    case 'tcp':
      return new TcpDialogue(dice, first);
    case 'sctp':
      return new SctpDialogue(dice, first);
    default:
      return new PlainDialogue(dice, first, maxData);
  }
}
