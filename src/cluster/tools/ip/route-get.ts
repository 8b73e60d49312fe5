/** `ip route get`: which way one packet would go. */
import type { AddressBook } from '../../../netstack/addressing.ts';
import { routeOutput } from '../../../netstack/output-route.ts';
import { isMulticast, type Route } from '../../../netstack/route-table.ts';
import { formatIpAddress, type IpAddress } from '../../../wire/ip-address.ts';
import { isKernelRoute } from './route-text.ts';

export interface RouteQuestion {
  readonly destination: IpAddress;
  readonly from?: IpAddress;
  readonly device?: string;
  readonly mark?: number;
}

export type RouteAnswer =
  | { readonly kind: 'route'; readonly text: string }
  /** What netlink answers instead (rtnl: EHOSTUNREACH and so on). */
  | { readonly kind: 'error'; readonly message: string };

/** What the route types that refuse give (fib_props). */
const ERRORS: Partial<Readonly<Record<Route['type'], string>>> = {
  unreachable: 'No route to host',
  prohibit: 'Permission denied',
  blackhole: 'Invalid argument',
};

function ipv4Text(
  question: RouteQuestion,
  route: Route | undefined,
  device: string,
  book: AddressBook,
): string {
  const { destination, from, mark } = question;
  const type = isMulticast(destination) ? 'multicast' : (route?.type ?? 'unicast');
  const gateway = route?.gateway;
  const via = gateway === undefined || type !== 'unicast' ? '' : `via ${formatIpAddress(gateway)} `;
  const src =
    type === 'local' ? destination : (route?.src ?? book.masqueradeAddress(device, gateway ?? destination));
  const cache = { local: ' <local>', broadcast: ' <local,brd>', multicast: ' <mc>' };
  const flags = type in cache ? cache[type as keyof typeof cache] : '';
  return [
    type === 'unicast' ? '' : `${type} `,
    `${formatIpAddress(destination)} `,
    from === undefined ? '' : `from ${formatIpAddress(from)} `,
    via,
    `dev ${device} `,
    from !== undefined || src === undefined ? '' : `src ${formatIpAddress(src)} `,
    mark === undefined ? '' : `mark ${mark === 0 ? '0' : mark} `,
    'uid 0 \n    cache',
    `${flags} \n`,
  ].join('');
}

function ipv6Text(
  question: RouteQuestion,
  route: Route | undefined,
  device: string,
  book: AddressBook,
): string {
  const { destination, from, mark } = question;
  const type = route?.type ?? 'unicast';
  const local = type === 'local' || type === 'anycast';
  const gateway = route?.gateway;
  const src = local ? destination : (route?.src ?? book.masqueradeAddress(device, destination));
  const kernel = route !== undefined && isKernelRoute(route, book.devices);
  const metric = route === undefined || kernel || route.metric !== 0 ? (route?.metric ?? 0) : 1024;
  return [
    type === 'unicast' ? '' : `${type} `,
    `${formatIpAddress(destination)} `,
    `from ${from === undefined ? '::' : formatIpAddress(from)} `,
    gateway === undefined ? '' : `via ${formatIpAddress(gateway)} `,
    `dev ${device} `,
    local ? 'table local ' : '',
    kernel ? 'proto kernel ' : '',
    src === undefined ? '' : `src ${formatIpAddress(src)} `,
    mark === undefined ? '' : `mark ${mark} `,
    `metric ${metric} pref medium\n`,
  ].join('');
}

/** Looks `question` up as a packet of this host's own would be. */
export function routeGet(question: RouteQuestion, book: AddressBook): RouteAnswer {
  const { destination, from, device } = question;
  const decision = routeOutput(
    {
      dst: destination,
      ...(from === undefined ? {} : { src: from }),
      ...(device === undefined ? {} : { device }),
    },
    book,
  );
  if (decision.kind === 'drop') {
    const type = decision.route?.type;
    return { kind: 'error', message: (type && ERRORS[type]) ?? 'Network is unreachable' };
  }
  const text = typeof destination === 'number' ? ipv4Text : ipv6Text;
  return { kind: 'route', text: text(question, decision.route, decision.device, book) };
}
