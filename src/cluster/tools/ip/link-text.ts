/** Devices and their addresses as `ip link` and `ip address` print them (iproute2's ipaddress.c). */
import type { Interface, InterfaceKind } from '../../../netstack/link/interface.ts';
import { familyOf, formatIpAddress, type IpAddress, type IpFamily } from '../../../wire/ip-address.ts';
import { formatIpPrefix, type InterfaceAddress, lastAddress, prefixOf } from '../../../wire/ip-prefix.ts';
import { formatMac } from '../../../wire/mac.ts';
import { peerOf } from './peer.ts';

/** Which parts of the output are asked for. */
export interface LinkOptions {
  /** Addresses too (`ip address`), of all families or one. */
  readonly addresses: boolean;
  readonly family: IpFamily | undefined;
  readonly brief: boolean;
  readonly statistics: boolean;
  /** One line a record, `\` where a newline would be. */
  readonly oneLine: boolean;
  /** A device was named. */
  readonly named: boolean;
}

/** A device with what the namespace knows of it. */
export interface LinkView {
  readonly device: Interface;
  readonly addresses: readonly InterfaceAddress[];
}

const KIND_FLAGS: Readonly<Record<InterfaceKind, readonly string[]>> = {
  loopback: ['LOOPBACK'],
  ethernet: ['BROADCAST', 'MULTICAST'],
  veth: ['BROADCAST', 'MULTICAST'],
  bridge: ['BROADCAST', 'MULTICAST'],
  vxlan: ['BROADCAST', 'MULTICAST'],
  dummy: ['BROADCAST', 'NOARP'],
  ipip: ['NOARP'],
};

/** Drivers that know no link state: what is up is UNKNOWN (RFC 2863 §3.1.12; netif_carrier without operstate). */
const WITHOUT_STATE: ReadonlySet<InterfaceKind> = new Set(['loopback', 'vxlan', 'dummy', 'ipip']);

/** `LOOPBACK,UP,LOWER_UP`: what is behind the name. */
export function flagsText({ kind, up, carrier, noArp }: Interface): string {
  const own = KIND_FLAGS[kind];
  return [
    ...(up && !carrier ? ['NO-CARRIER'] : []),
    ...own,
    ...(noArp && !own.includes('NOARP') ? ['NOARP'] : []),
    ...(up ? ['UP'] : []),
    ...(carrier ? ['LOWER_UP'] : []),
  ].join(',');
}

/** The operational state (RFC 2863): a veth without a link whose peer is in the same namespace is LOWERLAYERDOWN. */
export function stateText(device: Interface): string {
  const { kind, up, carrier, namespace } = device;
  if (!up) return 'DOWN';
  if (WITHOUT_STATE.has(kind)) return 'UNKNOWN';
  if (carrier) return 'UP';
  return peerOf(device)?.namespace === namespace ? 'LOWERLAYERDOWN' : 'DOWN';
}

/** `eth0@if7`: a veth with the other end's index, or its name when it is in this namespace. */
export function nameText(device: Interface): string {
  const peer = peerOf(device);
  if (peer === undefined) return device.kind === 'ipip' ? `${device.name}@NONE` : device.name;
  return peer.namespace === device.namespace
    ? `${device.name}@${peer.name}`
    : `${device.name}@if${peer.index}`;
}

/** The number by which the namespace knows the one that the other end is in, in the order of first appearance. */
function netnsId(device: Interface): number | undefined {
  const namespaces = new Set<unknown>();
  const peer = peerOf(device);
  if (peer === undefined || peer.namespace === device.namespace) return undefined;
  for (const other of device.namespace.interfaces()) {
    const away = peerOf(other)?.namespace;
    if (away !== undefined && away !== device.namespace) namespaces.add(away);
    if (other === device) break;
  }
  return namespaces.size - 1;
}

function headText(device: Interface, { addresses }: LinkOptions): string {
  const master = device.master === undefined ? '' : ` master ${device.master.name}`;
  // A device that was never up has no queueing discipline yet.
  const qdisc = device.up ? 'noqueue' : 'noop';
  const mode = addresses ? '' : 'mode DEFAULT ';
  return (
    `${device.index}: ${nameText(device)}: <${flagsText(device)}> mtu ${device.mtu} qdisc ${qdisc}${master}` +
    ` state ${stateText(device)} ${mode}group default qlen 1000`
  );
}

/** Asked for all devices of IPv6, the kernel tells less of each. */
function ipv6HeadText(device: Interface): string {
  const { index, name, mtu, namespace } = device;
  const shown = peerOf(device)?.namespace === namespace ? nameText(device) : name;
  return `${index}: ${shown}: <${flagsText(device)}> mtu ${mtu} state ${stateText(device)} qlen 1000`;
}

function hardwareText(device: Interface): string {
  const { kind, mac } = device;
  if (kind === 'ipip') return 'link/ipip 0.0.0.0 brd 0.0.0.0';
  if (kind === 'loopback') return `link/loopback ${formatMac(0)} brd ${formatMac(0)}`;
  return `link/ether ${formatMac(mac)} brd ff:ff:ff:ff:ff:ff`;
}

