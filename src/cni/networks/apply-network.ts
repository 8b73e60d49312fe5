/** The thin shell: a plan put into effect in the namespace of its node. */
import type { Interface } from '../../netstack/link/interface.ts';
import type { Namespace } from '../../netstack/namespace.ts';
import { createIpip } from '../../netstack/tunnel/ipip.ts';
import { createVxlan, VxlanDriver } from '../../netstack/tunnel/vxlan.ts';
import type { NodeNetworkPlan, PlannedFdbEntry, PlannedInterface } from './network.ts';

function makeInterface(namespace: Namespace, spec: PlannedInterface): Interface {
  const { name, mtu } = spec;
  switch (spec.kind) {
    case 'bridge': {
      const mac = spec.mac === undefined ? {} : { mac: spec.mac };
      return namespace.addBridge({ name, mtu, up: true, ...mac });
    }
    case 'vxlan': {
      const link = namespace.interface(spec.device);
      const { vni: id, port, local, learning, mac } = spec;
      const lower = link === undefined ? {} : { link };
      return createVxlan(namespace, { name, mtu, mac, id, port, local, learning, up: true, ...lower });
    }
    case 'ipip': {
      const local = typeof spec.local === 'number' ? { local: spec.local } : {};
      // tunl0 copies the inner DF (its pmtudisc is off).
      return createIpip(namespace, { name, mtu, up: true, pmtudisc: false, ...local });
    }
  }
}

function deviceOf(namespace: Namespace, name: string): Interface {
  const device = namespace.interface(name);
  if (device === undefined) throw new RangeError(`${namespace.name} has no device ${name}`);
  return device;
}

function addFdbEntry(namespace: Namespace, { device, mac, remote }: PlannedFdbEntry): void {
  const { driver } = deviceOf(namespace, device);
  if (driver instanceof VxlanDriver) driver.fdb.add(mac, remote, namespace.scheduler.now());
}

/**
 * Gives `namespace`, which has its uplink already, the devices, addresses, routes, neighbours, forwarding entries
 * and sysctls of `plan`. The plan's rules and sets are text for whoever loads the node's rules: after kube-proxy's,
 * as `iptables-restore --noflush` does. Throws RangeError when a device is there already or is missing.
 */
export function applyNodeNetwork(namespace: Namespace, plan: NodeNetworkPlan): void {
  for (const [name, value] of Object.entries(plan.sysctls)) namespace.setSysctl(name, value);
  for (const spec of plan.interfaces) makeInterface(namespace, spec);
  for (const { device, address } of plan.addresses) {
    namespace.addAddress(deviceOf(namespace, device), address);
  }
  for (const { type, prefix, device, gateway, src } of plan.routes) {
    namespace.addRoute({
      type,
      prefix,
      device,
      metric: 0,
      ...(gateway === undefined ? {} : { gateway }),
      ...(src === undefined ? {} : { src }),
    });
  }
  for (const { device, address, mac } of plan.neighbours) {
    namespace.addNeighbour(deviceOf(namespace, device), address, mac);
  }
  for (const entry of plan.fdb) addFdbEntry(namespace, entry);
}
