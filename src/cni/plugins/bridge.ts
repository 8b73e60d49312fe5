/**
 * bridge: a veth whose host's end is a port of a bridge, which has the gateway's address when asked to be one
 * (plugins/main/bridge).
 */
import type { Interface } from '../../netstack/link/interface.ts';
import { addToAddress, familyOf, ipv6 } from '../../wire/ip-address.ts';
import {
  formatIpPrefix,
  type InterfaceAddress,
  type IpPrefix,
  prefixContains,
  prefixOf,
} from '../../wire/ip-prefix.ts';
import { CniError } from './cni-error.ts';
import type { BridgeConfiguration } from './configuration.ts';
import {
  attachOrUndo,
  checkAddresses,
  checkContainerDevice,
  checkDevice,
  configureInterface,
  makeVeth,
  removeVeth,
  sandboxOf,
} from './container-interface.ts';
import { enableForwarding } from './forwarding-on.ts';
import { ipamAdd, ipamCheck, ipamDel, ipamGc, ipamStatus } from './host-local-plugin.ts';
import { collectChains, setUpIpMasq, tearDownIpMasq } from './ip-masq.ts';
import type { CniHost, Plugin, PluginCall } from './plugin.ts';
import { type CniResult, givenDns, type ResultIp, type ResultRoute } from './result.ts';

const PLUGIN = 'bridge';

/** The bridge, made when it is not there. Throws CniError when something else has its name. */
function ensureBridge({ namespace }: CniHost, { bridge, mtu }: BridgeConfiguration): Interface {
  const known = namespace.interface(bridge);
  const device = known ?? namespace.addBridge({ name: bridge, ...(mtu === 0 ? {} : { mtu }) });
  if (device.kind !== 'bridge') {
    throw new CniError('failed', `${bridge} exists already and is not a bridge`, PLUGIN);
  }
  namespace.setUp(device, true);
  return device;
}

/** Addresses with their gateways: that of the IPAM result, or the first address of the network. */
function withGateways(ips: readonly ResultIp[], isGateway: boolean): ResultIp[] {
  return ips.map((ip) => {
    const { address, length } = ip.address;
    const gateway =
      ip.gateway ?? (isGateway ? addToAddress(prefixOf(address, length).address, 1) : undefined);
    return { ...ip, interface: 2, ...(gateway === undefined ? {} : { gateway }) };
  });
}

const DEFAULT_ROUTE: Readonly<Record<'ipv4' | 'ipv6', IpPrefix>> = {
  ipv4: { address: 0, length: 0 },
  ipv6: { address: ipv6(0, 0, 0, 0), length: 0 },
};

/** `isDefaultGateway`: a default route a family, unless IPAM has given one with a gateway. */
function defaultRoutes(ips: readonly ResultIp[], given: readonly ResultRoute[]): ResultRoute[] {
  const routes: ResultRoute[] = [];
  for (const { address, gateway } of ips) {
    const family = familyOf(address.address);
    const has = [...given, ...routes].some(
      ({ dst, gw }) => gw !== undefined && dst.length === 0 && familyOf(dst.address) === family,
    );
    if (!has && gateway !== undefined) routes.push({ dst: DEFAULT_ROUTE[family], gw: gateway });
  }
  return routes;
}

/** Puts the gateway's address on the bridge; another one there is in its way (ensureAddr). */
function ensureAddress(bridge: Interface, wanted: InterfaceAddress, force: boolean): void {
  const { namespace } = bridge;
  const text = formatIpPrefix(wanted);
  for (const own of namespace.addresses(bridge)) {
    if (familyOf(own.address) !== familyOf(wanted.address)) continue;
    if (formatIpPrefix(own) === text) return;
    const networks = [own, wanted].map(({ address, length }) => prefixOf(address, length));
    const [mine, theirs] = networks;
    const apart =
      typeof own.address !== 'number' &&
      mine !== undefined &&
      theirs !== undefined &&
      !prefixContains(mine, wanted.address) &&
      !prefixContains(theirs, own.address);
    // A link-local address is the kernel's own business.
    if (apart) continue;
    if (!force) {
      throw new CniError(
        'failed',
        `${bridge.name} has the address ${formatIpPrefix(own)}, not ${text}`,
        PLUGIN,
      );
    }
    namespace.removeAddress(bridge, own.address);
  }
  namespace.addAddress(bridge, wanted);
}

