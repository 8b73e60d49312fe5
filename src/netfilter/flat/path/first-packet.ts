/**
 * The first packet of a flow, kept so that the flow's entry can be made later: the reference's own tracker is
 * shown it then, at the time at which it came. Nothing here knows what the tracker makes of it.
 */
import type { TcpSegment } from '../../../wire/packet.ts';
import { PROTOCOL } from '../../../wire/protocol.ts';
import { trackUdp } from '../../conntrack/datagram.ts';
import type { ConntrackEntry } from '../../conntrack/entry.ts';
import { trackTcp } from '../../conntrack/tcp.ts';
import type { ConntrackSysctls } from '../../conntrack/timeouts.ts';
import type { TrackContext, TrackVerdict } from '../../conntrack/track-verdict.ts';

const MAX_OPTIONS = 40;
const MAX_PAYLOAD = 0xffff;

/** A segment that is filled anew for every packet: trackers read it and keep nothing of it. */
export class ScratchSegment implements TcpSegment {
  readonly kind = 'tcp';
  sport = 0;
  dport = 0;
  seq = 0;
  ack = 0;
  flags = 0;
  window = 0;
  options: Uint8Array;
  /** Only its length counts. */
  data: Uint8Array;
  readonly #optionBytes = new Uint8Array(MAX_OPTIONS);
  readonly #options: readonly Uint8Array[];
  readonly #payload = new ArrayBuffer(MAX_PAYLOAD);
  readonly #payloads: (Uint8Array | undefined)[] = [];

  constructor() {
    const views = Array.from({ length: MAX_OPTIONS / 4 + 1 }, (_, words) =>
      this.#optionBytes.subarray(0, 4 * words),
    );
    this.#options = views;
    this.options = this.#optionBytes.subarray(0, 0);
    this.data = this.options;
  }

  /** Takes `length` bytes of options, a multiple of four up to 40, from `bytes` at `at`. */
  setOptions(bytes: Uint8Array, at: number, length: number): void {
    for (let index = 0; index < length; index++) this.#optionBytes[index] = bytes[at + index] ?? 0;
    this.options = this.#options[length >> 2] ?? this.options;
  }

  setPayloadLength(length: number): void {
    let view = this.#payloads[length];
    if (view === undefined) {
      view = new Uint8Array(this.#payload, 0, length);
      this.#payloads[length] = view;
    }
    this.data = view;
  }
}

/** The context that a tracker gets, filled anew for every packet. */
export class ScratchContext implements TrackContext {
  direction: TrackContext['direction'] = 'original';
  now = 0;
  readonly sysctls: ConntrackSysctls;
  readonly judgesChecksums = true;

  constructor(sysctls: ConntrackSysctls) {
    this.sysctls = sysctls;
  }
}

/** Lets the tracker of `entry`'s protocol, TCP or UDP, judge a packet; UDP asks nothing of `segment`. */
export function runTracker(
  entry: ConntrackEntry,
  segment: ScratchSegment,
  context: ScratchContext,
): TrackVerdict {
  return entry.original.protocol === PROTOCOL.tcp
    ? trackTcp(entry, segment, context)
    : trackUdp(entry, context);
}
