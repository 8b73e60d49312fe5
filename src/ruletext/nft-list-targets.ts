/**
 * Targets of rules that iptables-nft 1.8.9 stored, as nft 1.0.6 prints them: verdicts and NFLOG in nft's own words,
 * the others as the extension translates itself (libxtables 1.8.9), else by name.
 */
import type { DeviceNatTarget, NatRange, NatTarget, RejectType, Target } from '../netfilter/target.ts';
import type { IpFamily } from '../wire/ip-address.ts';
import { formatByte } from './dscp-text.ts';
import { translateLog, translateNflog } from './nft-list-log.ts';
import { formatHex } from './numbers.ts';
import { formatNatRange } from './targets/nat-targets.ts';

/** A statement of nft's own, or an extension of xtables with its translation, if it has one. */
type Description =
  | { readonly kind: 'none' }
  | { readonly kind: 'own'; readonly text: string }
  | { readonly kind: 'extension'; readonly name: string; readonly translation: string | undefined };

const own = (text: string): Description => ({ kind: 'own', text });
const extension = (name: string, translation: string | undefined): Description => ({
  kind: 'extension',
  name,
  translation,
});

const REJECTS: Readonly<Record<RejectType, string>> = {
  'icmp-net-unreachable': 'icmp type net-unreachable',
  'icmp-host-unreachable': 'icmp type host-unreachable',
  'icmp-proto-unreachable': 'icmp type prot-unreachable',
  'icmp-port-unreachable': '',
  'icmp-net-prohibited': 'icmp type net-prohibited',
  'icmp-host-prohibited': 'icmp type host-prohibited',
  'icmp-admin-prohibited': 'icmp type admin-prohibited',
  'icmp6-no-route': 'icmpv6 type no-route',
  'icmp6-adm-prohibited': 'icmpv6 type admin-prohibited',
  'icmp6-addr-unreachable': 'icmpv6 type addr-unreachable',
  'icmp6-port-unreachable': '',
  'icmp6-policy-fail': 'icmpv6 type policy-fail',
  'icmp6-reject-route': 'icmpv6 type reject-route',
  'tcp-reset': 'tcp reset',
};

function reject(type: RejectType): string {
  return REJECTS[type] === '' ? 'reject' : `reject with ${REJECTS[type]}`;
}

function mark(value: number, mask: number): string {
  if (mask === 0xffffffff) return formatHex(value);
  if (value === 0) return `mark and ${formatHex(~mask >>> 0)}`;
  if (value === mask) return `mark or ${formatHex(value)}`;
  if (mask === 0) return `mark xor ${formatHex(value)}`;
  return `mark and ${formatHex(~mask >>> 0)} xor ${formatHex(value)}`;
}

function connmarkValue(value: number, mask: number): string {
  if (mask === 0xffffffff) return formatHex(value);
  if (value === 0) return `ct mark and ${formatHex(~mask >>> 0)}`;
  if (value === mask) return `ct mark or ${formatHex(value)}`;
  if (mask === 0) return `ct mark xor ${formatHex(value)}`;
  return `ct mark xor ${formatHex(value)} and ${formatHex(~mask >>> 0)}`;
}

function connmark(target: Extract<Target, { readonly kind: 'connmark' }>): string | undefined {
  if (target.op === 'set') return `ct mark set ${connmarkValue(target.value, target.ctmask)}`;
  const { op, nfmask, ctmask } = target;
  if (nfmask !== ctmask) return undefined;
  const masked = nfmask === 0xffffffff ? '' : ` and ${formatHex(nfmask)}`;
  return op === 'save' ? `ct mark set mark${masked}` : `meta mark set ct mark${masked}`;
}

/** libxt_TOS.c: the one translation says ip6 in both families. */
function tos(value: number, mask: number): string {
  const dscp = formatByte(value >> 2);
  const kept = formatByte((~mask & 0xff) >> 2);
  if ((mask & 0x3f) === 0x3f) return `ip6 dscp set ${dscp}`;
  if (value === 0) return `ip6 dscp set ip6 dscp and ${kept}`;
  if (value === mask) return `ip6 dscp set ip6 dscp or ${dscp}`;
  if (mask === 0) return `ip6 dscp set ip6 dscp xor ${dscp}`;
  return `ip6 dscp set ip6 dscp and ${kept} xor ${dscp}`;
}

