/** A namespace as its sockets see it. */
import type { DropReason } from '../../netfilter/verdict.ts';
import { familyOf, type IpAddress } from '../../wire/ip-address.ts';
import type { Packet } from '../../wire/packet.ts';
import { isAssigned } from '../addressing.ts';
import type { Fate } from '../fate.ts';
import type { Namespace } from '../namespace.ts';
import { isLoopback, type Route } from '../route-table.ts';
import type { SocketErrorCode } from './socket-error.ts';
import type { Path, SendOptions, SocketNetwork } from './socket-network.ts';
import { SocketSysctls } from './sysctls.ts';

/** What connect and sendto say about a route that leads nowhere (fib_props). */
const ROUTE_ERRORS: Partial<Record<Route['type'], SocketErrorCode>> = {
  unreachable: 'EHOSTUNREACH',
  prohibit: 'EACCES',
  blackhole: 'EINVAL',
  throw: 'ENETUNREACH',
};

/** What the sender hears at once of a packet that was dropped on its way out; undefined: nothing. */
const SEND_ERRORS: Partial<Record<DropReason, SocketErrorCode>> = {
  rule: 'EPERM',
  policy: 'EPERM',
  'answer-dropped': 'EPERM',
  'conntrack-full': 'EPERM',
  'conntrack-clash': 'EPERM',
  'no-route': 'ENETUNREACH',
  blackhole: 'EINVAL',
  martian: 'EINVAL',
  'too-big': 'EMSGSIZE',
};

function errorOf(fate: Fate): SocketErrorCode | undefined {
  if (fate.kind === 'dropped') return SEND_ERRORS[fate.reason];
  return fate.kind === 'rejected' ? 'EPERM' : undefined;
}

const LOOPBACK_MTU = 65_536;

class NamespaceNetwork implements SocketNetwork {
  readonly scheduler: SocketNetwork['scheduler'];
  readonly random: SocketNetwork['random'];
  readonly sysctls: SocketSysctls;
  readonly #namespace: Namespace;

  constructor(namespace: Namespace) {
    this.#namespace = namespace;
    this.scheduler = namespace.scheduler;
    this.random = namespace.randomFor('sockets');
    this.sysctls = new SocketSysctls({
      sysctl: (name) => namespace.sysctl(name),
      get sysctlVersion() {
        return namespace.sysctls.version;
      },
    });
  }

  path(dst: IpAddress, src?: IpAddress): Path | SocketErrorCode {
    const found = this.#namespace.routeTo(dst, src === undefined ? undefined : { src });
    if (found === undefined) return 'ENETUNREACH';
    const { route, source } = found;
    const refused = ROUTE_ERRORS[route.type];
    if (refused !== undefined) return refused;
    if (route.type === 'local') {
      return { src: src ?? route.src ?? dst, deviceMtu: LOOPBACK_MTU, mtu: LOOPBACK_MTU };
    }
    const chosen = src ?? source;
    if (chosen === undefined || familyOf(chosen) !== familyOf(dst)) return 'EADDRNOTAVAIL';
    const deviceMtu = this.#namespace.interface(route.device)?.mtu ?? 1500;
    return { src: chosen, deviceMtu, mtu: Math.min(this.#namespace.pathMtu(dst) ?? deviceMtu, deviceMtu) };
  }

  send(packet: Packet, { device, raw = false }: SendOptions = {}): SocketErrorCode | undefined {
    const { fate } = this.#namespace.send(packet, {
      whole: raw,
      ...(device === undefined ? {} : { device }),
    });
    return errorOf(fate);
  }

  isLocal(address: IpAddress): boolean {
    const { book } = this.#namespace;
    if (typeof address === 'number' && isLoopback(address)) return true;
    return isAssigned(book.devices, address) || book.routes.lookup(address)?.type === 'local';
  }
}

/** What the sockets of `namespace` need of it. */
export function networkOf(namespace: Namespace): SocketNetwork {
  return new NamespaceNetwork(namespace);
}
