/** Decodes KubeProxyConfiguration, refusing what kube-proxy 1.30 refuses at startup. */
import { familyOf, type IpAddress } from '../../wire/ip-address.ts';
import type { IpPrefix } from '../../wire/ip-prefix.ts';
import {
  type ConntrackOptions,
  DEFAULT_KUBE_PROXY_CONFIGURATION,
  type DetectLocal,
  type IptablesOptions,
  type KubeProxyConfiguration,
  type ProxierOptions,
  type ProxyMode,
} from '../kube-proxy-configuration.ts';
import { tryParseSloppyIp, tryParseSloppyPrefix } from '../sloppy-address.ts';
import { type Cursor, elements, fail, field, members } from './cursor.ts';
import {
  boolean,
  count,
  defined,
  integer,
  oneOf,
  optional,
  required,
  string,
  withDefault,
} from './decoders.ts';
import { duration, positiveOrZero } from './duration.ts';

export const KUBE_PROXY_API_VERSION = 'kubeproxy.config.k8s.io/v1alpha1';

const DEFAULTS = DEFAULT_KUBE_PROXY_CONFIGURATION;

/** An empty string counts as absent here, as everywhere in this kind. */
function present(at: Cursor): Cursor {
  return at.value === '' ? { ...at, value: undefined } : at;
}

function featureGates(at: Cursor): Readonly<Record<string, boolean>> {
  return Object.fromEntries(members(at).map((gate) => [gate.key, boolean(gate)]));
}

/** nftables mode is behind a gate that 1.30 has off and later releases have on: only an explicit `false` counts. */
function proxyMode(at: Cursor, gates: Readonly<Record<string, boolean>>): ProxyMode {
  const mode = withDefault(oneOf(['iptables', 'nftables', 'ipvs']), DEFAULTS.mode)(present(at));
  if (mode === 'ipvs') return fail(at, 'ipvs is not emulated; iptables and nftables are');
  if (mode === 'nftables' && gates.NFTablesProxyMode === false) {
    fail(at, 'nftables needs the feature gate NFTablesProxyMode, which is off');
  }
  return mode;
}

function bindAddress(at: Cursor): IpAddress {
  if (at.value === undefined) return DEFAULTS.bindAddress;
  const value = string(at);
  return tryParseSloppyIp(value) ?? fail(at, `${JSON.stringify(value)} is not an IP address`);
}

/** A CIDR as kube-proxy reads it: host bits may be set and are dropped. */
function cidr(at: Cursor, value: string): IpPrefix {
  const example = '10.100.0.0/16 or fde4:8dba:82e1::/48';
  return (
    tryParseSloppyPrefix(value) ?? fail(at, `${JSON.stringify(value)} is not a CIDR, such as ${example}`)
  );
}

/** One CIDR, or two of different families with a comma between them. */
function clusterCidrs(at: Cursor): IpPrefix[] {
  if (at.value === undefined) return [];
  const prefixes = string(at)
    .split(',')
    .map((part) => cidr(at, part));
  const families = new Set(prefixes.map((prefix) => familyOf(prefix.address)));
  if (families.size === prefixes.length) return prefixes;
  return fail(at, 'expected one CIDR, or one of each IP family (10.100.0.0/16,fde4:8dba:82e1::/48)');
}

/** CIDRs only: the word `primary` came with kube-proxy 1.31. */
function nodePortAddress(at: Cursor): IpPrefix {
  return cidr(at, string(at));
}

const DETECT_MODES = ['ClusterCIDR', 'NodeCIDR', 'BridgeInterface', 'InterfaceNamePrefix'] as const;

function detectLocal(config: Cursor): DetectLocal {
  const modeAt = present(field(config, 'detectLocalMode'));
  const mode = withDefault(oneOf(DETECT_MODES), DEFAULTS.detectLocal.mode)(modeAt);
  const section = field(config, 'detectLocal');
  switch (mode) {
    case 'BridgeInterface':
      return { mode, bridgeInterface: required(string)(field(section, 'bridgeInterface')) };
    case 'InterfaceNamePrefix':
      return { mode, interfaceNamePrefix: required(string)(field(section, 'interfaceNamePrefix')) };
    default:
      return { mode };
  }
}

/** Kubernetes writes an unset duration as 0s; kube-proxy then takes its default. */
function period(at: Cursor, fallback: number): number {
  const seconds = withDefault(duration, 0)(present(at));
  if (seconds < 0) fail(at, 'must not be negative');
  return seconds === 0 ? fallback : seconds;
}

function proxierOptions(at: Cursor, defaults: ProxierOptions): ProxierOptions {
  const syncPeriodAt = field(at, 'syncPeriod');
  const syncPeriod = period(syncPeriodAt, defaults.syncPeriod);
  const minSyncPeriod = period(field(at, 'minSyncPeriod'), defaults.minSyncPeriod);
  if (syncPeriod < minSyncPeriod) fail(syncPeriodAt, 'must be greater than or equal to minSyncPeriod');
  return {
    masqueradeBit: withDefault(integer(0, 31), defaults.masqueradeBit)(field(at, 'masqueradeBit')),
    masqueradeAll: withDefault(boolean, defaults.masqueradeAll)(field(at, 'masqueradeAll')),
    syncPeriod,
    minSyncPeriod,
  };
}

function iptablesOptions(at: Cursor): IptablesOptions {
  const { localhostNodePorts } = DEFAULTS.iptables;
  return {
    ...proxierOptions(at, DEFAULTS.iptables),
    localhostNodePorts: withDefault(boolean, localhostNodePorts)(field(at, 'localhostNodePorts')),
  };
}

function conntrackOptions(at: Cursor): ConntrackOptions {
  const defaults = DEFAULTS.conntrack;
  const timeout = (key: keyof ConntrackOptions & `${string}imeout`) =>
    withDefault(positiveOrZero, defaults[key])(field(at, key));
  return {
    maxPerCore: withDefault(count, defaults.maxPerCore)(field(at, 'maxPerCore')),
    min: withDefault(count, defaults.min)(field(at, 'min')),
    tcpEstablishedTimeout: timeout('tcpEstablishedTimeout'),
    tcpCloseWaitTimeout: timeout('tcpCloseWaitTimeout'),
    tcpBeLiberal: withDefault(boolean, defaults.tcpBeLiberal)(field(at, 'tcpBeLiberal')),
    udpTimeout: timeout('udpTimeout'),
    udpStreamTimeout: timeout('udpStreamTimeout'),
  };
}

function hostname(at: Cursor): string {
  const name = string(at).trim().toLowerCase();
  return name === '' ? fail(at, 'is blank; expected the name of a node') : name;
}

/** Decodes a KubeProxyConfiguration. */
export function decodeKubeProxyConfiguration(at: Cursor): KubeProxyConfiguration {
  const gates = featureGates(field(at, 'featureGates'));
  return defined<KubeProxyConfiguration>({
    mode: proxyMode(field(at, 'mode'), gates),
    hostnameOverride: optional(hostname)(present(field(at, 'hostnameOverride'))),
    bindAddress: bindAddress(present(field(at, 'bindAddress'))),
    clusterCIDRs: clusterCidrs(present(field(at, 'clusterCIDR'))),
    detectLocal: detectLocal(at),
    nodePortAddresses: elements(field(at, 'nodePortAddresses')).map(nodePortAddress),
    iptables: iptablesOptions(field(at, 'iptables')),
    nftables: proxierOptions(field(at, 'nftables'), DEFAULTS.nftables),
    conntrack: conntrackOptions(field(at, 'conntrack')),
    featureGates: gates,
  });
}
