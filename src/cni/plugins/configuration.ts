/**
 * Network configurations (CNI specification 1.0 and 1.1, § Section 1): a `conflist`, or a single plugin's `conf`.
 *
 *     JSON text ──parseConflist──► NetworkConfiguration: name, version, plugins, each with its own fields read
 *
 * Fields that nobody here knows are ignored, as the real plugins ignore them; those that a real plugin would act
 * on and this emulation cannot are refused, with file, line and path.
 */
import { type MacAddress, tryParseMac } from '../../wire/mac.ts';
import { type IpamConfiguration, readIpam } from './ipam-configuration.ts';
import { JsonField } from './json-field.ts';
import { parseJsonSource } from './json-source.ts';
import type { ResultDns } from './result.ts';

export const CNI_VERSIONS = ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;

export interface BridgeConfiguration {
  readonly type: 'bridge';
  readonly bridge: string;
  readonly isGateway: boolean;
  readonly isDefaultGateway: boolean;
  readonly forceAddress: boolean;
  readonly ipMasq: boolean;
  /** 0: the kernel's choice. */
  readonly mtu: number;
  readonly hairpinMode: boolean;
  readonly promiscMode: boolean;
  readonly portIsolation: boolean;
  readonly mac?: MacAddress;
  /** Absent: the container gets a link and no addresses. */
  readonly ipam?: IpamConfiguration;
  readonly dns: ResultDns;
}

export interface PtpConfiguration {
  readonly type: 'ptp';
  readonly ipMasq: boolean;
  readonly mtu: number;
  readonly ipam: IpamConfiguration;
  readonly dns: ResultDns;
}

export interface LoopbackConfiguration {
  readonly type: 'loopback';
}

export interface PortmapConfiguration {
  readonly type: 'portmap';
  readonly snat: boolean;
  readonly masqAll: boolean;
  /** The bit of the mark that says "masquerade". */
  readonly markMasqBit: number;
  /** A chain of somebody else's that sets the mark, and whose owner masquerades. */
  readonly externalSetMarkChain?: string;
  /** More conditions for the jump to the container's rules, word by word. */
  readonly conditionsV4: readonly string[];
  readonly conditionsV6: readonly string[];
}

export type PluginConfiguration = (
  | BridgeConfiguration
  | PtpConfiguration
  | LoopbackConfiguration
  | PortmapConfiguration
) & {
  /** What of the runtime's arguments the plugin asks for. */
  readonly capabilities: ReadonlySet<string>;
};

export interface NetworkConfiguration {
  readonly cniVersion: string;
  readonly name: string;
  readonly disableCheck: boolean;
  readonly disableGC: boolean;
  readonly plugins: readonly PluginConfiguration[];
}

/** IFNAMSIZ less the terminator. */
const MAX_DEVICE_NAME = 15;

function deviceName(at: JsonField, fallback: string): string {
  const name = at.optionalString() ?? fallback;
  if (name === '' || name.length > MAX_DEVICE_NAME || /[\s/]/.test(name) || name === '.' || name === '..') {
    at.fail(
      `${JSON.stringify(name)} is no device name (1 to ${MAX_DEVICE_NAME} characters, no blank, no '/')`,
    );
  }
  return name;
}

/** Fields that change what the plugin does, in a way that is not emulated. */
function refuse(at: JsonField, names: readonly string[]): void {
  for (const name of names) {
    const field = at.field(name);
    if (!field.absent) field.fail('is not emulated');
  }
}

function iptablesOnly(at: JsonField, name: string): void {
  const field = at.field(name);
  const backend = field.optionalString() ?? 'iptables';
  if (backend !== 'iptables') field.fail(`${JSON.stringify(backend)} is not emulated; expected iptables`);
}

function strings(at: JsonField): string[] {
  return at.elements().map((element) => element.string());
}

function readDns(at: JsonField): ResultDns {
  const domain = at.field('domain').optionalString();
  const lists = {
    nameservers: at.field('nameservers'),
    search: at.field('search'),
    options: at.field('options'),
  };
  const given = Object.entries(lists).filter(([, field]) => !field.absent);
  return {
    ...Object.fromEntries(given.map(([name, field]) => [name, strings(field)])),
    ...(domain === undefined ? {} : { domain }),
  };
}

const MAX_MTU = 65_535;
const mtuOf = (at: JsonField) => {
  const field = at.field('mtu');
  return field.absent ? 0 : field.integer(0, MAX_MTU);
};

function readMac(at: JsonField): { mac?: MacAddress } {
  const text = at.optionalString();
  if (text === undefined || text === '') return {};
  const mac = tryParseMac(text);
  return mac === undefined ? at.fail(`${JSON.stringify(text)} is not a MAC address`) : { mac };
}

