/** The grammars of targets that are kept as text. Names as after `-j`; those that are missing are not checked. */
import type { IpFamily } from '../../../wire/ip-address.ts';
import { type ExtensionGrammar, FLAG } from './extension-grammar.ts';
import {
  HOST,
  HOST_MASK,
  listOf,
  MAC,
  number,
  PORT,
  PREFIX_LENGTH,
  pattern,
  text,
  U16,
  U32,
  VALUE_MASK,
} from './value-forms.ts';

const SET_NAME = text(31, 1);
const DIRECTIONS = pattern('src or dst for each part of the set', /(src|dst)[^,]*(,(src|dst)[^,]*){0,5}/);
const TCP_OPTION = pattern(
  'a TCP option: wscale, mss, sack-permitted, sack, timestamp, md5 or a number from 2',
  /wscale|mss|sack-permitted|sack|timestamp|md5|[2-9]|[1-9]\d|1\d\d|2[0-4]\d|25[0-5]/,
);
const HMARK_PART = pattern(
  'ct, src, dst, sport, dport, proto or spi',
  /ct?|sr?c?|ds?t?|spo?r?t?|dpo?r?t?|pr?o?t?o?|spi?/i,
);
const INTERVAL = pattern('a time such as 1s, 250ms or 1', /\d+(\.\d+)?(s|ms|us|sec|msec|usec)?/);

/** --queue-balance LOW:HIGH with LOW below HIGH. */
const QUEUES = {
  expected: 'LOW:HIGH, LOW below HIGH',
  accepts: (value: string) => {
    const [low, high] = /^(\d+):(\d+)$/.exec(value)?.slice(1).map(Number) ?? [];
    return low !== undefined && high !== undefined && low < high && high <= 0xffff;
  },
};

/** What of a packet goes into the hash: at least one part, and not both SPI and ports. */
function hmarkProblem(given: ReadonlyMap<string, readonly string[]>): string | undefined {
  const parts = (given.get('hmark-tuple')?.[0] ?? '').toLowerCase().split(',');
  const has = (part: string, ...options: readonly string[]) =>
    parts.some((each) => each !== '' && part.startsWith(each)) || options.some((option) => given.has(option));
  const ports = has('sport', 'hmark-sport-mask') || has('dport', 'hmark-dport-mask');
  if (has('spi', 'hmark-spi-mask') && ports) return 'the SPI and ports exclude each other';
  const any = [...given.keys()].some((option) => /tuple|prefix|mask/.test(option));
  return any ? undefined : 'option --hmark-tuple is missing';
}

const TCP_OPTION_NUMBERS: Readonly<Record<string, number>> = {
  mss: 2,
  wscale: 3,
  'sack-permitted': 4,
  sack: 5,
  timestamp: 8,
  md5: 19,
};

function repeatedOption(given: ReadonlyMap<string, readonly string[]>): string | undefined {
  const words = (given.get('strip-options')?.[0] ?? '').split(',');
  const numbers = words.map((word) => TCP_OPTION_NUMBERS[word] ?? Number(word));
  const again = numbers.findIndex((number, index) => numbers.indexOf(number) < index);
  return again < 0 ? undefined : `TCP option ${words[again]} is given twice`;
}

