/** ping's command line. */
import { type IpFamily, tryParseIpAddress } from '../../../wire/ip-address.ts';
import { readOptions } from '../options.ts';
import { ToolExit } from '../tool.ts';

export interface PingOptions {
  readonly target: string;
  readonly family: IpFamily | undefined;
  readonly count: number;
  /** Seconds between two requests. */
  readonly interval: number;
  /** Seconds to wait when nothing has come back (-W). */
  readonly linger: number;
  /** Seconds after which it ends whatever has happened (-w). */
  readonly deadline: number | undefined;
  /** Bytes behind the ICMP header. */
  readonly size: number;
  readonly ttl: number;
  readonly tos: number;
  /** Path MTU discovery (-M). */
  readonly discovery: 'do' | 'dont' | 'want' | 'probe';
  /** -I: a device or an address. */
  readonly from: string | undefined;
  /** The device that packets are bound to. */
  readonly device: string | undefined;
  readonly quiet: boolean;
  readonly timestamps: boolean;
  readonly broadcast: boolean;
  /** Addresses only. */
  readonly numeric: boolean;
  /** It ends as soon as every request is answered. */
  readonly quits: boolean;
}

/** Stands for LONG_MAX, which is no exact number here. */
const COUNT_MAX = Number.MAX_SAFE_INTEGER;
/** Nobody can interrupt it here: without -c and -w it ends after so many requests. */
const UNLIMITED = 4;

function fail(message: string, code = 1): ToolExit {
  return new ToolExit(code, `ping: ${message}`);
}

function whole(text: string | undefined, usual: number, [min, max]: readonly [number, number]): number {
  if (text === undefined) return usual;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw fail(`invalid argument: '${text}'`);
  if (value < min || value > max)
    throw fail(
      `invalid argument: '${text}': out of range: ${min} <= value <= ${max === COUNT_MAX ? '9223372036854775807' : max}`,
    );
  return value;
}

function seconds(text: string | undefined, usual: number, what: string): number {
  if (text === undefined) return usual;
  const value = /^\d+(\.\d*)?$|^\.\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw fail(`bad ${what}: ${text}`);
  return value;
}

const DISCOVERY: ReadonlySet<string> = new Set(['do', 'dont', 'want', 'probe']);

function discoveryOf(text: string | undefined): PingOptions['discovery'] {
  if (text === undefined) return 'want';
  if (!DISCOVERY.has(text)) throw fail(`invalid -M argument: ${text}`);
  return text as PingOptions['discovery'];
}

/** Reads ping's arguments. Throws ToolExit. */
export function readPingOptions(args: readonly string[]): PingOptions {
  const options = readOptions(args, {
    flags: '46bqnDvVURrLOaABdC',
    values: 'cisWwtMIQpelmSFN',
    unknown: (option) => fail(`invalid option -- '${option}'`, 2),
    missing: (option) => fail(`option requires an argument -- '${option}'`, 2),
  });
  const { value, has, words } = options;
  const target = words.at(-1);
  if (target === undefined) throw fail('usage error: Destination address required');
  const count = value('c');
  const deadline = value('w');
  return {
    target,
    family: has('4') ? 'ipv4' : has('6') ? 'ipv6' : undefined,
    count: whole(count, deadline === undefined ? UNLIMITED : Number.POSITIVE_INFINITY, [1, COUNT_MAX]),
    interval: seconds(value('i'), 1, 'timing interval'),
    linger: seconds(value('W'), 10, 'linger time'),
    deadline: deadline === undefined ? undefined : whole(deadline, 0, [0, 0x7fffffff]),
    size: whole(value('s'), 56, [0, 65_507]),
    ttl: whole(value('t'), 64, [1, 255]),
    tos: whole(value('Q'), 0, [0, 255]),
    discovery: discoveryOf(value('M')),
    from: value('I'),
    device: undefined,
    quiet: has('q'),
    timestamps: has('D'),
    broadcast: has('b'),
    // A target that is an address asks for no names.
    numeric: has('n') || tryParseIpAddress(target) !== undefined,
    quits: true,
  };
}
