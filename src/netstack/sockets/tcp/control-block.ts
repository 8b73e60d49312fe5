/** The variables of one connection (RFC 9293 §3.3.1), and those with which Linux runs it (struct tcp_sock). */
import type { TcpSettings } from '../sysctls.ts';
import { Congestion } from './congestion.ts';
import { type SackBlock, TIMESTAMPS_LENGTH } from './options.ts';
import { ReceiveQueue } from './receive-queue.ts';
import { RoundTrip } from './round-trip.ts';
import { SendQueue } from './send-queue.ts';
import { advance } from './sequence.ts';

/** The states of RFC 9293 §3.3.2 by their names in Linux. */
export type TcpState =
  | 'LISTEN'
  | 'SYN_SENT'
  | 'SYN_RECV'
  | 'ESTABLISHED'
  | 'FIN_WAIT1'
  | 'FIN_WAIT2'
  | 'CLOSE_WAIT'
  | 'CLOSING'
  | 'LAST_ACK'
  | 'TIME_WAIT'
  | 'CLOSE';

/** RFC 9293 §3.7.1: what a peer takes that says nothing. */
export const DEFAULT_MSS = { ipv4: 536, ipv6: 1220 } as const;

/** Segments acknowledged at once at the beginning (TCP_MAX_QUICKACKS). */
export const MAX_QUICK_ACKS = 16;
/** Shortest and longest delay of an ACK, seconds (TCP_ATO_MIN, TCP_DELACK_MAX). */
export const MIN_ACK_DELAY = 0.04;
export const MAX_ACK_DELAY = 0.2;

export interface ControlBlockOptions {
  readonly settings: TcpSettings;
  readonly initialSequence: number;
  /** Largest payload of a segment that arrives here, without options: what the SYN announces. */
  readonly announcedMss: number;
  /** Largest payload of a segment that the path takes, without options. */
  readonly pathMss: number;
  /** Where this connection's clock of time stamps starts, milliseconds. */
  readonly timestampOffset: number;
}

export class ControlBlock {
  state: TcpState = 'CLOSE';
  readonly settings: TcpSettings;

  // --- sending
  readonly initialSequence: number;
  sndUna: number;
  sndNxt: number;
  /** The peer's window, bytes, and the segment it was last taken from. */
  sndWnd = 0;
  sndWl1 = 0;
  /** The largest window the peer ever offered. */
  maxWindow = 0;
  sndScale = 0;
  /** End of the last segment that was not full (Minshall's variant of Nagle's rule). */
  smallEnd: number;
  pathMss: number;
  /** What the peer's SYN said. */
  peerMss = Number.POSITIVE_INFINITY;
  readonly queue = new SendQueue();
  readonly congestion = new Congestion();
  readonly roundTrip = new RoundTrip();
  /** Duplicate ACKs standing in for the reports of a peer without SACK. */
  duplicateAcks = 0;
  /** Timeouts in a row, and when the first retransmission since the last progress was. */
  backoff = 0;
  retransmits = 0;
  retransmittedSince: number | undefined;
  /** Unanswered window probes. */
  probes = 0;
  lastSentAt = 0;
  /** RACK (RFC 8985): send time, end and round trip of the latest segment known to have arrived. */
  rackSentAt = Number.NEGATIVE_INFINITY;
  rackEnd = 0;
  rackRtt = 0;
  /** Segments known to have arrived, ever. */
  delivered = 0;
  /** The highest end ever SACKed or acknowledged; arrivals below it were reordered. */
  highestArrived: number;
  reordering = false;
  /** How much a full window was used since the last ACK. */
  windowLimited = false;

  // --- receiving
  rcvNxt = 0;
  /** The last announced window, bytes, and what had arrived then. */
  rcvWnd = 0;
  rcvWup = 0;
  rcvScale = 0;
  readonly announcedMss: number;
  /** The size of the peer's segments, as far as seen. */
  rcvMss = 536;
  /** How far the window may open now, and how far memory lets it. */
  rcvThreshold = 0;
  rcvSpace: number;
  readonly reassembly = new ReceiveQueue();
  /** Bytes delivered to a program that does not read. */
  unread = 0;
  /** Autotuning: bytes received in this round trip, in the best one, and when it began. */
  roundBytes = 0;
  bestRound = 0;
  roundStart = 0;
  rcvRtt: number | undefined;
  /** Bytes that arrived twice, to be told with the next ACK (RFC 2883). */
  duplicate: SackBlock | undefined;
  /** A FIN that arrived: its sequence number. */
  finAt: number | undefined;

  // --- acknowledging
  quickAcks = 0;
  ackDelay = 0;
  /** The conversation goes to and fro: ACKs wait for the answer. */
  pingPong = false;
  lastReceivedAt = Number.NEGATIVE_INFINITY;
  lastAckSent = 0;
  /** When something out of order was last answered. */
  lastChallengeAt = Number.NEGATIVE_INFINITY;
  lastDuplicateAckAt = Number.NEGATIVE_INFINITY;

  // --- options agreed on
  timestamps: boolean;
  sack: boolean;
  windowScaling: boolean;
  readonly timestampOffset: number;
  tsRecent = 0;
  tsRecentAt = Number.NEGATIVE_INFINITY;

  constructor(options: ControlBlockOptions) {
    const { settings, initialSequence } = options;
    this.settings = settings;
    this.initialSequence = initialSequence;
    this.sndUna = initialSequence;
    this.sndNxt = initialSequence;
    this.smallEnd = initialSequence;
    this.highestArrived = initialSequence;
    this.announcedMss = options.announcedMss;
    this.pathMss = options.pathMss;
    this.timestampOffset = options.timestampOffset;
    this.timestamps = settings.timestamps;
    this.sack = settings.sack;
    this.windowScaling = settings.windowScaling;
    // Half of the memory holds the packets around the bytes (tcp_adv_win_scale 1).
    this.rcvSpace = settings.receiveMemory >>> 1;
  }

  /** Most bytes that go into one segment. */
  get mss(): number {
    return Math.max(Math.min(this.pathMss, this.peerMss) - (this.timestamps ? TIMESTAMPS_LENGTH : 0), 1);
  }

  /** The first sequence number that the peer's window does not cover. */
  get windowEnd(): number {
    return advance(this.sndUna, this.sndWnd);
  }

  /** Segments thought to be in the network. */
  get inNetwork(): number {
    return Math.max(this.queue.inNetwork - this.duplicateAcks, 0);
  }

  /** This connection's clock of time stamps at `now` (seconds). */
  timestampAt(now: number): number {
    return (Math.floor(now * 1000 + 1e-6) + this.timestampOffset) >>> 0;
  }
}

/** The states in which the peer may still send data. */
export const RECEIVING: ReadonlySet<TcpState> = new Set(['ESTABLISHED', 'FIN_WAIT1', 'FIN_WAIT2']);
/** The states in which queued data may be sent. */
export const SENDING: ReadonlySet<TcpState> = new Set([
  'ESTABLISHED',
  'CLOSE_WAIT',
  'FIN_WAIT1',
  'CLOSING',
  'LAST_ACK',
]);
