/**
 * The rules that do not depend on any Service: kube-proxy's own chains, the jumps into them, and the fixed
 * content of some. Source: pkg/proxy/iptables/proxier.go, Kubernetes 1.30.
 */
import { parseIpPrefix } from '../../wire/ip-prefix.ts';
import type { ProxySettings } from '../settings.ts';
import { comment, ctstate, host, type RuleParts } from './rule-text.ts';
import type { TableText } from './table-text.ts';
import type { IptablesTables } from './tables.ts';

const FILTER_CHAINS = [
  'KUBE-EXTERNAL-SERVICES',
  'KUBE-FIREWALL',
  'KUBE-FORWARD',
  'KUBE-NODEPORTS',
  'KUBE-PROXY-CANARY',
  'KUBE-PROXY-FIREWALL',
  'KUBE-SERVICES',
] as const;

const NAT_CHAINS = [
  'KUBE-MARK-MASQ',
  'KUBE-NODEPORTS',
  'KUBE-POSTROUTING',
  'KUBE-PROXY-CANARY',
  'KUBE-SERVICES',
] as const;

interface Jump {
  readonly from: string;
  readonly to: (typeof FILTER_CHAINS | typeof NAT_CHAINS)[number];
  /** Empty: none. */
  readonly comment: string;
  /** True when only a connection's first packet takes it. */
  readonly newOnly?: boolean;
}

const FIREWALL = {
  to: 'KUBE-PROXY-FIREWALL',
  comment: 'kubernetes load balancer firewall',
  newOnly: true,
} as const;
const SERVICES = { to: 'KUBE-SERVICES', comment: 'kubernetes service portals', newOnly: true } as const;
const EXTERNAL = {
  to: 'KUBE-EXTERNAL-SERVICES',
  comment: 'kubernetes externally-visible service portals',
  newOnly: true,
} as const;

/**
 * In the order they end up in. kube-proxy inserts each at the head of its chain, so the one it writes last
 * comes first.
 */
const FILTER_JUMPS: readonly Jump[] = [
  { from: 'INPUT', to: 'KUBE-FIREWALL', comment: '' },
  { from: 'INPUT', ...FIREWALL },
  { from: 'INPUT', to: 'KUBE-NODEPORTS', comment: 'kubernetes health check service ports' },
  { from: 'INPUT', ...EXTERNAL },
  { from: 'FORWARD', ...FIREWALL },
  { from: 'FORWARD', to: 'KUBE-FORWARD', comment: 'kubernetes forwarding rules' },
  { from: 'FORWARD', ...SERVICES },
  { from: 'FORWARD', ...EXTERNAL },
  { from: 'OUTPUT', to: 'KUBE-FIREWALL', comment: '' },
  { from: 'OUTPUT', ...FIREWALL },
  { from: 'OUTPUT', ...SERVICES },
];

const NAT_JUMPS: readonly Jump[] = [
  { from: 'PREROUTING', to: 'KUBE-SERVICES', comment: 'kubernetes service portals' },
  { from: 'OUTPUT', to: 'KUBE-SERVICES', comment: 'kubernetes service portals' },
  { from: 'POSTROUTING', to: 'KUBE-POSTROUTING', comment: 'kubernetes postrouting rules' },
];

function writeJumps(table: TableText, jumps: readonly Jump[]): void {
  for (const { from, to, comment: text, newOnly } of jumps) {
    const matches = [...(newOnly ? [ctstate('NEW')] : []), ...(text === '' ? [] : [comment(text)])];
    table.append(from, { matches, target: to });
  }
}

const LOOPBACK_NET = parseIpPrefix('127.0.0.0/8');

function hex(mark: number): string {
  return `0x${mark.toString(16)}`;
}

function writeForward(filter: TableText, { dropsInvalid, masqueradeMark }: ProxySettings): void {
  // Without it a late packet would be forwarded untranslated and reset the connection (kubernetes#74839).
  if (dropsInvalid) filter.append('KUBE-FORWARD', { matches: [ctstate('INVALID')], target: 'DROP' });
  const mark = hex(masqueradeMark);
  filter.append('KUBE-FORWARD', {
    matches: [comment('kubernetes forwarding rules'), `-m mark --mark ${mark}/${mark}`],
    target: 'ACCEPT',
  });
  filter.append('KUBE-FORWARD', {
    matches: [comment('kubernetes forwarding conntrack rule'), ctstate('RELATED,ESTABLISHED')],
    target: 'ACCEPT',
  });
}

function writeLocalnetBlock(filter: TableText): void {
  // route_localnet, which localhost NodePorts need, opens 127/8 to the neighbours (kubernetes#90259).
  filter.append('KUBE-FIREWALL', {
    source: { value: LOOPBACK_NET, not: true },
    destination: { value: LOOPBACK_NET },
    matches: [
      comment('block incoming localnet connections'),
      '-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT',
    ],
    target: 'DROP',
  });
}

function writeMasquerade(nat: TableText, { masqueradeMark }: ProxySettings): void {
  const mark = hex(masqueradeMark);
  nat.append('KUBE-MARK-MASQ', { target: `MARK --set-xmark ${mark}/${mark}` });
  nat.append('KUBE-POSTROUTING', { matches: [`-m mark ! --mark ${mark}/${mark}`], target: 'RETURN' });
  nat.append('KUBE-POSTROUTING', { target: `MARK --set-xmark ${mark}/0x0` });
  nat.append('KUBE-POSTROUTING', {
    matches: [comment('kubernetes service traffic requiring SNAT')],
    target: 'MASQUERADE --random-fully',
  });
}

/** Declares the chains and writes the jumps and the fixed rules of one node. */
export function writeBaseRules({ mangle, filter, nat }: IptablesTables, settings: ProxySettings): void {
  mangle.declare('KUBE-PROXY-CANARY');
  for (const chain of FILTER_CHAINS) filter.declare(chain);
  for (const chain of NAT_CHAINS) nat.declare(chain);
  writeJumps(filter, FILTER_JUMPS);
  writeJumps(nat, NAT_JUMPS);
  if (settings.localhostNodePorts) writeLocalnetBlock(filter);
  writeForward(filter, settings);
  writeMasquerade(nat, settings);
}

const NODE_PORTS_COMMENT = comment(
  'kubernetes service nodeports; NOTE: this must be the last rule in this chain',
);

/** Where match-all node ports are closed: on loopback, unless localhost node ports are on (IPv4 only). */
function nodePortDestination(settings: ProxySettings): RuleParts {
  if (settings.family === 'ipv6') return { destination: { value: parseIpPrefix('::1/128'), not: true } };
  return settings.localhostNodePorts ? {} : { destination: { value: LOOPBACK_NET, not: true } };
}

/** Writes the jumps to KUBE-NODEPORTS; everything else in KUBE-SERVICES has to be there before. */
export function writeNodePortJumps({ nat }: IptablesTables, settings: ProxySettings): void {
  const { nodePortAddresses } = settings;
  if (nodePortAddresses.kind === 'all') {
    nat.append('KUBE-SERVICES', {
      ...nodePortDestination(settings),
      matches: [NODE_PORTS_COMMENT, '-m addrtype --dst-type LOCAL'],
      target: 'KUBE-NODEPORTS',
    });
    return;
  }
  for (const address of nodePortAddresses.addresses) {
    nat.append('KUBE-SERVICES', {
      destination: host(address),
      matches: [NODE_PORTS_COMMENT],
      target: 'KUBE-NODEPORTS',
    });
  }
}
