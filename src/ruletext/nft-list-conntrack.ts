/** `-m conntrack` and `-m state` as libxtables 1.8.9 translates them (libxt_conntrack.c, _conntrack3_mt_xlate). */
import type {
  ConntrackMatch,
  CtStateName,
  CtStatusName,
  NegatableAddress,
  NumberRange,
  StateMatch,
} from '../netfilter/match.ts';
import { maskLength } from '../wire/ip-prefix.ts';
import { formatAddress, formatMask } from './address-text.ts';
import { numberOrRange, unequal } from './nft-list-statement.ts';

/** In the order of the text. */
const STATES: readonly CtStateName[] = ['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED'];
const STATUSES: readonly CtStatusName[] = ['EXPECTED', 'SEEN_REPLY', 'ASSURED', 'CONFIRMED'];

const names = (order: readonly string[], given: readonly string[]) =>
  order
    .filter((name) => given.includes(name))
    .map((name) => name.toLowerCase().replace('_', '-'))
    .join(',');

/** `-m state`. */
export function translateState({ negate, states }: StateMatch): string {
  return `ct state ${negate ? '! ' : ''}${names(STATES, states)}`;
}

function state({ state: test, status }: ConntrackMatch): string[] {
  if (test === undefined) return [];
  const translated = test.states.includes('SNAT') ? 'snat' : test.states.includes('DNAT') ? 'dnat' : '';
  if (translated === '') return [`ct state ${test.negate ? '! ' : ''}${names(STATES, test.states)}`];
  // The negation that it looks at is that of --ctstatus.
  return [`ct status ${status?.negate === true ? '!=' : ''}${translated}`];
}

function address(name: string, test: NegatableAddress | undefined): string[] {
  if (test === undefined) return [];
  const whole = maskLength(test.mask) === (typeof test.mask === 'number' ? 32 : 128);
  const mask = whole ? '' : formatMask(test.mask);
  return [`ct ${name} ${unequal(test.negate)}${formatAddress(test.address)}${mask}`];
}

function range(name: string, test: (NumberRange & { readonly negate: boolean }) | undefined): string[] {
  return test === undefined ? [] : [`ct ${name} ${unequal(test.negate)}${numberOrRange(test)}`];
}

/** `-m conntrack`. */
export function translateConntrack(match: ConntrackMatch): string {
  const { direction, protocol, status } = match;
  const side = direction === 'REPLY' ? 'reply' : 'original';
  return [
    ...(direction === undefined ? [] : [`ct direction ${side}`]),
    ...(protocol === undefined
      ? []
      : [`ct ${side} protocol ${unequal(protocol.negate)}${protocol.protocol}`]),
    ...state(match),
    ...(status === undefined
      ? []
      : [`ct status ${status.negate ? '! ' : ''}${names(STATUSES, status.statuses)}`]),
    ...range('expiration', match.expire),
    ...address('original saddr', match.origSrc),
    ...address('original daddr', match.origDst),
    ...address('reply saddr', match.replSrc),
    ...address('reply daddr', match.replDst),
    ...range('original proto-src', match.origSrcPort),
    ...range('original proto-dst', match.origDstPort),
    ...range('reply proto-src', match.replSrcPort),
    ...range('reply proto-dst', match.replDstPort),
  ].join(' ');
}
