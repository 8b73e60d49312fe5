/** What the halves of a connection share. */
import type { Scheduler } from '../../../sim/scheduler.ts';
import type { TcpConnection } from './connection.ts';
import type { ControlBlock } from './control-block.ts';
import type { Inbox } from './inbox.ts';
import type { SegmentWriter } from './segment-writer.ts';
import type { Transmitter } from './transmitter.ts';

export interface ConnectionParts {
  readonly connection: TcpConnection;
  readonly block: ControlBlock;
  readonly scheduler: Scheduler;
  readonly writer: SegmentWriter;
  readonly transmitter: Transmitter;
  readonly inbox: Inbox;
}

/** tcp_invalid_ratelimit: seconds between two answers to what does not belong here. */
const CHALLENGE_INTERVAL = 0.5;

/** Whether a segment that does not belong here may be answered at `now`; if so, the next must wait. */
export function mayChallenge(block: ControlBlock, now: number): boolean {
  if (now - block.lastChallengeAt < CHALLENGE_INTERVAL) return false;
  block.lastChallengeAt = now;
  return true;
}

/** The same for ACKs without data from outside the window. */
export function mayAnswerStray(block: ControlBlock, now: number): boolean {
  if (now - block.lastDuplicateAckAt < CHALLENGE_INTERVAL) return false;
  block.lastDuplicateAckAt = now;
  return true;
}
