/** curl's command line, as much of it as makes sense without files. */
import type { IpFamily } from '../../../wire/ip-address.ts';
import { readOptions } from '../options.ts';
import { ToolExit } from '../tool.ts';

export interface CurlOptions {
  readonly urls: readonly string[];
  readonly silent: boolean;
  readonly showError: boolean;
  readonly verbose: boolean;
  /** -i: the head too; -I: only the head, and ask for no more. */
  readonly include: boolean;
  readonly head: boolean;
  readonly discard: boolean;
  readonly failOnError: boolean;
  readonly follow: boolean;
  readonly writeOut: string | undefined;
  readonly method: string | undefined;
  readonly headers: readonly string[];
  readonly data: string | undefined;
  readonly userAgent: string;
  /** Seconds. */
  readonly maxTime: number | undefined;
  readonly connectTimeout: number | undefined;
  readonly family: IpFamily | undefined;
  /** `HOST:PORT:ADDRESS`. */
  readonly resolve: readonly string[];
  readonly interface: string | undefined;
  readonly localPort: number | undefined;
  readonly retries: number;
}

const HINT = "curl: try 'curl --help' or 'curl --manual' for more information";

function seconds(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+(\.\d*)?$|^\.\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) {
    throw new ToolExit(2, `curl: option ${option}: expected a proper numerical parameter\n${HINT}`);
  }
  // 0 means no limit.
  return value === 0 ? undefined : value;
}

/** Letters of our own for options that have only a long name. */
const LONG: Readonly<Record<string, string>> = {
  silent: 's',
  'show-error': 'S',
  verbose: 'v',
  include: 'i',
  head: 'I',
  output: 'o',
  'write-out': 'w',
  request: 'X',
  header: 'H',
  data: 'd',
  'data-raw': 'd',
  'data-ascii': 'd',
  'user-agent': 'A',
  'max-time': 'm',
  fail: 'f',
  location: 'L',
  insecure: 'k',
  ipv4: '4',
  ipv6: '6',
  'no-buffer': 'N',
  'connect-timeout': 'C',
  url: 'U',
  resolve: 'R',
  interface: 'D',
  'local-port': 'P',
  'no-progress-meter': 'M',
  'http1.1': 'M',
  globoff: 'g',
  retry: 'Y',
};

/** Reads curl's arguments. Throws ToolExit. */
export function readCurlOptions(args: readonly string[]): CurlOptions {
  const { has, value, list, words } = readOptions(args, {
    flags: 'sSviIfLk46NMg',
    values: 'owXHdAmCURDPY',
    long: LONG,
    unknown: (option) => {
      const name = option.startsWith('--') ? option : `-${option}`;
      return new ToolExit(2, `curl: option ${name}: is unknown\n${HINT}`);
    },
    missing: (option) => {
      const name = option.startsWith('--') ? option : `-${option}`;
      return new ToolExit(2, `curl: option ${name}: requires parameter\n${HINT}`);
    },
  });
  const urls = [...words, ...list('U')];
  if (urls.length === 0) throw new ToolExit(2, HINT);
  const output = value('o');
  if (output !== undefined && output !== '/dev/null' && output !== '-') {
    throw new ToolExit(
      23,
      `curl: (23) Failure writing output to destination: there are no files here but /dev/null`,
    );
  }
  const data = list('d');
  return {
    urls,
    silent: has('s'),
    showError: has('S'),
    verbose: has('v'),
    include: has('i') || has('I'),
    head: has('I'),
    discard: output === '/dev/null',
    failOnError: has('f'),
    follow: has('L'),
    writeOut: value('w'),
    method: value('X'),
    headers: list('H'),
    data: data.length === 0 ? undefined : data.join('&'),
    userAgent: value('A') ?? 'curl/7.88.1',
    maxTime: seconds(value('m'), '-m'),
    connectTimeout: seconds(value('C'), '--connect-timeout'),
    family: has('4') ? 'ipv4' : has('6') ? 'ipv6' : undefined,
    resolve: list('R'),
    interface: value('D'),
    localPort: value('P') === undefined ? undefined : Number(value('P')),
    retries: Number(value('Y') ?? 0),
  };
}
