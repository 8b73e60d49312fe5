/** What SYN, SYN-ACK and the ACK that ends the handshake do to the control block. */
import type { TcpSegment } from '../../../wire/packet.ts';
import { type ControlBlock, DEFAULT_MSS } from './control-block.ts';
import { type TcpOptions, TIMESTAMPS_LENGTH } from './options.ts';
import { initialWindow, windowScaleFor } from './receive-window.ts';
import { advance, distance } from './sequence.ts';

/** Window of a connection whose peer knows no window scaling. */
const MAX_UNSCALED = 0xffff;
/** The least that rcv_mss is taken for before anything arrived (TCP_MIN_MSS and tcp_initialize_rcv_mss). */
const INITIAL_RCV_MSS = 536;

/** Chooses the window and scale that our SYN or SYN-ACK offers; `options` of the block are settled. */
export function openWindow(block: ControlBlock): void {
  const { settings } = block;
  if (block.windowScaling) {
    block.rcvScale = windowScaleFor(Math.max(settings.maxReceiveMemory, settings.receiveMemory));
  }
  const stamps = block.state === 'SYN_RECV' && block.timestamps ? TIMESTAMPS_LENGTH : 0;
  block.rcvWnd = initialWindow(block.rcvSpace, block.announcedMss - stamps);
  block.rcvWup = block.rcvNxt;
  block.rcvThreshold = block.rcvWnd;
}

/** Takes over what the peer's SYN says, which arrived at `now`: both sides must want an option for it to hold. */
export function takeSyn(
  block: ControlBlock,
  segment: TcpSegment,
  { options, v4, now }: { readonly options: TcpOptions; readonly v4: boolean; readonly now: number },
): void {
  block.rcvNxt = advance(segment.seq, 1);
  block.rcvWup = block.rcvNxt;
  block.lastAckSent = block.rcvNxt;
  block.peerMss = options.mss ?? DEFAULT_MSS[v4 ? 'ipv4' : 'ipv6'];
  block.timestamps &&= options.tsValue !== undefined;
  block.sack &&= options.sackPermitted;
  block.windowScaling &&= options.windowScale !== undefined;
  block.sndScale = block.windowScaling ? (options.windowScale ?? 0) : 0;
  if (!block.windowScaling) {
    block.rcvScale = 0;
    block.rcvSpace = Math.min(block.rcvSpace, MAX_UNSCALED);
  }
  if (options.tsValue !== undefined) {
    block.tsRecent = options.tsValue;
    block.tsRecentAt = now;
  }
  // The window of a SYN is not scaled.
  block.sndWnd = segment.window;
  block.maxWindow = segment.window;
  block.sndWl1 = segment.seq;
  block.rcvMss = Math.min(block.mss, INITIAL_RCV_MSS);
}

/** Our SYN has been acknowledged by `segment` at `now`: the first round trip is known. */
export function establish(
  block: ControlBlock,
  segment: TcpSegment,
  { options, now }: { readonly options: TcpOptions; readonly now: number },
): void {
  block.sndUna = segment.ack;
  block.highestArrived = segment.ack;
  if (block.retransmits === 0) {
    block.roundTrip.sample(now - block.lastSentAt, block.sndUna, block.sndNxt);
  } else if (block.timestamps && options.tsEcho !== 0) {
    const milliseconds = distance(options.tsEcho, block.timestampAt(now));
    block.roundTrip.sample(Math.max(milliseconds, 1) / 1000, block.sndUna, block.sndNxt);
  } else {
    block.roundTrip.fallBack();
  }
  // RFC 5681 §3.1: after a lost SYN or SYN-ACK, one segment (a single loss is forgiven, tcp_init_cwnd).
  if (block.retransmits > 1) block.congestion.window = 1;
  block.retransmits = 0;
  block.backoff = 0;
  block.state = 'ESTABLISHED';
  block.roundStart = now;
}
