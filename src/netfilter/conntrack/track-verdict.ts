/** What a protocol's tracker is told, and what it answers. */
import type { Direction } from '../tuple.ts';
import type { ConntrackSysctls } from './timeouts.ts';

export interface TrackContext {
  readonly direction: Direction;
  /** Virtual time, seconds. */
  readonly now: number;
  readonly sysctls: ConntrackSysctls;
  /** Transport checksums count: only those of packets that come in are judged (nf_conntrack_checksum). */
  readonly judgesChecksums: boolean;
}

/**
 * `accept`: the packet belongs to the flow. `invalid`: it does not fit, and is INVALID. `reopen`: the flow is
 * over and this packet begins another. `delete`: the packet passes and the entry is removed.
 */
export type TrackVerdict = 'accept' | 'invalid' | 'reopen' | 'delete';
