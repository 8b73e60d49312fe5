/** A port of a bridge: its switches, and whether a frame may leave by it (br_forward.c should_deliver). */
import type { DropReason } from '../../netfilter/verdict.ts';
import type { Interface } from '../link/interface.ts';

/** `bridge link set dev PORT …`. */
export interface BridgePortOptions {
  /** Frames may leave by the port they came in on. */
  readonly hairpin: boolean;
  /** Frames do not pass between isolated ports. */
  readonly isolated: boolean;
  readonly learning: boolean;
  /** Frames to unicast addresses that nobody knows are sent here. */
  readonly flood: boolean;
  /** The same for groups. */
  readonly mcastFlood: boolean;
  readonly bcastFlood: boolean;
}

export const DEFAULT_PORT: BridgePortOptions = {
  hairpin: false,
  isolated: false,
  learning: true,
  flood: true,
  mcastFlood: true,
  bcastFlood: true,
};

export type FloodKind = 'unicast' | 'multicast' | 'broadcast';

/** Which option decides about flooding. */
export const FLOOD_OPTION = { unicast: 'flood', multicast: 'mcastFlood', broadcast: 'bcastFlood' } as const;

export interface Crossing {
  readonly port: Interface;
  readonly options: BridgePortOptions;
  /** Where the frame came in; undefined: the bridge device itself. */
  readonly inPort: Interface | undefined;
  readonly inOptions: BridgePortOptions | undefined;
}

/** Why a frame may not leave by `port`; undefined when it may. */
export function whyNot({ port, options, inPort, inOptions }: Crossing): DropReason | undefined {
  if (port === inPort && !options.hairpin) return 'bridge-same-port';
  // Without spanning tree a port forwards as soon as it has a link.
  if (!port.carrier) return 'bridge-port-state';
  return options.isolated && inOptions?.isolated === true ? 'bridge-isolated' : undefined;
}
