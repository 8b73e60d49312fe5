/** veth: two devices back to back, usually in two namespaces (drivers/net/veth.c). */
import type { DropReason } from '../../netfilter/verdict.ts';
import type { Frame } from '../../wire/frame.ts';
import type { MacAddress } from '../../wire/mac.ts';
import type { Namespace } from '../namespace.ts';
import type { Impairments } from './impairments.ts';
import { type Interface, type LinkDriver, tellLost } from './interface.ts';
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

  constructor({ namespace, name, impairments }: VethEnd, peer: () => Interface) {
    const { scheduler } = namespace;
    const random = namespace.randomFor(`wire ${name}`);
    const ends = { deliver: (frame: Frame) => this.known?.receive(frame), lost: tellLost };
    this.wire = new Wire({ scheduler, random, ends, impairments });
    this.#peer = peer;
  }

  /** The other end, made when it is not there yet. */
  get peer(): Interface {
    this.known ??= this.#peer();
    return this.known;
  }

  transmit(frame: Frame, device: Interface): void {
    this.known ??= this.#peer();
    const problem = whyLost(frame, this.known);
    if (problem === undefined) this.wire.send(frame, device);
    else tellLost(frame, device, problem);
  }

  hasCarrier(): boolean {
    // A peer that nobody has met yet is as its maker will leave it: up.
    return this.known?.up ?? true;
  }

  changed(_device: Interface, what: 'address' | 'mtu' | 'state' | 'removed'): void {
    const peer = this.known;
    if (peer === undefined) return;
    // One end does not live without the other.
    if (what === 'removed') peer.namespace.removeInterface(peer);
    else if (what === 'state') peer.namespace.carrierChanged(peer);
  }
}

/** What the receiving end does not take (is_skb_forwardable). */
function whyLost(frame: Frame, peer: Interface): DropReason | undefined {
  if (!peer.up) return 'link-down';
  return fits(frame, peer.mtu) ? undefined : 'frame-too-long';
}

export interface VethPair {
  readonly near: Interface;
  /** The other end, made by the first call or the first frame. */
  readonly far: () => Interface;
  /** Changes what happens to frames that leave by an end. */
  impair(end: 'near' | 'far', impairments: Impairments): void;
}

/**
 * Creates a veth pair. The far end may be a function, called when somebody needs the device: so the namespace
 * of a pod comes to life when the first frame reaches it.
 */
export function createVethPair(nearEnd: VethEnd, farEnd: VethEnd | (() => VethEnd)): VethPair {
  let farDriver: VethDriver | undefined;
  let farImpairments: Impairments | undefined;
  let farDevice: Interface | undefined;
  const nearDriver = new VethDriver(nearEnd, () => far());
  const near = nearEnd.namespace.addInterface({ ...nearEnd, kind: 'veth', driver: nearDriver });
  const far = (): Interface => {
    if (farDevice !== undefined) return farDevice;
    const end = typeof farEnd === 'function' ? farEnd() : farEnd;
    farDriver = new VethDriver(end, () => near);
    if (farImpairments !== undefined) farDriver.wire.impairments = farImpairments;
    farDriver.known = near;
    farDevice = end.namespace.addInterface({ ...end, kind: 'veth', driver: farDriver });
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
      else if (farDriver !== undefined) farDriver.wire.impairments = impairments;
      else farImpairments = impairments;
    },
  };
}
