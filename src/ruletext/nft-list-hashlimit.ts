/** `-m hashlimit` as libxtables 1.8.9 translates it (libxt_hashlimit.c, hashlimit_mt_xlate). */
import type { HashlimitMatch } from '../netfilter/match.ts';
import { addressBits, type IpFamily } from '../wire/ip-address.ts';
import { formatAddress, maskOf } from './address-text.ts';
import { NFT_UNITS } from './nft-list-native.ts';
import { unitSeconds } from './rates.ts';

/** In the order of the kernel's bits. */
const MODES = ['dstip', 'dstport', 'srcip', 'srcport'] as const;
const DEFAULT_BURST = 5;
/** Milliseconds that are not printed. */
const DEFAULT_EXPIRE = 1000;

/** All groups of digits, none shortened. */
function maskText(family: IpFamily, length: number): string {
  if (family === 'ipv4') return formatAddress(maskOf(family, length));
  const groups = Array.from({ length: 8 }, (_none, index) => {
    const bits = Math.min(16, Math.max(0, length - 16 * index));
    return ((0xffff << (16 - bits)) & 0xffff).toString(16).padStart(4, '0');
  });
  return groups.join(':');
}

function modeText(mode: (typeof MODES)[number], match: HashlimitMatch, family: IpFamily): string {
  if (mode === 'srcport') return 'tcp sport';
  if (mode === 'dstport') return 'tcp dport';
  const length = mode === 'srcip' ? match.srcMask : match.dstMask;
  const masked =
    length === undefined || length === addressBits(family) ? '' : ` and ${maskText(family, length)}`;
  return `${family === 'ipv4' ? 'ip' : 'ip6'} ${mode === 'srcip' ? 'saddr' : 'daddr'}${masked}`;
}

/** Undefined without a mode: then it has no translation. */
export function translateHashlimit(match: HashlimitMatch, family: IpFamily): string | undefined {
  const modes = MODES.filter((mode) => match.modes.includes(mode));
  if (modes.length === 0) return undefined;
  const { rate, burst, above } = match;
  // A save leaves the expiry out when it is the rate's unit.
  const expire = match.htableExpire ?? unitSeconds(rate.unit) * 1000;
  const parts = [
    `meter ${match.name} {`,
    modes.map((mode) => modeText(mode, match, family)).join(' . '),
    ...(expire === DEFAULT_EXPIRE ? [] : [`timeout ${Math.floor(expire / 1000)}s`]),
    `limit rate ${above ? 'over ' : ''}${rate.average}/${NFT_UNITS[rate.unit]}`,
    ...(burst === DEFAULT_BURST ? [] : [`burst ${burst} packets`]),
  ];
  return `${parts.join(' ')} }`;
}
