/** The container's end of a veth: made, configured from an IPAM result, compared, removed. */
import type { Interface } from '../../netstack/link/interface.ts';
import { createVethPair } from '../../netstack/link/veth.ts';
import type { Namespace } from '../../netstack/namespace.ts';
import { familyOf, sameAddress } from '../../wire/ip-address.ts';
import { formatIpPrefix, type IpPrefix, prefixOf } from '../../wire/ip-prefix.ts';
import { formatMac, type MacAddress } from '../../wire/mac.ts';
import { CniError } from './cni-error.ts';
import type { CniHost, PluginCall, Sandbox } from './plugin.ts';
import type { CniResult, ResultInterface, ResultIp, ResultRoute } from './result.ts';

export interface ContainerVeth {
  readonly host: Interface;
  readonly container: Interface;
}

/** Throws CniError when the call has no namespace. */
export function sandboxOf({ sandbox }: PluginCall, plugin: string): Sandbox {
  if (sandbox === undefined)
    throw new CniError('invalid-parameter', 'the network namespace is missing', plugin);
  return sandbox;
}

/** `veth` and eight random hexadecimal digits, free on the host (RandomVethName). */
function freeVethName(host: Namespace, { containerId, ifName }: PluginCall): string {
  const random = host.randomFor(`veth ${containerId} ${ifName}`);
  for (;;) {
    const name = `veth${random.uint32().toString(16).padStart(8, '0')}`;
    if (host.interface(name) === undefined) return name;
  }
}

/**
 * `make`, which attaches the container; what it left behind is taken down when it fails. Throws CniError when the
 * device is there already: that is not for this call to take down.
 */
export function attachOrUndo<T>(
  call: PluginCall,
  plugin: string,
  steps: { make: () => T; undo: () => void },
): T {
  if (sandboxOf(call, plugin).namespace.interface(call.ifName) !== undefined) {
    throw new CniError('failed', `${call.ifName} is there already in the container`, plugin);
  }
  try {
    return steps.make();
  } catch (error) {
    steps.undo();
    throw error;
  }
}

/** A veth between host and container, the host's end up (SetupVeth). An MTU of 0 is the kernel's choice. */
export function makeVeth(
  call: PluginCall,
  { mtu, mac, plugin }: { readonly mtu: number; readonly mac?: MacAddress; readonly plugin: string },
): ContainerVeth {
  const { host, ifName } = call;
  const { namespace } = sandboxOf(call, plugin);
  const size = mtu === 0 ? {} : { mtu };
  const pair = createVethPair(
    { namespace: host.namespace, name: freeVethName(host.namespace, call), up: true, ...size },
    { namespace, name: ifName, ...size, ...(mac === undefined ? {} : { mac }) },
  );
  const veth = { host: pair.near, container: pair.far() };
  host.peers.set(veth.container, veth.host);
  return veth;
}

function removeIfThere(device: Interface): void {
  if (device.namespace.interface(device.name) === device) device.namespace.removeInterface(device);
}

/** Deletes the container's device and with it the host's end (DelLinkByNameAddr); true when it was there. */
export function removeVeth(host: CniHost, sandbox: Sandbox, ifName: string): boolean {
  const device = sandbox.namespace.interface(ifName);
  if (device === undefined) return false;
  const peer = host.peers.get(device);
  host.peers.delete(device);
  removeIfThere(device);
  if (peer !== undefined) removeIfThere(peer);
  return true;
}

/** `gw` of the route, or the gateway of the first address of its family. */
export function gatewayFor(route: ResultRoute, ips: readonly ResultIp[]) {
  if (route.gw !== undefined) return route.gw;
  const family = familyOf(route.dst.address);
  return ips.find(({ gateway }) => gateway !== undefined && familyOf(gateway) === family)?.gateway;
}

interface Configure {
  /** Whether the networks around the addresses become routes; by default they do. */
  readonly prefixRoutes?: boolean;
  /** Whose gateways routes without one take; by default those of the addresses. */
  readonly gateways?: readonly ResultIp[];
}

/** Gives the container's device addresses and routes and switches it on (ConfigureIface). */
export function configureInterface(
  device: Interface,
  ips: readonly ResultIp[],
  routes: readonly ResultRoute[],
  { prefixRoutes = true, gateways = ips }: Configure = {},
): void {
  const { namespace } = device;
  for (const { address } of ips) {
    namespace.addAddress(device, prefixRoutes ? address : { ...address, noPrefixRoute: true });
  }
  namespace.setUp(device, true);
  for (const route of routes) {
    const gateway = gatewayFor(route, gateways);
    namespace.addRoute({
      type: 'unicast',
      prefix: route.dst,
      device: device.name,
      metric: 0,
      ...(gateway === undefined ? {} : { gateway }),
    });
  }
}

/** The device of the container that `result` speaks of. Throws CniError when it does not, or is not as it says. */
export function checkContainerDevice(result: CniResult, call: PluginCall, plugin: string): Interface {
  const sandbox = sandboxOf(call, plugin);
  const wanted = result.interfaces.find(
    ({ name, sandbox: path }) => name === call.ifName && path === sandbox.path,
  );
  if (wanted === undefined) {
    throw new CniError(
      'check-failed',
      `prevResult has no interface ${call.ifName} in ${sandbox.path}`,
      plugin,
    );
  }
  return checkDevice(sandbox.namespace, wanted, 'veth', plugin);
}

/** The device that `wanted` describes. Throws CniError when it is gone, of another kind, or has another MAC. */
export function checkDevice(
  namespace: Namespace,
  wanted: ResultInterface,
  kind: Interface['kind'],
  plugin: string,
): Interface {
  const device = namespace.interface(wanted.name);
  const fail = (message: string): never => {
    throw new CniError('check-failed', `interface ${wanted.name} ${message}`, plugin);
  };
  if (device === undefined) return fail('is not there');
  if (device.kind !== kind) return fail(`is of type ${device.kind}, not ${kind}`);
  if (device.mac !== wanted.mac)
    return fail(`has MAC ${formatMac(device.mac)}, not ${formatMac(wanted.mac)}`);
  return device;
}

function hasRoute(namespace: Namespace, device: Interface, dst: IpPrefix): boolean {
  return namespace.book.routes
    .routes()
    .some(
      ({ type, prefix, device: name }) =>
        type === 'unicast' &&
        name === device.name &&
        prefix.length === dst.length &&
        sameAddress(prefix.address, dst.address),
    );
}

/** Throws CniError when an address or a route of `result` is missing (ValidateExpectedInterfaceIPs, …Route). */
export function checkAddresses(result: CniResult, device: Interface, plugin: string): void {
  const { namespace } = device;
  for (const { address } of result.ips) {
    const found = namespace
      .addresses(device)
      .some((own) => sameAddress(own.address, address.address) && own.length === address.length);
    if (!found) {
      throw new CniError('check-failed', `${formatIpPrefix(address)} is not on ${device.name}`, plugin);
    }
  }
  for (const { dst } of result.routes) {
    if (!hasRoute(namespace, device, prefixOf(dst.address, dst.length))) {
      throw new CniError('check-failed', `there is no route to ${formatIpPrefix(dst)}`, plugin);
    }
  }
}
