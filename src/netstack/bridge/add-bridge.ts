/** Making bridges. */

import type { MacAddress } from '../../wire/mac.ts';
import type { Interface } from '../link/interface.ts';
import type { Namespace } from '../namespace.ts';
import { Bridge } from './bridge.ts';

export interface BridgeSpec {
  readonly name: string;
  /** By default the lowest of its ports', once it has any. */
  readonly mac?: MacAddress;
  /** By default the smallest of its ports', once it has any. */
  readonly mtu?: number;
  readonly up?: boolean;
}

/** `ip link add NAME type bridge`. */
export function addBridge(namespace: Namespace, spec: BridgeSpec): Interface {
  const bridge = new Bridge({ mac: spec.mac !== undefined, mtu: spec.mtu !== undefined });
  const device = namespace.addInterface({ ...spec, kind: 'bridge', driver: bridge });
  bridge.device = device;
  return device;
}