const BOTH_FAMILIES: Readonly<Record<string, ExtensionGrammar>> = {
  CLASSIFY: {
    options: { 'set-class': [pattern('MAJOR:MINOR in hexadecimal', /[0-9a-f]+:[0-9a-f]+.*/i)] },
    required: [['set-class']],
  },
  CONNSECMARK: {
    options: { save: FLAG, restore: FLAG },
    required: [['save', 'restore']],
    exclusive: [['save', 'restore']],
  },
  HMARK: {
    options: {
      'hmark-tuple': [listOf(HMARK_PART)],
      'hmark-src-prefix': [PREFIX_LENGTH],
      'hmark-dst-prefix': [PREFIX_LENGTH],
      'hmark-sport-mask': [U16],
      'hmark-dport-mask': [U16],
      'hmark-spi-mask': [U32],
      'hmark-sport': [U16],
      'hmark-dport': [U16],
      'hmark-spi': [U32],
      'hmark-proto-mask': [U16],
      'hmark-rnd': [U32],
      'hmark-mod': [number(0xffffffff, 1)],
      'hmark-offset': [U32],
    },
    required: [['hmark-mod'], ['hmark-rnd']],
    also: hmarkProblem,
  },
  IDLETIMER: {
    options: { timeout: [U32], label: [text()], alarm: FLAG },
    required: [['timeout'], ['label']],
  },
  LED: {
    options: {
      'led-trigger-id': [text()],
      'led-delay': [pattern('inf or milliseconds', /inf|\d+/)],
      'led-always-blink': FLAG,
    },
    required: [['led-trigger-id']],
  },
  NETMAP: { options: { to: [HOST_MASK] }, required: [['to']] },
  NFQUEUE: {
    options: {
      'queue-num': [U16],
      'queue-balance': [QUEUES],
      'queue-bypass': FLAG,
      'queue-cpu-fanout': FLAG,
    },
    exclusive: [['queue-num', 'queue-balance']],
    goesWith: [['queue-cpu-fanout', 'queue-balance']],
  },
  RATEEST: {
    options: { 'rateest-name': [text()], 'rateest-interval': [INTERVAL], 'rateest-ewmalog': [INTERVAL] },
    required: [['rateest-name'], ['rateest-interval'], ['rateest-ewmalog']],
  },
  SECMARK: { options: { selctx: [text()] }, required: [['selctx']] },
  SET: {
    options: {
      'add-set': [SET_NAME, DIRECTIONS],
      'del-set': [SET_NAME, DIRECTIONS],
      'map-set': [SET_NAME, DIRECTIONS],
      exist: FLAG,
      timeout: [number(0xfffffffe)],
      'map-mark': FLAG,
      'map-prio': FLAG,
      'map-queue': FLAG,
    },
    repeatable: '*',
    required: [['add-set', 'del-set', 'map-set']],
    goesWith: [
      ['exist', 'add-set'],
      ['timeout', 'add-set'],
      ['map-mark', 'map-set'],
      ['map-prio', 'map-set'],
      ['map-queue', 'map-set'],
    ],
  },
  SYNPROXY: {
    options: { 'sack-perm': FLAG, timestamp: FLAG, wscale: [U32], mss: [U32], ecn: FLAG },
  },
  TCPOPTSTRIP: { options: { 'strip-options': [listOf(TCP_OPTION)] }, also: repeatedOption },
  TEE: { options: { gateway: [HOST], oif: [text()] }, required: [['gateway']] },
  TPROXY: {
    options: { 'on-port': [PORT], 'on-ip': [HOST], 'tproxy-mark': [VALUE_MASK] },
    required: [['on-port']],
  },
};

const IPV4: Readonly<Record<string, ExtensionGrammar>> = {
  CLUSTERIP: {
    options: {
      new: FLAG,
      hashmode: [
        pattern(
          'sourceip, sourceip-sourceport or sourceip-sourceport-destport',
          /sourceip(-sourceport(-destport)?)?/,
        ),
      ],
      clustermac: [MAC],
      'total-nodes': [number(16)],
      'local-node': [number(16)],
      'hash-init': [U32],
    },
  },
  ECN: {
    options: {
      'ecn-tcp-remove': FLAG,
      'ecn-tcp-cwr': [number(1)],
      'ecn-tcp-ece': [number(1)],
      'ecn-ip-ect': [number(3)],
    },
    required: [['ecn-tcp-remove', 'ecn-tcp-cwr', 'ecn-tcp-ece', 'ecn-ip-ect']],
    exclusive: [
      ['ecn-tcp-remove', 'ecn-tcp-cwr'],
      ['ecn-tcp-remove', 'ecn-tcp-ece'],
    ],
  },
};

const PREFIXES: ExtensionGrammar = {
  options: { 'src-pfx': [HOST_MASK], 'dst-pfx': [HOST_MASK] },
  required: [['src-pfx'], ['dst-pfx']],
};

const IPV6: Readonly<Record<string, ExtensionGrammar>> = { DNPT: PREFIXES, SNPT: PREFIXES };

/** The grammar of `-j name` in rules of `family`; undefined when its text is not checked. */
export function targetGrammar(name: string, family: IpFamily): ExtensionGrammar | undefined {
  const own = family === 'ipv4' ? IPV4 : IPV6;
  if (Object.hasOwn(own, name)) return own[name];
  return Object.hasOwn(BOTH_FAMILIES, name) ? BOTH_FAMILIES[name] : undefined;
}
