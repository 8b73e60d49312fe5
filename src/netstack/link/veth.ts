/** veth: two devices back to back, usually in two namespaces (drivers/net/veth.c). */
import type { Frame } from '../../wire/frame.ts';
import type { MacAddress } from '../../wire/mac.ts';
import type { Namespace } from '../namespace.ts';
import type { Impairments } from './impairments.ts';
import type { Interface, LinkDriver } from './interface.ts';
import { fits } from './mtu.ts';
import { Wire } from './wire.ts';

export interface VethEnd {
  readonly namespace: Namespace;
  readonly name: string;
  readonly mac?: MacAddress;
  readonly mtu?: number;
  /** By default down. */
  readonly up?: boolean;
  /** What happens to frames that leave by this end. */
  readonly impairments?: Impairments;
  /** Called when the device is there, before the first frame reaches it: addresses and routes go here. */
  readonly made?: (device: Interface) => void;
}

/** One end's driver. `peer` is asked when the first frame leaves, so that the other end may come late. */
class VethDriver implements LinkDriver {
  readonly wire: Wire;
  readonly #peer: () => Interface;
  /** The peer, as far as it is there. */
  known: Interface | undefined;

  constructor(wire: Wire, peer: () => Interface) {
    this.wire = wire;
    this.#peer = peer;
  }

  get peer(): Interface {
    this.known ??= this.#peer();
    return this.known;
  }

  transmit(frame: Frame, device: Interface): void {
    const peer = this.peer;
    const lost = (which: Frame, reason: Parameters<Interface['dropOut']>[1]) => {
      device.counters.txDropped++;
      device.namespace.tell({ kind: 'frame-lost', device: device.name, frame: which, reason });
    };
    if (!peer.up) {
      lost(frame, 'link-down');
      return;
    }
    if (!fits(frame, peer.mtu)) {
      lost(frame, 'frame-too-long');
      return;
    }
    this.wire.send(frame, { deliver: (which) => peer.receive(which), lost });
  }

  hasCarrier(): boolean {
    // A peer that nobody has met yet is as its maker will leave it: up.
    return this.known?.up ?? true;
  }

  changed(_device: Interface, what: 'address' | 'mtu' | 'state' | 'removed'): void {
    if (what === 'state' && this.known !== undefined) this.known.namespace.carrierChanged(this.known);
  }
}

export interface VethPair {
  readonly near: Interface;
  /** The other end, made by the first call or the first frame. */
  readonly far: () => Interface;
  /** Changes what happens to frames that leave by an end. */
  impair(end: 'near' | 'far', impairments: Impairments): void;
}

function wireOf({
  namespace,
  impairments,
  name,
}: Omit<VethEnd, 'impairments'> & { impairments?: Impairments }): Wire {
  return new Wire({
    scheduler: namespace.scheduler,
    random: namespace.randomFor(`wire ${name}`),
    ...(impairments === undefined ? {} : { impairments }),
  });
}

/**
 * Creates a veth pair. The far end may be a function, called when somebody needs the device: so the namespace
 * of a pod comes to life when the first frame reaches it.
 */
export function createVethPair(nearEnd: VethEnd, farEnd: VethEnd | (() => VethEnd)): VethPair {
  let farWire: Wire | undefined;
  let farImpairments: Impairments | undefined;
  let farDevice: Interface | undefined;
  const nearDriver = new VethDriver(wireOf(nearEnd), () => far());
  const near = nearEnd.namespace.addInterface({ ...nearEnd, kind: 'veth', driver: nearDriver });
  const far = (): Interface => {
    if (farDevice !== undefined) return farDevice;
    const end = typeof farEnd === 'function' ? farEnd() : farEnd;
    farWire = wireOf(end);
    if (farImpairments !== undefined) farWire.impairments = farImpairments;
    const driver = new VethDriver(farWire, () => near);
    driver.known = near;
    farDevice = end.namespace.addInterface({ ...end, kind: 'veth', driver });
    nearDriver.known = farDevice;
    near.namespace.carrierChanged(near);
    end.made?.(farDevice);
    return farDevice;
  };
  if (typeof farEnd !== 'function') far();
  nearEnd.made?.(near);
  return {
    near,
    far,
    impair(end, impairments) {
      if (end === 'near') nearDriver.wire.impairments = impairments;
      else if (farWire !== undefined) farWire.impairments = impairments;
      else farImpairments = impairments;
    },
  };
}
