/**
 * The UDP port that all VXLAN devices of a namespace share: it is open while one of them is up, and takes every
 * datagram then, also those for nobody (vxlan_sock). The two families have tunnels apart: an identifier may be used
 * once in each.
 */
import { familyOf, type IpAddress } from '../../wire/ip-address.ts';
import { parseVxlan } from '../../wire/vxlan.ts';
import type { Interface } from '../link/interface.ts';
import type { Namespace } from '../namespace.ts';
import type { VxlanDriver } from './vxlan.ts';

export interface VxlanSocket {
  open(device: Interface, driver: VxlanDriver): void;
  close(driver: VxlanDriver): void;
}

/** An identifier of 24 bits, and the family of the tunnel. */
const keyOf = (id: number, outer: IpAddress) => id * 2 + (familyOf(outer) === 'ipv6' ? 1 : 0);

const SOCKETS = new WeakMap<Namespace, Map<number, VxlanSocket>>();

function makeSocket(namespace: Namespace, port: number): VxlanSocket {
  const members = new Map<number, { readonly device: Interface; readonly driver: VxlanDriver }>();
  return {
    open(device, driver) {
      members.set(keyOf(driver.id, driver.local), { device, driver });
      namespace.receiveUdp(port, (outer) => {
        const { transport } = outer;
        const message = transport.kind === 'udp' ? parseVxlan(transport.data) : undefined;
        const member = message === undefined ? undefined : members.get(keyOf(message.id, outer.src));
        if (message !== undefined) member?.driver.receive(message.frame, outer, member.device);
        return true;
      });
    },
    close(driver) {
      members.delete(keyOf(driver.id, driver.local));
      if (members.size === 0) namespace.receiveUdp(port, undefined);
    },
  };
}

/** The socket on `port` of `namespace`, made on first use. */
export function vxlanSocket(namespace: Namespace, port: number): VxlanSocket {
  const sockets = SOCKETS.get(namespace) ?? new Map<number, VxlanSocket>();
  SOCKETS.set(namespace, sockets);
  const socket = sockets.get(port) ?? makeSocket(namespace, port);
  sockets.set(port, socket);
  return socket;
}
