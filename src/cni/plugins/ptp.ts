/**
 * ptp: a veth whose host's end has the gateway's address, so that all a container sends goes through the host
 * (plugins/main/ptp). The container's address keeps its length, but the network around it is reached through the
 * gateway, as is everything.
 */
import type { Interface } from '../../netstack/link/interface.ts';
import { addressBits, familyOf } from '../../wire/ip-address.ts';
import { hostPrefix, prefixOf } from '../../wire/ip-prefix.ts';
import { CniError } from './cni-error.ts';
import type { PtpConfiguration } from './configuration.ts';
import {
  attachOrUndo,
  checkAddresses,
  checkContainerDevice,
  configureInterface,
  makeVeth,
  removeVeth,
  sandboxOf,
} from './container-interface.ts';
import { enableForwarding } from './forwarding-on.ts';
import { ipamAdd, ipamCheck, ipamDel, ipamGc, ipamStatus } from './host-local-plugin.ts';
import { collectChains, setUpIpMasq, tearDownIpMasq } from './ip-masq.ts';
import type { Plugin, PluginCall } from './plugin.ts';
import { type CniResult, givenDns, type ResultIp } from './result.ts';

const PLUGIN = 'ptp';

/** setupContainerVeth. */
function configureContainer(device: Interface, ips: readonly ResultIp[], result: CniResult): void {
  const { namespace } = device;
  configureInterface(device, ips, [], { prefixRoutes: false });
  for (const { address, gateway } of ips) {
    if (gateway === undefined) continue;
    const src = address.address;
    const base = { type: 'unicast', device: device.name, metric: 0, src } as const;
    namespace.addRoute({ ...base, prefix: hostPrefix(gateway) });
    if (address.length < addressBits(familyOf(src))) {
      namespace.addRoute({ ...base, prefix: prefixOf(src, address.length), gateway });
    }
  }
  configureInterface(device, [], result.routes, { gateways: ips });
}

/** setupHostVeth. */
function configureHost(device: Interface, ips: readonly ResultIp[]): void {
  const { namespace } = device;
  for (const { address, gateway } of ips) {
    if (gateway !== undefined) namespace.addAddress(device, hostPrefix(gateway));
    const prefix = hostPrefix(address.address);
    namespace.addRoute({ type: 'unicast', prefix, device: device.name, metric: 0 });
  }
}

function plumb(configuration: PtpConfiguration, call: PluginCall): CniResult {
  const { host, name: network, containerId } = call;
  const { ips: addresses, routes } = ipamAdd(configuration.ipam, call);
  const ips = addresses.map((ip) => ({ ...ip, interface: 1 }));
  enableForwarding(host.namespace, ips);
  const veth = makeVeth(call, { mtu: configuration.mtu, plugin: PLUGIN });
  const result: CniResult = {
    interfaces: [
      { name: veth.host.name, mac: veth.host.mac },
      { name: veth.container.name, mac: veth.container.mac, sandbox: sandboxOf(call, PLUGIN).path },
    ],
    ips,
    routes,
    dns: givenDns(configuration.dns, {}),
  };
  configureContainer(veth.container, ips, result);
  configureHost(veth.host, ips);
  if (configuration.ipMasq) {
    setUpIpMasq(host.rules, { network, containerId, addresses: ips.map(({ address }) => address) });
  }
  return result;
}

function takeDown({ ipam, ipMasq }: PtpConfiguration, call: PluginCall): void {
  ipamDel(ipam, call);
  if (call.sandbox !== undefined) removeVeth(call.host, call.sandbox, call.ifName);
  if (ipMasq) tearDownIpMasq(call.host.rules, call.name, call.containerId);
}

/** The ptp plugin. */
export const ptp: Plugin<PtpConfiguration> = {
  add(configuration, call) {
    return attachOrUndo(call, PLUGIN, {
      make: () => plumb(configuration, call),
      undo: () => takeDown(configuration, call),
    });
  },

  del: takeDown,

  check(configuration, call) {
    ipamCheck(configuration.ipam, call);
    const { prevResult } = call;
    if (prevResult === undefined) throw new CniError('invalid-parameter', 'prevResult is missing', PLUGIN);
    checkAddresses(prevResult, checkContainerDevice(prevResult, call, PLUGIN), PLUGIN);
  },

  gc(configuration, call) {
    ipamGc(configuration.ipam, call);
    collectChains(call.host.rules, { network: call.name, valid: call.valid, entry: 'POSTROUTING' });
  },

  status(configuration, host, name) {
    ipamStatus(configuration.ipam, host, name);
  },
};
