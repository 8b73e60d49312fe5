/** traceroute's command line. */
import type { IpFamily } from '../../../wire/ip-address.ts';
import { readOptions } from '../options.ts';
import { ToolExit } from '../tool.ts';

export type ProbeKind = 'udp' | 'icmp' | 'tcp';

export interface TracerouteOptions {
  readonly target: string;
  readonly family: IpFamily | undefined;
  readonly kind: ProbeKind;
  readonly firstHop: number;
  readonly maxHops: number;
  /** Probes a hop. */
  readonly probes: number;
  /** Seconds to wait for an answer. */
  readonly wait: number;
  /** Destination port; of UDP probes the first of many. */
  readonly port: number;
  readonly source: string | undefined;
  readonly device: string | undefined;
  readonly tos: number;
  readonly dontFragment: boolean;
  /** Bytes of a probe, headers included. */
  readonly length: number | undefined;
  /** Probes on their way at a time. */
  readonly simultaneous: number;
  /** Addresses only. */
  readonly numeric: boolean;
}

const DEFAULT_PORT: Readonly<Record<ProbeKind, number>> = { udp: 33_434, icmp: 1, tcp: 80 };

function fail(message: string): ToolExit {
  return new ToolExit(2, message);
}

function number(text: string | undefined, usual: number, option: string, max = 65_535): number {
  if (text === undefined) return usual;
  const value = /^\d+(\.\d*)?$|^\.\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= max)) throw fail(`Cannot handle \`-${option}' option with arg \`${text}'`);
  return value;
}

const USAGE = `Usage:
  traceroute [ -46nFIT ] [ -f first_ttl ] [ -m max_ttl ] [ -p port ] [ -t tos ] [ -w waittime ] [ -q nqueries ] [ -s src_addr ] [ -i device ] host [ packetlen ]`;

/** Reads traceroute's arguments. Throws ToolExit. */
export function readTracerouteOptions(args: readonly string[]): TracerouteOptions {
  const { has, value, words } = readOptions(args, {
    flags: '46nFITUre',
    values: 'fmpqwsitNz',
    long: { icmp: 'I', tcp: 'T', 'max-hops': 'm', queries: 'q', wait: 'w', port: 'p', first: 'f' },
    unknown: (option) => fail(`Bad option \`-${option.replace(/^-+/, '')}'`),
    missing: (option) => fail(`Option \`-${option.replace(/^-+/, '')}' requires an argument`),
  });
  const [target, length] = words;
  if (target === undefined) throw fail(USAGE);
  const kind: ProbeKind = has('I') ? 'icmp' : has('T') ? 'tcp' : 'udp';
  const maxHops = number(value('m'), 30, 'm');
  if (maxHops > 255) throw fail('max hops cannot be more than 255');
  const firstHop = number(value('f'), 1, 'f');
  if (firstHop === 0 || firstHop > maxHops) throw fail('first hop out of range');
  const probes = number(value('q'), 3, 'q');
  if (probes === 0 || probes > 10) throw fail('no more than 10 probes per hop');
  return {
    target,
    family: has('4') ? 'ipv4' : has('6') ? 'ipv6' : undefined,
    kind,
    firstHop,
    maxHops,
    probes,
    wait: number(value('w')?.split(',')[0], 5, 'w'),
    port: number(value('p'), DEFAULT_PORT[kind], 'p'),
    source: value('s'),
    device: value('i'),
    tos: number(value('t'), 0, 't', 255),
    dontFragment: has('F'),
    length: length === undefined ? undefined : number(length, 60, 'packetlen', 65_000),
    simultaneous: Math.max(1, number(value('N'), 16, 'N')),
    numeric: has('n'),
  };
}
