/** Rows about what happened at the link: neighbours asked for and found, bridges, tunnels, frames. */
import type { LinkEvent } from '../../netstack/namespace-events.ts';
import { formatIpAddress } from '../../wire/ip-address.ts';
import { BROADCAST_MAC, formatMac } from '../../wire/mac.ts';
import { endsText } from './phrases.ts';
import { type Row, row } from './rows.ts';

/** A frame event has either of two kinds. */
type FrameSent = Extract<LinkEvent, { kind: 'frame-sent' | 'frame-received' }>;
type Shown =
  | Extract<LinkEvent, { kind: 'neighbour-wait' | 'neighbour' | 'bridge' | 'encapsulated' | 'decapsulated' }>
  | FrameSent;

function macText(mac: number): string {
  return mac === BROADCAST_MAC ? 'everybody' : formatMac(mac);
}

/** States of an entry whose neighbour has just been found. */
const FOUND: ReadonlySet<string> = new Set(['REACHABLE', 'STALE', 'DELAY']);

function neighbourRows({ address, device, state, mac }: Extract<Shown, { kind: 'neighbour' }>): Row[] {
  const how = typeof address === 'number' ? 'ARP' : 'neighbour discovery';
  const who = `${formatIpAddress(address)} dev ${device}`;
  if (state === 'FAILED') return [row('neighbour', '', who, `nobody answered ${how}`)];
  if (mac === undefined || !FOUND.has(state)) return [];
  return [row('neighbour', '', who, `lladdr ${formatMac(mac)} ${state}, found by ${how}`)];
}

function bridgeRow({ bridge, inPort, outPorts, local, flooded }: Extract<Shown, { kind: 'bridge' }>): Row {
  const to = [...outPorts, ...(local ? ['itself'] : [])].join(', ') || 'nobody';
  return row('bridge', '', `${bridge}: ${inPort ?? 'itself'} → ${to}`, flooded ? 'flooded' : '');
}

/** The rows of `event`; none for what only matters to the hosts that look for each other. */
export function linkRows(event: Shown): Row[] {
  switch (event.kind) {
    // Whether it was found is told next.
    case 'neighbour-wait':
      return [];
    case 'neighbour':
      return neighbourRows(event);
    case 'bridge':
      return event.frame.payload.kind === 'ip' ? [bridgeRow(event)] : [];
    case 'encapsulated':
      return [row('tunnel', '', event.device, `into ${endsText(event.outer)}`)];
    case 'decapsulated':
      return [row('tunnel', '', event.device, `out of ${endsText(event.outer)}`)];
    case 'frame-received':
      return [];
    case 'frame-sent': {
      const { frame, device } = event;
      if (frame.payload.kind !== 'ip') return [];
      return [row('frame', '', device, `${macText(frame.source)} → ${macText(frame.destination)}`)];
    }
  }
}
