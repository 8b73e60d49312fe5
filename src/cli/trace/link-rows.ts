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

function neighbourRow({
  address,
  device,
  state,
  mac,
}: Extract<Shown, { kind: 'neighbour' }>): Row | undefined {
  const who = `${formatIpAddress(address)} dev ${device}`;
  if (state === 'FAILED') return row('neighbour', '', who, 'nobody answered');
  return mac === undefined ? undefined : row('neighbour', '', who, `lladdr ${formatMac(mac)} ${state}`);
}

function bridgeRow({ bridge, inPort, outPorts, local, flooded }: Extract<Shown, { kind: 'bridge' }>): Row {
  const to = [...outPorts, ...(local ? ['itself'] : [])].join(', ') || 'nobody';
  return row('bridge', '', `${bridge}: ${inPort ?? 'itself'} → ${to}`, flooded ? 'flooded' : '');
}

/** The rows of `event`; none for what only matters to the hosts that look for each other. */
export function linkRows(event: Shown): Row[] {
  switch (event.kind) {
    case 'neighbour-wait': {
      const how = typeof event.address === 'number' ? 'asked for by ARP' : 'asked for by neighbour discovery';
      return [row('neighbour', '', `${formatIpAddress(event.address)} dev ${event.device}`, how)];
    }
    case 'neighbour':
      return [neighbourRow(event)].flatMap((each) => each ?? []);
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
