/**
 * Which device hears which: segments that join devices of several hosts, and who on a segment answers for an
 * address. A packet sent to a next hop nobody owns is lost there, as after a failed neighbour lookup.
 */
import { formatIpAddress, type IpAddress } from '../../wire/ip-address.ts';

export interface Attachment {
  /** The host's label: `pod/default/client`, `node/worker-1`. */
  readonly host: string;
  readonly device: string;
}

/** One broadcast domain: a veth pair, the node network, a link outside. */
export class Segment {
  readonly name: string;
  readonly #owners = new Map<string, Attachment>();

  constructor(name: string) {
    this.name = name;
  }

  /** Attaches a device that answers for `addresses`. */
  attach(attachment: Attachment, addresses: Iterable<IpAddress>): void {
    for (const address of addresses) this.#owners.set(formatIpAddress(address), attachment);
  }

  /** Whom the neighbour lookup for `nextHop` finds. */
  owner(nextHop: IpAddress): Attachment | undefined {
    return this.#owners.get(formatIpAddress(nextHop));
  }
}

export class Wiring {
  readonly #segments = new Map<string, Segment>();

  /** Plugs `device` of `host` into `segment`. */
  plug({ host, device }: Attachment, segment: Segment, addresses: Iterable<IpAddress>): void {
    this.#segments.set(`${host} ${device}`, segment);
    segment.attach({ host, device }, addresses);
  }

  /** The segment that `device` of `host` is plugged into. */
  segmentOf({ host, device }: Attachment): Segment | undefined {
    return this.#segments.get(`${host} ${device}`);
  }
}
