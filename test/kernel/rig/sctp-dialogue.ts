/** An SCTP association (RFC 9260): its chunks in order, with others strewn in. */
import type { SctpPacket } from '../../../src/wire/packet.ts';
import type { Dice } from './dice.ts';
import type { Dialogue, Side, Utterance } from './fuzz-dialogue.ts';

const CHUNK = {
  data: 0,
  init: 1,
  initAck: 2,
  heartbeat: 4,
  heartbeatAck: 5,
  abort: 6,
  shutdown: 7,
  shutdownAck: 8,
  error: 9,
  cookieEcho: 10,
  cookieAck: 11,
  shutdownComplete: 14,
} as const;
type ChunkName = keyof typeof CHUNK;

/** One chunk: type, flags, length, and a body whose first word is `word`. */
function chunk(name: ChunkName, word: number): Uint8Array {
  const length = name === 'init' || name === 'initAck' ? 20 : 8;
  const out = new Uint8Array(length);
  const view = new DataView(out.buffer);
  view.setUint8(0, CHUNK[name]);
  view.setUint16(2, length);
  view.setUint32(4, word);
  if (length === 20) {
    view.setUint32(8, 65536);
    view.setUint16(12, 1);
    view.setUint16(14, 1);
    view.setUint32(16, word);
  }
  return out;
}

/** The packet that opens an association, or pretends to be in the middle of one. */
export function openingChunk(
  dice: Dice,
  ports: { readonly sport: number; readonly dport: number },
): SctpPacket {
  const name = dice.weighted<ChunkName>([10, 'init'], [1, 'heartbeat'], [1, 'data'], [1, 'cookieEcho']);
  const verificationTag = name === 'init' ? 0 : dice.uint32();
  return { kind: 'sctp', ...ports, verificationTag, data: chunk(name, (dice.uint32() | 1) >>> 0) };
}

/** Who says what, in a life without accidents. */
const SCRIPT: readonly (readonly [Side, ChunkName])[] = [
  ['server', 'initAck'],
  ['client', 'cookieEcho'],
  ['server', 'cookieAck'],
  ['client', 'data'],
  ['server', 'heartbeat'],
  ['client', 'heartbeatAck'],
  ['client', 'shutdown'],
  ['server', 'shutdownAck'],
  ['client', 'shutdownComplete'],
  ['client', 'init'],
];

const NAMES = Object.keys(CHUNK) as ChunkName[];

export class SctpDialogue implements Dialogue {
  readonly #dice: Dice;
  readonly #first: SctpPacket;
  /** What each side expects as the verification tag of packets to it. */
  readonly #tags: Record<Side, number>;
  #at = 0;

  constructor(dice: Dice, first: SctpPacket) {
    this.#dice = dice;
    this.#first = first;
    const initiated = first.data[0] === CHUNK.init;
    const tag = new DataView(first.data.buffer, first.data.byteOffset).getUint32(4);
    this.#tags = { client: initiated ? tag : dice.uint32(), server: (dice.uint32() | 1) >>> 0 };
  }

  next(answerable: boolean): Utterance {
    const dice = this.#dice;
    if (!answerable) return { side: 'client', transport: this.#first };
    const scripted = SCRIPT[this.#at % SCRIPT.length] ?? SCRIPT[0];
    if (scripted !== undefined && dice.chance(75)) {
      this.#at++;
      return this.#say(...scripted);
    }
    return this.#say(dice.pick(['client', 'server']), dice.pick(NAMES));
  }

  #say(side: Side, name: ChunkName): Utterance {
    const dice = this.#dice;
    const peer = side === 'client' ? 'server' : 'client';
    const right = name === 'init' ? 0 : this.#tags[peer];
    const word = name === 'init' || name === 'initAck' ? this.#tags[side] : dice.uint32();
    const verificationTag = dice.weighted([12, right], [1, this.#tags[side]], [1, 0], [1, dice.uint32()]);
    return { side, transport: { ...this.#first, verificationTag, data: chunk(name, word) } };
  }
}