const NAT_NAMES = {
  snat: ['SNAT', 'snat'],
  dnat: ['DNAT', 'dnat'],
  masquerade: ['MASQUERADE', 'masquerade'],
  redirect: ['REDIRECT', 'redirect'],
} as const;

function nat(target: NatTarget | DeviceNatTarget): Description {
  const [name, word] = NAT_NAMES[target.kind];
  const range: NatRange = 'range' in target ? target.range : target.ports ? { ports: target.ports } : {};
  // libxt_NAT.c, __NAT_xlate: nft cannot shift ports.
  if (range.ports?.base !== undefined) return extension(name, undefined);
  const flags = [
    ...(target.random ? ['random'] : []),
    ...(target.randomFully ? ['fully-random'] : []),
    ...(target.persistent ? ['persistent'] : []),
  ];
  return extension(
    name,
    [
      word,
      ...(range.addresses || range.ports ? [`to ${formatNatRange(range)}`] : []),
      ...(flags.length > 0 ? [flags.join(',')] : []),
    ].join(' '),
  );
}

function log(name: 'LOG' | 'NFLOG' | 'AUDIT' | 'TRACE', text: string): Description {
  switch (name) {
    case 'NFLOG':
      return own(translateNflog(text));
    case 'TRACE':
      return own('meta nftrace set 1');
    case 'LOG':
      return extension(name, translateLog(text));
    case 'AUDIT':
      return extension(name, 'log level audit');
  }
}

function describe(target: Target, family: IpFamily): Description {
  switch (target.kind) {
    case 'none':
      return { kind: 'none' };
    case 'jump':
    case 'goto':
      return own(`${target.kind} ${target.chain}`);
    case 'accept':
    case 'drop':
    case 'return':
      return own(target.kind);
    case 'reject':
      return extension('REJECT', reject(target.with));
    case 'mark':
      return extension('MARK', `meta mark set ${mark(target.value, target.mask)}`);
    case 'connmark':
      return extension('CONNMARK', connmark(target));
    case 'snat':
    case 'dnat':
    case 'masquerade':
    case 'redirect':
      return nat(target);
    case 'notrack':
      return extension('NOTRACK', 'notrack');
    case 'ct':
      return extension('CT', target.notrack ? 'notrack' : undefined);
    case 'log':
      return log(target.name, target.text);
    case 'tos':
      return extension('TOS', tos(target.value, target.mask));
    case 'dscp':
      return extension('DSCP', `${family === 'ipv4' ? 'ip' : 'ip6'} dscp set ${formatByte(target.value)}`);
    case 'ttl':
      return extension('TTL', undefined);
    case 'hl':
      return extension('HL', undefined);
    case 'tcpmss':
      return extension(
        'TCPMSS',
        `tcp option maxseg size set ${target.clampToPmtu ? 'rt mtu' : target.value}`,
      );
    case 'checksum':
      return extension('CHECKSUM', undefined);
    case 'unknown':
      return extension(target.name, undefined);
  }
}

/**
 * Shared objects of libxtables with a target for each family. libxtables registers those of the family that is
 * being listed when it loads the object, and does not load it again for the other.
 */
const SPLIT_LIBRARIES: Readonly<Record<string, string>> = {
  DNAT: 'NAT',
  SNAT: 'NAT',
  MASQUERADE: 'NAT',
  REDIRECT: 'NAT',
  DSCP: 'DSCP',
  TCPMSS: 'TCPMSS',
  TPROXY: 'TPROXY',
};

/** What one run of nft has loaded, by library: the family it was loaded for. */
export type LoadedLibraries = Map<string, IpFamily>;

export interface NftTarget {
  /** What is printed; undefined for a rule without a target. */
  readonly text: string | undefined;
  readonly complaint?: string;
  /** The rule holds an extension of xtables. */
  readonly xtables: boolean;
}

/** A rule's target, listed in a run of nft that has `loaded` so far (and notes what this one loads). */
export function nftTarget(target: Target, family: IpFamily, loaded: LoadedLibraries): NftTarget {
  const described = describe(target, family);
  if (described.kind === 'none') return { text: undefined, xtables: false };
  if (described.kind === 'own') return { text: described.text, xtables: false };
  const { name, translation } = described;
  const library = SPLIT_LIBRARIES[name];
  if (library !== undefined) {
    const first = loaded.get(library) ?? family;
    loaded.set(library, first);
    if (first !== family) return { text: '', complaint: `XT target ${name} not found`, xtables: true };
  }
  return { text: translation ?? `xt target ${name}`, xtables: true };
}