function readBridge(at: JsonField): BridgeConfiguration {
  refuse(at, ['vlan', 'vlanTrunk', 'macspoofchk', 'disableContainerInterface']);
  iptablesOnly(at, 'ipMasqBackend');
  const flag = (name: string) => at.field(name).boolean(false);
  const ipam = at.field('ipam');
  const isDefaultGateway = flag('isDefaultGateway');
  if (flag('hairpinMode') && flag('promiscMode'))
    at.field('promiscMode').fail('may not be set beside hairpinMode');
  return {
    type: 'bridge',
    bridge: deviceName(at.field('bridge'), 'cni0'),
    isDefaultGateway,
    isGateway: isDefaultGateway || flag('isGateway'),
    forceAddress: flag('forceAddress'),
    ipMasq: flag('ipMasq'),
    mtu: mtuOf(at),
    hairpinMode: flag('hairpinMode'),
    promiscMode: flag('promiscMode'),
    portIsolation: flag('portIsolation'),
    ...readMac(at.field('args').field('cni').field('mac')),
    ...(ipam.names().length === 0 ? {} : { ipam: readIpam(ipam, at) }),
    dns: readDns(at.field('dns')),
  };
}

function readPtp(at: JsonField): PtpConfiguration {
  iptablesOnly(at, 'ipMasqBackend');
  return {
    type: 'ptp',
    ipMasq: at.field('ipMasq').boolean(false),
    mtu: mtuOf(at),
    ipam: readIpam(at.field('ipam'), at),
    dns: readDns(at.field('dns')),
  };
}

function readPortmap(at: JsonField): PortmapConfiguration {
  iptablesOnly(at, 'backend');
  const bit = at.field('markMasqBit');
  const chain = at.field('externalSetMarkChain').optionalString();
  if (chain !== undefined && !bit.absent) bit.fail('may not be given beside externalSetMarkChain');
  const conditions = (name: string) => {
    const field = at.field(name);
    const words = strings(field);
    if (words[0] !== undefined && !/^[-!]/.test(words[0]))
      field.fail('conditions of nftables are not emulated');
    return words;
  };
  return {
    type: 'portmap',
    snat: at.field('snat').boolean(true),
    masqAll: at.field('masqAll').boolean(false),
    markMasqBit: bit.absent ? DEFAULT_MARK_BIT : bit.integer(0, 31),
    ...(chain === undefined ? {} : { externalSetMarkChain: chain }),
    conditionsV4: conditions('conditionsV4'),
    conditionsV6: conditions('conditionsV6'),
  };
}

const DEFAULT_MARK_BIT = 13;

const READERS = {
  bridge: readBridge,
  ptp: readPtp,
  loopback: (): LoopbackConfiguration => ({ type: 'loopback' }),
  portmap: readPortmap,
} as const;

function isKnown(type: string): type is keyof typeof READERS {
  return Object.hasOwn(READERS, type);
}

function readPlugin(at: JsonField): PluginConfiguration {
  const typeField = at.field('type');
  const type = typeField.string();
  if (!isKnown(type)) {
    return typeField.fail(
      `no plugin ${JSON.stringify(type)}; emulated are ${Object.keys(READERS).join(', ')}`,
    );
  }
  const capabilities = at.field('capabilities');
  const asked = capabilities.names().filter((name) => capabilities.field(name).boolean(false));
  return { ...READERS[type](at), capabilities: new Set(asked) };
}

/** What the specification allows in a network's name. */
const NETWORK_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

function readName(at: JsonField): string {
  const name = at.string();
  if (!NETWORK_NAME.test(name)) {
    at.fail(
      `${JSON.stringify(name)} is no network name (letters, digits, '_', '.', '-'; a letter or digit first)`,
    );
  }
  return name;
}

function readVersion(root: JsonField): string {
  const known: readonly string[] = CNI_VERSIONS;
  const several = strings(root.field('cniVersions')).filter((version) => known.includes(version));
  const field = root.field('cniVersion');
  const single = field.optionalString() ?? several.at(-1) ?? '0.3.0';
  if (!known.includes(single)) {
    field.fail(`version ${JSON.stringify(single)} is not spoken here; expected ${known.join(', ')}`);
  }
  // The highest that both sides speak.
  return [single, ...several].reduce((a, b) => (known.indexOf(a) >= known.indexOf(b) ? a : b));
}

/**
 * Reads a `conflist`, or a single plugin's configuration (which has `type` at its top). `file` is its name for
 * messages. Throws InputError with file, line and field for what is no JSON, misses a field, has one of the wrong
 * kind, or asks for what is not emulated.
 */
export function parseConflist(text: string, file: string): NetworkConfiguration {
  const root = new JsonField(parseJsonSource(text, file), { file, path: '', line: 1 });
  const single = !root.field('type').absent;
  const list = root.field('plugins');
  const plugins = single ? [readPlugin(root)] : list.elements().map(readPlugin);
  if (plugins.length === 0) list.fail('a network needs at least one plugin');
  return {
    cniVersion: readVersion(root),
    name: readName(root.field('name')),
    disableCheck: root.field('disableCheck').boolean(false),
    disableGC: root.field('disableGC').boolean(false),
    plugins,
  };
}
