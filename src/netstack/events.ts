/** What a host tells about a packet's way, around netfilter's own events. */
import type { NetfilterEvent } from '../netfilter/events.ts';
import type { IpAddress } from '../wire/ip-address.ts';
import type { Packet } from '../wire/packet.ts';
import type { Fate, Refusal } from './fate.ts';
import type { Route } from './route-table.ts';

export type HostEvent =
  | NetfilterEvent
  | { readonly kind: 'receive'; readonly device: string; readonly packet: Packet }
  /** A packet made on this host enters its output side; `answers` tells why the host itself made it. */
  | { readonly kind: 'originate'; readonly packet: Packet; readonly answers?: Refusal | 'socket' }
  | {
      readonly kind: 'route';
      readonly route: Route | undefined;
      readonly destination: IpAddress;
    }
  | {
      readonly kind: 'transmit';
      readonly device: string;
      readonly nextHop: IpAddress;
      readonly packet: Packet;
    }
  /** A packet leaves through lo and comes straight back. */
  | { readonly kind: 'loopback'; readonly packet: Packet }
  | { readonly kind: 'fate'; readonly fate: Fate };

export type HostTrace = (event: HostEvent) => void;