function linkNetns(device: Interface): string {
  const id = netnsId(device);
  return id === undefined ? '' : ` link-netnsid ${id}`;
}

function statisticsLines({ counters }: Interface): string[] {
  const row = (...values: readonly (number | string)[]) =>
    `    ${values.map((value, index) => String(value).padStart(index === 0 ? 10 : 7)).join(' ')} `;
  return [
    '    RX:  bytes packets errors dropped  missed   mcast           ',
    row(counters.rxBytes, counters.rxPackets, '0', counters.rxDropped, 0, 0),
    '    TX:  bytes packets errors dropped carrier collsns           ',
    row(counters.txBytes, counters.txPackets, '0', counters.txDropped, 0, 0),
  ];
}

function ipv6ScopeText(address: IpAddress): string {
  if (typeof address === 'number') return 'global';
  if (address.w0 >>> 22 === 0x3fa) return 'link';
  if (address.w0 >>> 22 === 0x3fb) return 'site';
  return address.w0 === 0 && address.w1 === 0 && address.w2 === 0 && address.w3 === 1 ? 'host' : 'global';
}

/** An address is secondary when an earlier one of the device is in the same subnet (IFA_F_SECONDARY). */
function isSecondary({ address, length }: InterfaceAddress, earlier: readonly InterfaceAddress[]): boolean {
  const network = formatIpPrefix(prefixOf(address, length));
  return earlier.some((other) => formatIpPrefix(prefixOf(other.address, other.length)) === network);
}

function addressText(device: Interface, own: InterfaceAddress, earlier: readonly InterfaceAddress[]): string {
  const { address, length } = own;
  if (typeof address !== 'number') return `inet6 ${formatIpPrefix(own)} scope ${ipv6ScopeText(address)} `;
  const host = address >>> 24 === 127;
  // Container runtimes set it; addresses of one or two hosts have none.
  const broadcast =
    host || length > 30 ? '' : ` brd ${formatIpAddress(lastAddress(prefixOf(address, length)))}`;
  const secondary = isSecondary(own, earlier) ? ' secondary' : '';
  return `inet ${formatIpPrefix(own)}${broadcast} scope ${host ? 'host' : 'global'}${secondary} ${device.name}`;
}

const LIFETIME = '       valid_lft forever preferred_lft forever';

/** The addresses that are asked for, IPv4 first, as the kernel lists them. */
function wanted({ addresses }: LinkView, family: IpFamily | undefined): readonly InterfaceAddress[] {
  const of = (which: IpFamily) => {
    const own = addresses.filter(({ address }) => familyOf(address) === which);
    if (which === 'ipv6') return own;
    // Secondary addresses stand behind all others.
    const secondary = (each: InterfaceAddress) => isSecondary(each, own.slice(0, own.indexOf(each)));
    return [...own.filter((each) => !secondary(each)), ...own.filter(secondary)];
  };
  return family === undefined ? [...of('ipv4'), ...of('ipv6')] : of(family);
}

function brief(view: LinkView, options: LinkOptions): string {
  const { device } = view;
  if (options.addresses && options.family !== undefined && wanted(view, options.family).length === 0)
    return '';
  const head = `${nameText(device).padEnd(16)} ${stateText(device).padEnd(14)} `;
  if (!options.addresses) return `${head}${formatMac(device.mac)} <${flagsText(device)}> \n`;
  return `${head}${wanted(view, options.family)
    .map((each) => `${formatIpPrefix(each)} `)
    .join('')}\n`;
}

function addressLines(view: LinkView, { family, oneLine }: LinkOptions): string[] {
  const { device } = view;
  const list = wanted(view, family);
  return list.flatMap((each, index) => {
    const text = addressText(device, each, list.slice(0, index));
    if (oneLine) return [`${device.index}: ${device.name}    ${text}\\${LIFETIME}`];
    return [`    ${text}`, LIFETIME];
  });
}

function full(view: LinkView, options: LinkOptions): string {
  const { device } = view;
  const lines = addressLines(view, options);
  if (options.addresses && options.oneLine) return lines.map((line) => `${line}\n`).join('');
  // With one family only the link layer is not shown.
  const oneFamily = options.addresses && options.family !== undefined;
  if (oneFamily && lines.length === 0) return '';
  const link =
    oneFamily && options.family === 'ipv6' && !options.named
      ? ipv6HeadText(device)
      : `${headText(device, options)}${oneFamily ? linkNetns(device) : ''}`;
  const all = [
    link,
    ...(oneFamily ? [] : [`    ${hardwareText(device)}${linkNetns(device)}`]),
    ...(options.addresses ? lines : []),
    ...(options.statistics ? statisticsLines(device) : []),
  ];
  return `${all.join(options.oneLine ? '\\' : '\n')}\n`;
}

/** The whole output for `views`, in the order of their index. */
export function formatLinks(views: readonly LinkView[], options: LinkOptions): string {
  return views.map((view) => (options.brief ? brief(view, options) : full(view, options))).join('');
}
