/** What a namespace tells about frames and neighbours, around what its host tells about packets. */
import type { DropReason } from '../netfilter/verdict.ts';
import type { Frame } from '../wire/frame.ts';
import type { IpAddress } from '../wire/ip-address.ts';
import type { MacAddress } from '../wire/mac.ts';
import type { Packet } from '../wire/packet.ts';
import type { HostEvent } from './events.ts';
import type { NeighbourState } from './neighbour/entry.ts';

export type LinkEvent =
  | { readonly kind: 'frame-sent' | 'frame-received'; readonly device: string; readonly frame: Frame }
  /** A frame that a device or bridge of this namespace threw away. */
  | {
      readonly kind: 'frame-dropped';
      readonly device: string;
      readonly frame: Frame;
      readonly reason: DropReason;
    }
  /** A frame that left `device` and was lost on the wire. */
  | {
      readonly kind: 'frame-lost';
      readonly device: string;
      readonly frame: Frame;
      readonly reason: DropReason;
    }
  /** A packet that was routed and does not leave: its neighbour cannot be found, its device is gone. */
  | {
      readonly kind: 'packet-dropped';
      readonly device: string;
      readonly packet: Packet;
      readonly reason: DropReason;
    }
  /** A packet waits until its neighbour is found. */
  | {
      readonly kind: 'neighbour-wait';
      readonly device: string;
      readonly address: IpAddress;
      readonly packet: Packet;
    }
  /** A neighbour entry has changed its state or its link address. */
  | {
      readonly kind: 'neighbour';
      readonly device: string;
      readonly address: IpAddress;
      readonly state: NeighbourState;
      readonly mac?: MacAddress;
    }
  /** Where a bridge sent a frame: to the named ports (several: flooded), to the bridge device itself. */
  | {
      readonly kind: 'bridge';
      readonly bridge: string;
      /** Undefined: it came from the bridge device itself. */
      readonly inPort: string | undefined;
      readonly outPorts: readonly string[];
      readonly local: boolean;
      readonly flooded: boolean;
      readonly frame: Frame;
    }
  | {
      readonly kind: 'encapsulated' | 'decapsulated';
      readonly device: string;
      readonly inner: Frame | Packet;
      readonly outer: Packet;
    };

export type NamespaceEvent = HostEvent | LinkEvent;
export type NamespaceTrace = (event: NamespaceEvent) => void;
