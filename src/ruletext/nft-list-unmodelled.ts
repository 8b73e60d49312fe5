/**
 * Extensions that rules keep as text: what libxtables 1.8.9 translates of the ones that are met most, and which
 * others it is known not to translate. Of the rest only the name is known, and the listing says so.
 */
import type { UnknownMatch } from '../netfilter/match.ts';
import { unequal } from './nft-list-statement.ts';

/** Measured: nft prints their name, whatever their options. */
const UNTRANSLATED_MATCHES: ReadonlySet<string> = new Set([
  ...[
    'bpf',
    'connlimit',
    'dst',
    'eui64',
    'ipv6header',
    'osf',
    'physdev',
    'recent',
    'set',
    'socket',
    'string',
  ],
  ...['tos', 'u32'],
]);
const UNTRANSLATED_TARGETS: ReadonlySet<string> = new Set([
  ...['CHECKSUM', 'CONNSECMARK', 'CT', 'ECN', 'HL', 'HMARK', 'IDLETIMER', 'NETMAP', 'SET', 'TCPOPTSTRIP'],
  ...['TPROXY', 'TTL'],
]);

const OWNER = /^(! )?--([ug])id-owner (\d+(?:-\d+)?)$/;
const MAC = /^(! )?--mac-source ([0-9A-Fa-f:]{17})$/;

/** libxt_owner.c: one condition has a translation, several have none; a user's name would have to be looked up. */
function owner(text: string): string | undefined {
  const found = OWNER.exec(text);
  if (found === null) return undefined;
  const [from, to] = (found[3] ?? '').split('-');
  const ids = to === undefined || to === from ? from : `${from}-${to}`;
  return `sk${found[2]}id ${unequal(found[1] !== undefined)}${ids}`;
}

/** libxt_rpfilter.c, rpfilter_xlate. */
function rpfilter(text: string): string | undefined {
  const words = new Set(text.split(' '));
  const invert = words.has('--invert');
  if (words.has('--accept-local') && !invert) return undefined;
  return [
    ...(words.has('--accept-local') ? ['fib saddr type != local'] : []),
    'fib saddr',
    ...(words.has('--validmark') ? ['. mark'] : []),
    ...(words.has('--loose') ? [] : ['. iif']),
    `oif ${unequal(!invert)}0`,
  ].join(' ');
}

const RT = /^(?:(! )?--rt-type (\d+))?(?: ?(! )?--rt-segsleft (\d+)(?::(\d+))?)?(?: ?(! )?--rt-len (\d+))?$/;

/** libip6t_rt.c, rt_xlate. */
function routing(text: string): string | undefined {
  const found = RT.exec(text);
  if (found === null) return undefined;
  const [, notType, type, notLeft, from, to, notLength, length] = found;
  const every = from === '0' && to === '4294967295' && notLeft === undefined;
  const left = to === undefined || to === from ? from : `${from}-${to}`;
  return [
    ...(type === undefined ? [] : [`rt type ${unequal(notType !== undefined)}${type}`]),
    ...(from === undefined || every ? [] : [`rt seg-left ${unequal(notLeft !== undefined)}${left}`]),
    ...(length === undefined ? [] : [`rt hdrlength ${unequal(notLength !== undefined)}${length}`]),
  ].join(' ');
}

function mac(text: string): string | undefined {
  const found = MAC.exec(text);
  if (found === null) return undefined;
  return `ether saddr ${unequal(found[1] !== undefined)}${(found[2] ?? '').toLowerCase()}`;
}

const TRANSLATED: Readonly<Record<string, (text: string) => string | undefined>> = {
  owner,
  rpfilter,
  rt: routing,
  mac,
};

/** The translation of `match`; undefined where it has none, or none that is known here. */
export function translateUnmodelledMatch({ name, text }: UnknownMatch): string | undefined {
  return TRANSLATED[name]?.(text);
}

/** What is not known about how nft prints the match. */
export function untoldMatch(match: UnknownMatch): string | undefined {
  if (UNTRANSLATED_MATCHES.has(match.name) || translateUnmodelledMatch(match) !== undefined) return undefined;
  // What has a translation has it for one condition; several are printed by name.
  if (match.name === 'owner' && !/-owner \D/.test(match.text)) return undefined;
  if (match.name === 'rpfilter') return undefined;
  return `-m ${match.name}`;
}

/** The same for a target, by its name. */
export function untoldTarget(name: string): string | undefined {
  return UNTRANSLATED_TARGETS.has(name) ? undefined : `-j ${name}`;
}
