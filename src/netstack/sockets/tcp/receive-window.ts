/** The window that is offered to the peer (tcp_output.c __tcp_select_window, tcp_input.c tcp_rcv_space_adjust). */
import type { ControlBlock } from './control-block.ts';
import { advance, distance } from './sequence.ts';

const MAX_UNSCALED = 0xffff;

/** The scale that lets the window open as far as memory may grow (tcp_select_initial_window). */
export function windowScaleFor(maxMemory: number): number {
  return Math.min(Math.max(Math.floor(Math.log2(Math.max(maxMemory, 1))) - 15, 0), 14);
}

/** The first window of a connection: a multiple of `mss`, at most what needs no scale. */
export function initialWindow(space: number, mss: number): number {
  const whole = space > mss ? space - (space % mss) : space;
  return Math.min(whole, MAX_UNSCALED);
}

/** How much more the peer may send of what it was last told. */
export function offeredWindow(block: ControlBlock): number {
  return Math.max(distance(block.rcvNxt, advance(block.rcvWup, block.rcvWnd)), 0);
}

function freeSpace(block: ControlBlock): number {
  return block.rcvSpace - block.unread - block.reassembly.bytes;
}

/** The window there is room for now; it does not look at what was offered before. */
function roomyWindow(block: ControlBlock): number {
  const free = freeSpace(block);
  const mss = Math.min(block.rcvMss, block.rcvSpace);
  // Small windows make small segments (RFC 9293 §3.8.6.2.2).
  if (free < block.rcvSpace >>> 1 && (free < block.rcvSpace >>> 4 || free < mss)) return 0;
  const room = Math.min(free, block.rcvThreshold);
  if (block.rcvScale > 0) {
    const unit = 1 << block.rcvScale;
    return Math.ceil(room / unit) * unit;
  }
  const stays = block.rcvWnd > room - mss && block.rcvWnd <= room;
  return stays ? block.rcvWnd : room - (room % mss);
}

/** Decides the window, in bytes, that the next segment offers. What was offered is not taken back. */
export function selectWindow(block: ControlBlock): number {
  const offered = offeredWindow(block);
  const room = roomyWindow(block);
  const unit = 1 << block.rcvScale;
  const window = room < offered ? Math.ceil(offered / unit) * unit : room;
  return Math.min(window, MAX_UNSCALED * unit);
}

/** Whether reading made enough room to tell the peer of (tcp_cleanup_rbuf). */
export function deservesUpdate(block: ControlBlock): boolean {
  const offered = offeredWindow(block);
  if (2 * offered > block.rcvSpace) return false;
  const window = roomyWindow(block);
  return window > 0 && window >= 2 * offered;
}

/** In-order data of `length` bytes came: the window opens by two segments for each full one (tcp_grow_window). */
export function growWindow(block: ControlBlock, length: number): void {
  if (length >= block.rcvMss) block.rcvMss = Math.min(length, block.announcedMss);
  if (length < 128 || block.rcvThreshold >= block.rcvSpace) return;
  block.rcvThreshold = Math.min(block.rcvThreshold + 2 * block.announcedMss, block.rcvSpace);
}

/** The program took `length` bytes at `now`: memory follows twice what arrives in a round trip. */
export function tuneSpace(block: ControlBlock, length: number, now: number): void {
  block.roundBytes += length;
  if (block.rcvRtt === undefined || now - block.roundStart < block.rcvRtt) return;
  if (block.roundBytes > block.bestRound) {
    const { roundBytes, bestRound } = block;
    const window = roundBytes * 2 + 16 * block.announcedMss;
    const grown = window + (bestRound > 0 ? (window * (roundBytes - bestRound)) / bestRound : 0);
    const limit = block.settings.maxReceiveMemory >>> 1;
    if (grown > block.rcvSpace) block.rcvSpace = Math.min(Math.floor(grown), limit);
    block.bestRound = roundBytes;
  }
  block.roundBytes = 0;
  block.roundStart = now;
}
