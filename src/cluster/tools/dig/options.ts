/** dig's command line. */
import { type IpFamily, tryParseIpAddress } from '../../../wire/ip-address.ts';
import { reverseNameOf } from '../../apps/dns/reverse-name.ts';
import { ToolExit } from '../tool.ts';
import type { DigParts } from './message-text.ts';

/** One question; dig takes several. */
export interface DigQuery {
  readonly name: string;
  readonly type: string;
}

export interface DigOptions {
  readonly queries: readonly DigQuery[];
  readonly server: string | undefined;
  readonly port: number;
  readonly family: IpFamily | undefined;
  readonly parts: DigParts;
  readonly short: boolean;
  readonly search: boolean;
  readonly tcp: boolean;
  readonly edns: boolean;
  readonly recurse: boolean;
  readonly command: boolean;
  readonly tries: number;
  /** Seconds. */
  readonly timeout: number;
}

const TYPES: ReadonlySet<string> = new Set(
  'A AAAA ANY CAA CNAME DNSKEY DS HTTPS MX NAPTR NS PTR SOA SPF SRV SVCB TXT'.split(' '),
);

const ALL: DigParts = {
  comments: true,
  question: true,
  answer: true,
  authority: true,
  additional: true,
  statistics: true,
};
const NOTHING: DigParts = {
  comments: false,
  question: false,
  answer: false,
  authority: false,
  additional: false,
  statistics: false,
};

interface Draft {
  parts: DigParts;
  short: boolean;
  search: boolean;
  tcp: boolean;
  edns: boolean;
  recurse: boolean;
  command: boolean;
  tries: number;
  timeout: number;
}

const PART_WORDS: Readonly<Record<string, keyof DigParts>> = {
  comments: 'comments',
  question: 'question',
  answer: 'answer',
  authority: 'authority',
  additional: 'additional',
  stats: 'statistics',
};

const SWITCHES: Readonly<Record<string, 'short' | 'search' | 'tcp' | 'edns' | 'recurse' | 'command'>> = {
  short: 'short',
  search: 'search',
  tcp: 'tcp',
  vc: 'tcp',
  edns: 'edns',
  recurse: 'recurse',
  rec: 'recurse',
  cmd: 'command',
};

/** Options that change nothing here. */
const IGNORED: ReadonlySet<string> = new Set([
  'cookie',
  'adflag',
  'ad',
  'dnssec',
  'ttlid',
  'identify',
  'idnin',
  'idnout',
  'crypto',
  'multiline',
]);

function usage(word: string): ToolExit {
  const lines = [
    `Invalid option: ${word}`,
    'Usage:  dig [@global-server] [domain] [q-type] [q-class] {q-opt}',
    '            {global-d-opt} host [@local-server] {local-d-opt}',
    '            [ host [@local-server] {local-d-opt} [...]]',
    '',
    'Use "dig -h" (or "dig -h | more") for complete list of options',
  ];
  return new ToolExit(1, lines.join('\n'));
}

function readPlus(word: string, draft: Draft): void {
  const [, no = '', name = '', value] = /^\+(no)?([a-z]+)(?:=(.*))?$/.exec(word) ?? [];
  const on = no === '';
  const part = PART_WORDS[name];
  const flag = SWITCHES[name];
  if (name === 'all') draft.parts = on ? ALL : NOTHING;
  else if (part !== undefined) draft.parts = { ...draft.parts, [part]: on };
  else if (flag !== undefined) draft[flag] = on;
  else if (name === 'tries' && value !== undefined) draft.tries = Math.max(1, Number(value) || 1);
  else if (name === 'retry' && value !== undefined) draft.tries = 1 + Math.max(0, Number(value) || 0);
  else if ((name === 'time' || name === 'timeout') && value !== undefined)
    draft.timeout = Math.max(1, Number(value) || 1);
  else if (name === 'ndots' || name === 'bufsize' || name === 'domain')
    throw new ToolExit(1, `dig: ${word} is not supported here`);
  else if (!IGNORED.has(name)) throw usage(word);
}

/** Reads dig's arguments. Throws ToolExit. */
export function readDigOptions(args: readonly string[]): DigOptions {
  const draft: Draft = {
    parts: ALL,
    short: false,
    search: false,
    tcp: false,
    edns: true,
    recurse: true,
    command: true,
    tries: 3,
    timeout: 5,
  };
  const names: { name: string; type: string | undefined }[] = [];
  let pendingType: string | undefined;
  let server: string | undefined;
  let port = 53;
  let family: IpFamily | undefined;
  let at = 0;
  const value = (word: string): string => {
    const next = args[at++];
    if (next === undefined) throw usage(word);
    return next;
  };
  const setType = (type: string) => {
    const last = names.at(-1);
    if (last === undefined || last.type !== undefined) pendingType = type;
    else last.type = type;
  };
  while (at < args.length) {
    const word = args[at++] ?? '';
    if (word.startsWith('@')) server = word.slice(1);
    else if (word.startsWith('+')) readPlus(word, draft);
    else if (word === '-4') family = 'ipv4';
    else if (word === '-6') family = 'ipv6';
    else if (word === '-t') setType(value(word).toUpperCase());
    else if (word === '-q') names.push({ name: value(word), type: pendingType });
    else if (word === '-p') port = Number(value(word));
    else if (word === '-c' || word === '-b') value(word);
    else if (word === '-x') names.push({ name: reverseText(value(word)), type: 'PTR' });
    else if (word.startsWith('-')) throw usage(word);
    else if (TYPES.has(word.toUpperCase())) setType(word.toUpperCase());
    else if (word.toUpperCase() !== 'IN') {
      names.push({ name: word, type: pendingType });
      pendingType = undefined;
    }
  }
  const queries = names.map(({ name, type }) => ({ name, type: type ?? pendingType ?? 'A' }));
  return {
    queries: queries.length === 0 ? [{ name: '.', type: pendingType ?? 'NS' }] : queries,
    server,
    port,
    family,
    ...draft,
  };
}

function reverseText(text: string): string {
  const address = tryParseIpAddress(text);
  return address === undefined ? text : reverseNameOf(address);
}
