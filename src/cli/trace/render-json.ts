/**
 * A trace as JSON, stable: the request, every hop with its path, how it ended, and why. Hops carry the same
 * `path` steps and packets as `kubewire eval` prints.
 */
import { packetJson, pathOf, verdictJson } from '../../cluster/single-host/result.ts';
import { arrivalDevice, firstPacket, type Hop, hostEvents } from '../../cluster/trace/hop.ts';
import type { TraceReport } from '../../cluster/trace/trace.ts';
import type { NamespaceEvent } from '../../netstack/namespace-events.ts';
import { formatIpAddress } from '../../wire/ip-address.ts';
import { formatMac } from '../../wire/mac.ts';
import { kindText, routeText } from './phrases.ts';

/** What happened at the link, where a packet was concerned. */
function linkJson(event: NamespaceEvent): readonly object[] {
  switch (event.kind) {
    case 'frame-sent':
    case 'frame-received': {
      const { kind, device, frame } = event;
      const { source, destination, payload } = frame;
      return [
        {
          kind,
          device,
          source: formatMac(source),
          destination: formatMac(destination),
          carries: payload.kind,
        },
      ];
    }
    case 'neighbour-wait':
      return [{ kind: event.kind, device: event.device, address: formatIpAddress(event.address) }];
    case 'neighbour': {
      const { kind, device, address, state, mac } = event;
      const lladdr = mac === undefined ? {} : { lladdr: formatMac(mac) };
      return [{ kind, device, address: formatIpAddress(address), state, ...lladdr }];
    }
    case 'bridge': {
      const { kind, bridge, inPort, outPorts, local, flooded } = event;
      return [{ kind, bridge, ...(inPort === undefined ? {} : { inPort }), outPorts, local, flooded }];
    }
    case 'encapsulated':
    case 'decapsulated':
      return [{ kind: event.kind, device: event.device, outer: packetJson(event.outer) }];
    case 'frame-dropped':
    case 'frame-lost':
    case 'packet-dropped':
      return [{ kind: event.kind, device: event.device, reason: event.reason }];
    default:
      return [];
  }
}

function hopJson(hop: Hop) {
  const { leg, host, kind, events, loss } = hop;
  const arrived = arrivalDevice(events);
  const tracked = events.find((event) => event.kind === 'conntrack');
  const packet = firstPacket(events);
  return {
    leg,
    host,
    hostKind: kind,
    ...(arrived === undefined ? {} : { in: arrived }),
    ...(packet === undefined ? {} : { packet: { ...packetJson(packet), kind: kindText(packet) } }),
    ...(tracked?.kind === 'conntrack' ? { ctstate: tracked.state } : {}),
    routes: events.flatMap((event) =>
      event.kind === 'route' ? [routeText(event.route, event.destination)] : [],
    ),
    path: pathOf(
      hostEvents(events).map((event) =>
        event.kind === 'originate' ? { kind: event.kind, packet: event.packet } : event,
      ),
    ),
    ...verdictOf(hop),
    link: events.flatMap(linkJson),
    ...(loss === undefined ? {} : { lost: { device: loss.device, reason: loss.reason } }),
    ...(loss?.nextHop === undefined
      ? {}
      : { noNeighbour: { device: loss.device, nextHop: formatIpAddress(loss.nextHop) } }),
  };
}

function verdictOf({ fate }: Hop) {
  const { packet, ...verdict } = verdictJson(fate);
  return { ...verdict, ...(packet === undefined ? {} : { leaves: packet }) };
}

/** `report` as indented JSON text, ending in a newline. */
export function renderJson({
  request,
  seed,
  hops,
  outcome,
  success,
  explanation,
  outcomes,
}: TraceReport): string {
  const { kind, host } = outcome;
  const value = {
    from: request.from,
    to: request.destination,
    packet: packetJson(request.packet),
    seed,
    success,
    outcome: { kind, host },
    explanation,
    ...(outcomes === undefined ? {} : { outcomes }),
    hops: hops.map(hopJson),
  };
  return `${JSON.stringify(value, null, 2)}\n`;
}
