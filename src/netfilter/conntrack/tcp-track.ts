/** What conntrack remembers of a TCP flow (struct ip_ct_tcp): plain data, so that it can be copied. */
import type { Direction } from '../tuple.ts';
import type { TcpState } from './timeouts.ts';

/** The kinds of segment that the state table distinguishes (enum tcp_bit_set), most significant flag first. */
export type SegmentKind = 'syn' | 'synack' | 'fin' | 'ack' | 'rst' | 'none';

/** What one side has sent and may send (struct ip_ct_tcp_state). Sequence numbers are unsigned 32-bit. */
export interface TcpSide {
  /** Highest sequence number sent, plus one. */
  end: number;
  /** Highest sequence number the peer's window allows, plus one. */
  maxend: number;
  /** Largest window this side has announced, scaled; 0: nothing seen yet. */
  maxwin: number;
  maxack: number;
  scale: number;
  windowScale: boolean;
  sackPermitted: boolean;
  /** This side sent the first FIN. */
  closeInit: boolean;
  beLiberal: boolean;
  dataUnacknowledged: boolean;
  maxackSet: boolean;
}

export interface TcpTrack {
  state: TcpState;
  readonly seen: Record<Direction, TcpSide>;
  lastDirection: Direction;
  lastKind: SegmentKind;
  lastSeq: number;
  lastAck: number;
  lastEnd: number;
  lastWindow: number;
  retransmissions: number;
  /** Options of an ignored SYN, in case the peer answers it after all. */
  lastScale: number;
  lastWindowScale: boolean;
  lastSackPermitted: boolean;
  /** An ignored SYN in LAST_ACK may provoke a challenge ACK (RFC 5961 §4), which is not the last ACK. */
  expectChallengeAck: boolean;
  simultaneousOpen: boolean;
}

export function newSide(): TcpSide {
  return {
    end: 0,
    maxend: 0,
    maxwin: 0,
    maxack: 0,
    scale: 0,
    windowScale: false,
    sackPermitted: false,
    closeInit: false,
    beLiberal: false,
    dataUnacknowledged: false,
    maxackSet: false,
  };
}

export function newTcpTrack(): TcpTrack {
  return {
    state: 'NONE',
    seen: { original: newSide(), reply: newSide() },
    lastDirection: 'original',
    lastKind: 'none',
    lastSeq: 0,
    lastAck: 0,
    lastEnd: 0,
    lastWindow: 0,
    retransmissions: 0,
    lastScale: 0,
    lastWindowScale: false,
    lastSackPermitted: false,
    expectChallengeAck: false,
    simultaneousOpen: false,
  };
}
