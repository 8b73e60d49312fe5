/**
 * A host's routes as its flat path asks for them. The prefixes of routes and addresses cut the address space into
 * ranges within which every address is treated alike; what is true of a range is asked of one of its addresses,
 * when it is needed for the first time.
 */
import type { FlatRouting } from '../netfilter/flat/path/routing.ts';
import { lastAddress, prefixOf } from '../wire/ip-prefix.ts';
import type { AddressBook } from './addressing.ts';
import { isLoopback, isMulticast, LIMITED_BROADCAST } from './route-table.ts';
import { checkSource } from './source-check.ts';

/** Where ranges begin whatever the routes: behind 0.0.0.0, around loopback, at multicast and broadcast. */
const ALWAYS = [0, 1, 0x7f000000, 0x80000000, 0xe0000000, 0xf0000000, LIMITED_BROADCAST];

const UNKNOWN = -2;
const ELSEWHERE = -1;
const NO_LIMIT = 0x7fffffff;

/** The first addresses of all ranges, ascending. */
function rangesOf({ devices, routes }: AddressBook): Uint32Array {
  const prefixes = routes.routes().map(({ prefix }) => prefix);
  for (const device of devices.values()) {
    for (const { address, length } of device.addresses) prefixes.push(prefixOf(address, length));
  }
  const starts = new Set<number>(ALWAYS);
  for (const prefix of prefixes) {
    const last = lastAddress(prefix);
    if (typeof prefix.address !== 'number' || typeof last !== 'number') continue;
    starts.add(prefix.address);
    if (last < LIMITED_BROADCAST) starts.add(last + 1);
  }
  return Uint32Array.from(starts).sort();
}

export class HostRouting implements FlatRouting {
  readonly devices: readonly string[];
  readonly locals: Uint32Array;
  readonly #book: AddressBook;
  readonly #starts: Uint32Array;
  /** By range: the device packets leave by, or ELSEWHERE, or UNKNOWN as yet; and the rest once that is known. */
  readonly #deviceTo: Int32Array;
  readonly #gateways: Int32Array;
  readonly #mtus: Int32Array;
  readonly #masquerades: Int32Array;
  /** By range and device: whether packets are taken, or UNKNOWN as yet. */
  readonly #taken: Int8Array;

  constructor(book: AddressBook) {
    this.#book = book;
    this.devices = [...book.devices.keys()];
    this.#starts = rangesOf(book);
    const ranges = this.#starts.length;
    this.#deviceTo = new Int32Array(ranges).fill(UNKNOWN);
    this.#gateways = new Int32Array(ranges);
    this.#mtus = new Int32Array(ranges);
    this.#masquerades = new Int32Array(ranges);
    this.#taken = new Int8Array(ranges * this.devices.length).fill(UNKNOWN);
    this.locals = this.#localRanges();
  }

  rangeOf(address: number): number {
    const wanted = address >>> 0;
    const starts = this.#starts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((starts[middle] ?? 0) <= wanted) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  deviceTo(range: number): number {
    const known = this.#deviceTo[range] ?? ELSEWHERE;
    return known === UNKNOWN ? this.#resolve(range) : known;
  }

  gatewayTo(range: number): number {
    return this.#gateways[range] ?? 0;
  }

  mtuTo(range: number): number {
    return this.#mtus[range] ?? 0;
  }

  masqueradeTo(range: number): number {
    return this.#masquerades[range] ?? 0;
  }

  takesFrom(range: number, device: number): boolean {
    const at = range * this.devices.length + device;
    const known = this.#taken[at] ?? 0;
    if (known !== UNKNOWN) return known === 1;
    const takes = this.#judgeSource(this.#starts[range] ?? 0, this.devices[device] ?? '');
    this.#taken[at] = takes ? 1 : 0;
    return takes;
  }

  /** What input-route.ts decides for a forwarded packet, but for its destination. */
  #judgeSource(src: number, name: string): boolean {
    const device = this.#book.devices.get(name);
    if (device === undefined || !device.forwarding) return false;
    if (src === 0 || src === LIMITED_BROADCAST || isMulticast(src) || isLoopback(src)) return false;
    return checkSource(src, device, this.#book) === 'ok';
  }

  #resolve(range: number): number {
    const dst = this.#starts[range] ?? 0;
    const { routes, devices } = this.#book;
    const special = dst === 0 || dst === LIMITED_BROADCAST || isMulticast(dst) || isLoopback(dst);
    // Where policy rules decide, the destination is not all that counts.
    const route = special || routes.hasPolicy ? undefined : routes.lookup(dst);
    const number = route?.type === 'unicast' ? this.devices.indexOf(route.device) : ELSEWHERE;
    this.#deviceTo[range] = number;
    if (route === undefined || number === ELSEWHERE) return ELSEWHERE;
    const { gateway, device } = route;
    this.#gateways[range] = typeof gateway === 'number' ? gateway : 0;
    this.#mtus[range] = devices.get(device)?.mtu ?? NO_LIMIT;
    const address = this.#book.masqueradeAddress(device, gateway ?? dst);
    this.#masquerades[range] = typeof address === 'number' ? address : 0;
    return number;
  }

  #localRanges(): Uint32Array {
    const starts = [...this.#starts];
    const ranges = starts.flatMap((first, index) => {
      const last = (starts[index + 1] ?? LIMITED_BROADCAST + 1) - 1;
      return this.#book.isOfType(first, ['LOCAL']) ? [first, last] : [];
    });
    return Uint32Array.from(ranges);
  }
}
