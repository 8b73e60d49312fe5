/**
 * A trace as JSON, stable: the request, every hop with its path, how it ended, and why. Hops carry the same
 * `path` steps and packets as `kubewire eval` prints.
 */
import { packetJson, pathOf, verdictJson } from '../../cluster/single-host/result.ts';
import type { TraceReport } from '../../cluster/trace/trace.ts';
import type { Hop } from '../../cluster/trace/walk.ts';
import { formatIpAddress } from '../../wire/ip-address.ts';
import { kindText, routeText } from './phrases.ts';

function hopJson(hop: Hop) {
  const { leg, host, kind, events, unresolved } = hop;
  const first = events.find((event) => event.kind === 'receive' || event.kind === 'originate');
  const received = events.find((event) => event.kind === 'receive');
  const tracked = events.find((event) => event.kind === 'conntrack');
  const packet = first?.kind === 'receive' || first?.kind === 'originate' ? first.packet : undefined;
  return {
    leg,
    host,
    hostKind: kind,
    ...(received?.kind === 'receive' ? { in: received.device } : {}),
    ...(packet === undefined ? {} : { packet: { ...packetJson(packet), kind: kindText(packet) } }),
    ...(tracked?.kind === 'conntrack' ? { ctstate: tracked.state } : {}),
    routes: events.flatMap((event) =>
      event.kind === 'route' ? [routeText(event.route, event.destination)] : [],
    ),
    path: pathOf(
      events.map((event) =>
        event.kind === 'originate' ? { kind: event.kind, packet: event.packet } : event,
      ),
    ),
    ...verdictOf(hop),
    ...(unresolved === undefined
      ? {}
      : { noNeighbour: { device: unresolved.device, nextHop: formatIpAddress(unresolved.nextHop) } }),
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
