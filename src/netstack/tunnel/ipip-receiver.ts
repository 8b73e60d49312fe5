/** To which IPIP device of a namespace a packet belongs: the one that names most of its ends (ip_tunnel_lookup). */
import type { Packet } from '../../wire/packet.ts';
import type { Interface } from '../link/interface.ts';
import type { Namespace } from '../namespace.ts';
import type { IpipDriver } from './ipip.ts';

/** IP in IP encapsulation (IANA). */
export const IPIP_PROTOCOL = 4;

export interface IpipReceiver {
  open(device: Interface, driver: IpipDriver): void;
  close(device: Interface): void;
}

const RECEIVERS = new WeakMap<Namespace, IpipReceiver>();

/** How well a tunnel between `local` and `remote` suits a packet; undefined: not at all. */
function suits({ spec: { local, remote } }: IpipDriver, { src, dst }: Packet): number | undefined {
  if (remote !== undefined && remote !== src) return undefined;
  if (local !== undefined && local !== dst) return undefined;
  return (remote === undefined ? 0 : 2) + (local === undefined ? 0 : 1);
}

function makeReceiver(namespace: Namespace): IpipReceiver {
  const members = new Map<Interface, IpipDriver>();
  const receive = (outer: Packet): boolean => {
    let best: { readonly device: Interface; readonly driver: IpipDriver; readonly rank: number } | undefined;
    for (const [device, driver] of members) {
      const rank = suits(driver, outer);
      if (rank !== undefined && (best === undefined || rank > best.rank)) best = { device, driver, rank };
    }
    best?.driver.receive(outer, best.device);
    return best !== undefined;
  };
  return {
    open(device, driver) {
      members.set(device, driver);
      namespace.receiveProtocol(IPIP_PROTOCOL, receive);
    },
    close(device) {
      members.delete(device);
      if (members.size === 0) namespace.receiveProtocol(IPIP_PROTOCOL, undefined);
    },
  };
}

/** The receiver of `namespace`, made on first use. */
export function ipipReceiver(namespace: Namespace): IpipReceiver {
  const receiver = RECEIVERS.get(namespace) ?? makeReceiver(namespace);
  RECEIVERS.set(namespace, receiver);
  return receiver;
}
