/** Which state an SCTP chunk leads to: the table of nf_conntrack_proto_sctp.c, written as TCP's is. */
import type { Direction } from '../tuple.ts';
import { SCTP_CHUNK } from './sctp-chunks.ts';
import { SCTP_STATES, type SctpState } from './timeouts.ts';

type Transition = SctpState | 'invalid';

/** Rows are written in the order of SCTP_STATES, by these two-letter names. */
const LEGEND: Readonly<Record<string, Transition>> = {
  CL: 'CLOSED',
  CW: 'COOKIE_WAIT',
  CE: 'COOKIE_ECHOED',
  ES: 'ESTABLISHED',
  SS: 'SHUTDOWN_SENT',
  SR: 'SHUTDOWN_RECD',
  SA: 'SHUTDOWN_ACK_SENT',
  HS: 'HEARTBEAT_SENT',
  '--': 'invalid',
};

/** Columns: NONE CLOSED COOKIE_WAIT COOKIE_ECHOED ESTABLISHED SHUTDOWN_SENT _RECD _ACK_SENT HEARTBEAT_SENT. */
const TRANSITIONS: Readonly<Record<Direction, readonly (readonly [chunk: number, row: string])[]>> = {
  original: [
    [SCTP_CHUNK.init, '             CL CL CW CE ES CL CL SA CW'],
    [SCTP_CHUNK.initAck, '          CL CL CW CE ES SS SR SA CL'],
    [SCTP_CHUNK.abort, '            CL CL CL CL CL CL CL CL CL'],
    [SCTP_CHUNK.shutdown, '         CL CL CW CE SS SS SR SA CL'],
    [SCTP_CHUNK.shutdownAck, '      SA CL CW CE ES SA SA SA SA'],
    [SCTP_CHUNK.error, '            CL CL CW CE ES SS SR SA CL'],
    [SCTP_CHUNK.cookieEcho, '       CL CL CE CE ES SS SR SA CL'],
    [SCTP_CHUNK.cookieAck, '        CL CL CW ES ES SS SR SA CL'],
    [SCTP_CHUNK.shutdownComplete, ' CL CL CW CE ES SS SR CL CL'],
    [SCTP_CHUNK.heartbeat, '        HS CL CW CE ES SS SR SA HS'],
    [SCTP_CHUNK.heartbeatAck, '     CL CL CW CE ES SS SR SA HS'],
  ],
  reply: [
    [SCTP_CHUNK.init, '             -- CL CW CE ES SS SR SA --'],
    [SCTP_CHUNK.initAck, '          -- CW CW CE ES SS SR SA --'],
    [SCTP_CHUNK.abort, '            -- CL CL CL CL CL CL CL --'],
    [SCTP_CHUNK.shutdown, '         -- CL CW CE SR SS SR SA --'],
    [SCTP_CHUNK.shutdownAck, '      -- CL CW CE ES SA SA SA --'],
    [SCTP_CHUNK.error, '            -- CL CW CL ES SS SR SA --'],
    [SCTP_CHUNK.cookieEcho, '       -- CL CE CE ES SS SR SA --'],
    [SCTP_CHUNK.cookieAck, '        -- CL CW ES ES SS SR SA --'],
    [SCTP_CHUNK.shutdownComplete, ' -- CL CW CE ES SS SR CL --'],
    [SCTP_CHUNK.heartbeat, '        -- CL CW CE ES SS SR SA HS'],
    [SCTP_CHUNK.heartbeatAck, '     -- CL CW CE ES SS SR SA ES'],
  ],
};

type Rows = ReadonlyMap<number, readonly Transition[]>;

function decode(rows: (typeof TRANSITIONS)[Direction]): Rows {
  return new Map(
    rows.map(([chunk, row]) => [
      chunk,
      row
        .trim()
        .split(/ +/)
        .map((cell) => LEGEND[cell] ?? 'invalid'),
    ]),
  );
}

const NEXT: Readonly<Record<Direction, Rows>> = {
  original: decode(TRANSITIONS.original),
  reply: decode(TRANSITIONS.reply),
};

/** The state that a chunk of `type` in `direction` leads to from `state`; DATA and its like change nothing. */
export function nextSctpState(direction: Direction, type: number, state: SctpState): Transition {
  const row = NEXT[direction].get(type);
  return row === undefined ? state : (row[SCTP_STATES.indexOf(state)] ?? 'invalid');
}
