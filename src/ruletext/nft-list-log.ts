/** `-j LOG` and `-j NFLOG` in nft's words, from their options as a save has them. */
import { createLineTokens, splitLine } from './line-tokens.ts';

const FLAGS = {
  sequence: '--log-tcp-sequence',
  tcpOptions: '--log-tcp-options',
  ipOptions: '--log-ip-options',
  uid: '--log-uid',
  mac: '--log-macdecode',
} as const;

const FLAG_OPTIONS: readonly string[] = Object.values(FLAGS);

/** The options with their values; flags have an empty one. */
function readOptions(text: string): ReadonlyMap<string, string> {
  const tokens = createLineTokens();
  splitLine(text, 0, text.length, tokens);
  const words = tokens.words.slice(0, tokens.count).values();
  const options = new Map<string, string>();
  for (const option of words) {
    options.set(option, FLAG_OPTIONS.includes(option) ? '' : (words.next().value ?? ''));
  }
  return options;
}

/** syslog's levels, by number. */
const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug'];

/** libxt_LOG.c, LOG_xlate. */
export function translateLog(text: string): string {
  const options = readOptions(text);
  const has = (flag: keyof typeof FLAGS) => options.has(FLAGS[flag]);
  const prefix = options.get('--log-prefix') ?? '';
  const level = options.get('--log-level');
  const words = ['log'];
  if (prefix !== '') words.push(`prefix "${prefix}"`);
  if (level !== undefined) words.push(`level ${LEVELS[Number(level)]}`);
  if (FLAG_OPTIONS.every((flag) => options.has(flag))) return [...words, 'flags all'].join(' ');
  const tcp = [...(has('sequence') ? ['sequence'] : []), ...(has('tcpOptions') ? ['options'] : [])];
  if (tcp.length > 0) words.push(`flags tcp ${tcp.join(',')}`);
  if (has('ipOptions')) words.push('flags ip options');
  if (has('uid')) words.push('flags skuid');
  if (has('mac')) words.push('flags ether');
  return words.join(' ');
}

/** nft's own log statement, which iptables-nft makes of NFLOG. */
export function translateNflog(text: string): string {
  const options = readOptions(text);
  const prefix = options.get('--nflog-prefix') ?? '';
  const size = options.get('--nflog-size');
  const threshold = options.get('--nflog-threshold');
  return [
    'log',
    ...(prefix === '' ? [] : [`prefix "${prefix}"`]),
    `group ${options.get('--nflog-group') ?? '0'}`,
    ...(size === undefined ? [] : [`snaplen ${size}`]),
    ...(threshold === undefined ? [] : [`queue-threshold ${threshold}`]),
  ].join(' ');
}
