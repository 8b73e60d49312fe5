/** One tracked flow: its two tuples, its status bits, and what the protocol's tracker remembers. */
import type { Direction, Tuple } from '../tuple.ts';
import type { SctpTrack } from './sctp.ts';
import type { TcpTrack } from './tcp-track.ts';

export class ConntrackEntry {
  /** As the first packet came, before any translation. */
  readonly original: Tuple;
  /** What answers will look like on the wire; NAT changes it while the entry is unconfirmed. */
  reply: Tuple;
  readonly zone: number;

  /** In the table. Until then the entry belongs to the one packet that made it. */
  confirmed = false;
  /** Deleted from the table while packets may still refer to it. */
  dying = false;
  seenReply = false;
  assured = false;
  /** IPS_SRC_NAT, IPS_DST_NAT: a translation other than identity. */
  sourceNat = false;
  destinationNat = false;
  /** IPS_SRC_NAT_DONE, IPS_DST_NAT_DONE: that half has been decided, possibly as a null binding. */
  sourceDone = false;
  destinationDone = false;
  /** A port or id was drawn at random for this flow: exact enumeration prints it as `random`. */
  randomSourcePort = false;
  randomDestinationPort = false;

  /** ctmark. */
  mark = 0;
  /** The device a MASQUERADE chose its address from. */
  masqueradeDevice: string | undefined;
  /** Virtual time at which the entry expires. */
  expires = 0;

  tcp: TcpTrack | undefined;
  sctp: SctpTrack | undefined;
  /** UDP: from this time on, traffic in both directions makes the flow a stream. */
  streamAfter = 0;

  constructor(original: Tuple, reply: Tuple, zone = 0) {
    this.original = original;
    this.reply = reply;
    this.zone = zone;
  }

  tuple(direction: Direction): Tuple {
    return direction === 'original' ? this.original : this.reply;
  }

  clone(): ConntrackEntry {
    const copy = new ConntrackEntry(this.original, this.reply, this.zone);
    return Object.assign(copy, this, {
      tcp: this.tcp === undefined ? undefined : structuredClone(this.tcp),
      sctp: this.sctp === undefined ? undefined : structuredClone(this.sctp),
    });
  }
}
