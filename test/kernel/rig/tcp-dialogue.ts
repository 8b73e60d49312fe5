/** A TCP connection as a tracker meets it: handshake, data both ways, closing, and everything else. */
import { NO_BYTES, type TcpSegment } from '../../../src/wire/packet.ts';
import { TCP_FLAG } from '../../../src/wire/protocol.ts';
import type { Dice } from './dice.ts';
import { type Dialogue, type Side, someData, type Utterance } from './fuzz-dialogue.ts';

const { SYN, ACK, FIN, RST, PSH, URG, ECE, CWR } = TCP_FLAG;

/** Maximum segment size, window scale, selective acknowledgements: what a tracker reads of a SYN. */
function synOptions(dice: Dice): Uint8Array {
  const scale = dice.between(0, 14);
  return Uint8Array.from(
    dice.weighted<readonly number[]>(
      [5, []],
      [2, [2, 4, 5, 180]],
      [2, [2, 4, 5, 180, 4, 2, 1, 3, 3, scale, 1, 1]],
      [1, [3, 3, scale, 0]],
      [1, [4, 2, 0, 0]],
    ),
  );
}

/** Options of other segments: mostly none, sometimes timestamps or selective acknowledgements. */
function dataOptions(dice: Dice, ack: number): Uint8Array {
  const sack = new Uint8Array(12);
  const view = new DataView(sack.buffer);
  view.setUint32(0, 0x0101050a);
  view.setUint32(4, (ack + 100) >>> 0);
  view.setUint32(8, (ack + 100 + dice.between(1, 200)) >>> 0);
  return dice.weighted([20, NO_BYTES], [1, Uint8Array.of(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0)], [1, sack]);
}

/** The segment that opens a connection: a SYN, or the middle of an older one. */
export function openingSegment(
  dice: Dice,
  ports: { readonly sport: number; readonly dport: number },
): TcpSegment {
  const flags = dice.weighted([12, SYN], [1, ACK], [1, ACK | PSH], [1, SYN | ECE | CWR]);
  return {
    kind: 'tcp',
    ...ports,
    seq: dice.uint32(),
    ack: flags & ACK ? dice.uint32() : 0,
    flags,
    window: dice.pick([1000, 8192, 65535]),
    options: flags & SYN ? synOptions(dice) : NO_BYTES,
    data: flags & SYN ? NO_BYTES : someData(dice),
  };
}

interface End {
  next: number;
  window: number;
}

export class TcpDialogue implements Dialogue {
  readonly #dice: Dice;
  readonly #first: TcpSegment;
  readonly #ends: Record<Side, End>;
  /** 0 opened, 1 answered, 2 open, 3 and on closing. */
  #stage: number;

  constructor(dice: Dice, first: TcpSegment) {
    this.#dice = dice;
    this.#first = first;
    const used = first.flags & SYN ? 1 : first.data.length;
    this.#ends = {
      client: { next: (first.seq + used) >>> 0, window: first.window },
      server: { next: first.flags & ACK ? first.ack : dice.uint32(), window: dice.pick([1000, 3000, 65535]) },
    };
    this.#stage = first.flags & SYN ? 0 : 2;
  }

  next(answerable: boolean): Utterance {
    const dice = this.#dice;
    if (!answerable) {
      const flags = dice.pick([SYN, SYN, ACK, RST, FIN | ACK]);
      return this.#say('client', { flags, shift: flags & SYN ? -1 : -dice.between(0, 1) });
    }
    return dice.chance(30) ? this.#violate() : this.#proceed();
  }

  #say(
    side: Side,
    {
      flags,
      data = NO_BYTES,
      shift = 0,
      ackShift = 0,
    }: {
      readonly flags: number;
      readonly data?: Uint8Array;
      readonly shift?: number;
      readonly ackShift?: number;
    },
  ): Utterance {
    const dice = this.#dice;
    const own = this.#ends[side];
    const peer = this.#ends[side === 'client' ? 'server' : 'client'];
    const ack = flags & ACK ? (peer.next + ackShift) >>> 0 : 0;
    if (dice.chance(4)) own.window = dice.pick([0, 10, 1000, 8192, 65535]);
    const transport: TcpSegment = {
      ...this.#first,
      seq: (own.next + shift) >>> 0,
      ack,
      flags,
      window: own.window,
      options: flags & SYN ? synOptions(dice) : flags & ACK ? dataOptions(dice, ack) : NO_BYTES,
      data,
    };
    return { side, transport };
  }

  /** Says it, and counts what it takes of the sequence space. */
  #advance(side: Side, flags: number, data: Uint8Array = NO_BYTES): Utterance {
    const said = this.#say(side, { flags, data });
    const end = this.#ends[side];
    end.next = (end.next + data.length + (flags & (FIN | SYN) ? 1 : 0)) >>> 0;
    return said;
  }

  /** The next step of a regular exchange. */
  #proceed(): Utterance {
    const dice = this.#dice;
    const side: Side = dice.chance(50) ? 'client' : 'server';
    switch (this.#stage) {
      case 0:
        this.#stage = 1;
        return this.#advance('server', SYN | ACK);
      case 1:
        this.#stage = 2;
        return this.#advance('client', ACK);
      case 2: {
        if (dice.chance(15)) {
          this.#stage = 3;
          return this.#advance(side, FIN | ACK);
        }
        const data = Uint8Array.from({ length: dice.between(0, 30) }, (_, index) => index);
        return this.#advance(side, dice.pick([ACK, ACK | PSH]), data);
      }
      default: {
        this.#stage++;
        if (this.#stage > 8) return this.#reopen();
        return this.#advance(side, dice.weighted([3, FIN | ACK], [4, ACK], [1, RST | ACK], [1, RST]));
      }
    }
  }

  /** The same ports again, as a client does that has used up its others. */
  #reopen(): Utterance {
    this.#stage = 0;
    const { client } = this.#ends;
    client.next = this.#dice.chance(60)
      ? (client.next + this.#dice.between(1, 5000)) >>> 0
      : this.#dice.uint32();
    this.#ends.server.next = this.#dice.uint32();
    return this.#advance('client', SYN);
  }

  /** A segment that the exchange does not call for. */
  #violate(): Utterance {
    const dice = this.#dice;
    const shift = dice.weighted<() => number>(
      [4, () => 0],
      [2, () => 1],
      [2, () => -1],
      [2, () => dice.between(-3000, 5000)],
      [1, () => 70000],
      [1, () => dice.uint32()],
    )();
    const ackShift = dice.weighted<() => number>(
      [5, () => 0],
      [2, () => 1],
      [1, () => -1],
      [1, () => dice.between(-70000, 3000)],
    )();
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
    const data = dice.chance(25) ? someData(dice) : NO_BYTES;
    return this.#say(dice.pick(['client', 'server']), { flags, data, shift, ackShift });
  }
}