function plumb(configuration: BridgeConfiguration, call: PluginCall): CniResult {
  const { host, runtimeConfig } = call;
  const { ipam, mtu, hairpinMode, portIsolation } = configuration;
  const bridge = ensureBridge(host, configuration);
  const bridgeMac = bridge.mac;
  const mac = runtimeConfig.mac ?? configuration.mac;
  const veth = makeVeth(call, { mtu, plugin: PLUGIN, ...(mac === undefined ? {} : { mac }) });
  host.namespace.setMaster(veth.host, bridge);
  host.namespace.setBridgePort(veth.host, { hairpin: hairpinMode, isolated: portIsolation });
  const addressed = ipam === undefined ? undefined : ipamAdd(ipam, call);
  const ips = withGateways(addressed?.ips ?? [], configuration.isGateway);
  const given = addressed?.routes ?? [];
  const routes = configuration.isDefaultGateway ? [...given, ...defaultRoutes(ips, given)] : given;
  if (ipam !== undefined) {
    const { namespace, name } = veth.container;
    namespace.setSysctl(`net.ipv6.conf.${name}.accept_dad`, '0');
    namespace.setSysctl(`net.ipv4.conf.${name}.arp_notify`, '1');
  }
  configureInterface(veth.container, ips, routes);
  if (configuration.isGateway) {
    serveAsGateway(configuration, bridge, ips);
    // Else it would be the lowest of its ports', and change as they come and go.
    if (ips.length > 0) bridge.mac = bridgeMac;
  }
  if (configuration.ipMasq) {
    const addresses = ips.map(({ address }) => address);
    setUpIpMasq(host.rules, { network: call.name, containerId: call.containerId, addresses });
  }
  return {
    interfaces: [
      { name: bridge.name, mac: bridge.mac },
      { name: veth.host.name, mac: veth.host.mac },
      { name: veth.container.name, mac: veth.container.mac, sandbox: sandboxOf(call, PLUGIN).path },
    ],
    ips,
    routes,
    dns: givenDns(configuration.dns, {}),
  };
}

function serveAsGateway(
  { forceAddress }: BridgeConfiguration,
  bridge: Interface,
  ips: readonly ResultIp[],
): void {
  for (const { address, gateway } of ips) {
    if (gateway !== undefined)
      ensureAddress(bridge, { address: gateway, length: address.length }, forceAddress);
  }
  enableForwarding(bridge.namespace, ips);
}

function takeDown({ ipam, ipMasq }: BridgeConfiguration, call: PluginCall): void {
  if (call.sandbox !== undefined) removeVeth(call.host, call.sandbox, call.ifName);
  if (ipam !== undefined) ipamDel(ipam, call);
  if (ipMasq) tearDownIpMasq(call.host.rules, call.name, call.containerId);
}

/** The bridge plugin. */
export const bridge: Plugin<BridgeConfiguration> = {
  add(configuration, call) {
    return attachOrUndo(call, PLUGIN, {
      make: () => plumb(configuration, call),
      undo: () => takeDown(configuration, call),
    });
  },

  del: takeDown,

  check(configuration, call) {
    const { ipam, bridge: name } = configuration;
    if (ipam !== undefined) ipamCheck(ipam, call);
    const { prevResult, host } = call;
    if (prevResult === undefined) throw new CniError('invalid-parameter', 'prevResult is missing', PLUGIN);
    const wanted = prevResult.interfaces.find((each) => each.name === name && each.sandbox === undefined);
    if (wanted === undefined) throw new CniError('check-failed', `prevResult has no bridge ${name}`, PLUGIN);
    const master = checkDevice(host.namespace, wanted, 'bridge', PLUGIN);
    const device = checkContainerDevice(prevResult, call, PLUGIN);
    const port = host.peers.get(device);
    if (port === undefined || port.master !== master) {
      throw new CniError('check-failed', `the veth of ${call.ifName} is no port of ${name}`, PLUGIN);
    }
    checkAddresses(prevResult, device, PLUGIN);
  },

  gc({ ipam }, call) {
    if (ipam !== undefined) ipamGc(ipam, call);
    collectChains(call.host.rules, { network: call.name, valid: call.valid, entry: 'POSTROUTING' });
  },

  status({ ipam }, host, name) {
    if (ipam !== undefined) ipamStatus(ipam, host, name);
  },
};
