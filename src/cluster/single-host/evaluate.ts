/**
 * What one host does with a sequence of packets. They share one conntrack table and one virtual clock; a
 * packet's random choices are drawn, or with `explore` enumerated before it is really played.
 */
import { explore, mergeOutcomes, type Outcome } from '../../netfilter/explore.ts';
import type { Device } from '../../netstack/device.ts';
import type { HostEvent } from '../../netstack/events.ts';
import type { Fate } from '../../netstack/fate.ts';
import type { Host } from '../../netstack/host.ts';
import { InputError } from '../../sim/input-error.ts';
import type { HostRun } from './build-host.ts';
import type { PacketLine } from './packet-lines.ts';
import { type EvalResult, pathOf, type RandomPorts, type VerdictJson, verdictJson } from './result.ts';

/** The device `line` comes in on; undefined when the host makes the packet. Throws InputError. */
function deviceOf(host: Host, line: PacketLine): Device | undefined {
  const { inDevice } = line;
  if (inDevice === undefined) return undefined;
  const device = host.addresses.devices.get(inDevice);
  if (device !== undefined) return device;
  const known = [...host.addresses.devices.keys()].join(', ');
  throw new InputError(`there is no interface ${inDevice} on the host; expected one of ${known}`, line);
}

/** Throws InputError when a packet comes in on a device that `host` lacks. */
export function checkDevices(host: Host, lines: readonly PacketLine[]): void {
  for (const line of lines) deviceOf(host, line);
}

function play(host: Host, line: PacketLine): Fate {
  const device = deviceOf(host, line);
  return (device === undefined ? host.send(line.packet) : host.receive(line.packet, device)).fate;
}

/** Which ports of the packet that `events` tell of were drawn at random. */
function randomPorts(events: readonly HostEvent[]): RandomPorts {
  let source = false;
  let destination = false;
  for (const event of events) {
    if (event.kind === 'originate' && event.answers !== undefined) break;
    if (event.kind !== 'translate' || !event.random) continue;
    // Later packets of a flow have the port that its first one drew: it is in the table, and no choice any more.
    if (event.cause !== 'rule' && event.cause !== 'null-binding') continue;
    if (event.manip === 'source') source = true;
    else destination = true;
  }
  return { source, destination };
}

/** Every outcome of `line` from the host's present state, each with its exact probability. */
function outcomesOf({ host, clock, random }: HostRun, line: PacketLine): Outcome<VerdictJson>[] {
  const ports = random.clone();
  const outcomes = explore(
    (choices) => {
      const fork = host.fork(clock, choices);
      const events: HostEvent[] = [];
      fork.trace = (event) => events.push(event);
      const fate = play(fork, line);
      return verdictJson(fate, randomPorts(events));
    },
    () => ports.uint32() & 0xffff,
  );
  return mergeOutcomes(outcomes, (verdict) => JSON.stringify(verdict));
}

/** Plays `lines` in order and yields a result for each. Throws InputError for a packet on no known device. */
export function* evaluate(
  run: HostRun,
  lines: Iterable<PacketLine>,
  options: { readonly explore: boolean },
): IterableIterator<EvalResult> {
  const { host, clock } = run;
  for (const line of lines) {
    clock.advance(line.wait);
    const outcomes = options.explore ? outcomesOf(run, line) : undefined;
    const events: HostEvent[] = [];
    host.trace = (event) => events.push(event);
    const fate = play(host, line);
    yield {
      id: line.id,
      ...verdictJson(fate),
      path: pathOf(events),
      ...(outcomes === undefined
        ? {}
        : { outcomes: outcomes.map(({ result, probability }) => ({ ...result, probability })) }),
    };
  }
}
