/**
 * An Ethernet switch that joins devices of many namespaces: the network between the nodes. It learns who is
 * where, and every port's cable has impairments of its own, in both directions.
 */
import type { Random } from '../../sim/random.ts';
import type { Scheduler } from '../../sim/scheduler.ts';
import { ARP_OPERATION } from '../../wire/arp.ts';
import type { Frame } from '../../wire/frame.ts';
import { formatIpAddress, type IpAddress } from '../../wire/ip-address.ts';
import { isMulticastMac, type MacAddress } from '../../wire/mac.ts';
import { parseNdp } from '../../wire/ndp.ts';
import type { Namespace } from '../namespace.ts';
import type { Impairments } from './impairments.ts';
import { type Interface, type LinkDriver, tellLost } from './interface.ts';
import { fits } from './mtu.ts';
import { Wire, type WireEnds } from './wire.ts';

export interface SegmentOptions {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** The longest packet the switch passes on; by default 65535. */
  readonly mtu?: number;
}

/** How a device is plugged in. */
export interface PortSpec {
  readonly name: string;
  readonly mac?: MacAddress;
  readonly mtu?: number;
  readonly up?: boolean;
  /** From the device to the switch, and from the switch to the device. */
  readonly impairments?: { readonly out?: Impairments; readonly in?: Impairments };
}

/**
 * A device that is made when somebody calls for it: by its MAC, or by an ARP request or neighbour solicitation
 * for one of its addresses. Other broadcasts pass it by: a host nobody has met has nothing to say to them.
 */
export interface LatePort {
  readonly mac: MacAddress;
  readonly addresses: Iterable<IpAddress>;
  /** Makes the namespace and calls `plug` for the device with this MAC. */
  readonly make: () => Interface;
}

interface Port {
  readonly device: Interface;
  readonly out: Wire;
  readonly in: Wire;
}

class PortDriver implements LinkDriver {
  readonly #segment: Segment;

  constructor(segment: Segment) {
    this.#segment = segment;
  }

  transmit(frame: Frame, device: Interface): void {
    this.#segment.send(device, frame);
  }

  changed(device: Interface, what: 'address' | 'mtu' | 'state' | 'removed'): void {
    if (what === 'removed') this.#segment.unplug(device);
    else if (what === 'address') this.#segment.announce(device);
  }
}

export class Segment {
  readonly name: string;
  readonly mtu: number;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #ports = new Map<Interface, Port>();
  /** Where frames to an address go: plugging a device in announces its own, others are learned. */
  readonly #learned = new Map<MacAddress, Port>();
  readonly #lateByMac = new Map<MacAddress, LatePort>();
  readonly #lateByAddress = new Map<string, LatePort>();

  constructor({ name, scheduler, random, mtu }: SegmentOptions) {
    this.name = name;
    this.mtu = mtu ?? 65_535;
    this.#scheduler = scheduler;
    this.#random = random;
  }

  /** Adds an `ethernet` device to `namespace` and plugs it in. */
  plug(namespace: Namespace, { impairments, ...spec }: PortSpec): Interface {
    const device = namespace.addInterface({ ...spec, kind: 'ethernet', driver: new PortDriver(this) });
    const wire = (ends: WireEnds, impaired: Impairments | undefined) =>
      new Wire({ scheduler: this.#scheduler, random: this.#random, ends, impairments: impaired });
    const port: Port = {
      device,
      out: wire(
        { deliver: (frame, from) => this.#switch(port, frame, from), lost: tellLost },
        impairments?.out,
      ),
      in: wire({ deliver: (frame) => device.receive(frame), lost: tellLost }, impairments?.in),
    };
    this.#ports.set(device, port);
    this.announce(device);
    return device;
  }

  /** Announces a device that will be made when it is needed. */
  plugLater(port: LatePort): void {
    this.#lateByMac.set(port.mac, port);
    for (const address of port.addresses) this.#lateByAddress.set(formatIpAddress(address), port);
  }

  /** Changes what happens to frames on the cable of `device`. */
  impair(device: Interface, direction: 'in' | 'out', impairments: Impairments): void {
    const port = this.#ports.get(device);
    if (port !== undefined) port[direction].impairments = impairments;
  }

  /** Takes `device` off the switch. */
  unplug(device: Interface): void {
    this.#ports.delete(device);
    for (const [mac, port] of this.#learned) if (port.device === device) this.#learned.delete(mac);
  }

  /** Frames to the address of `device` go to its port. */
  announce(device: Interface): void {
    const port = this.#ports.get(device);
    if (port === undefined) return;
    this.#forgetLate(device.mac);
    this.#learned.set(device.mac, port);
  }

  /** A frame leaves `device`. */
  send(device: Interface, frame: Frame): void {
    const port = this.#ports.get(device);
    if (port === undefined) tellLost(frame, device, 'link-down');
    else if (!fits(frame, this.mtu)) tellLost(frame, device, 'frame-too-long');
    else port.out.send(frame, device);
  }

  #forgetLate(mac: MacAddress): void {
    const late = this.#lateByMac.get(mac);
    if (late === undefined) return;
    this.#lateByMac.delete(mac);
    for (const address of late.addresses) this.#lateByAddress.delete(formatIpAddress(address));
  }

  #switch(port: Port, frame: Frame, from: Interface): void {
    const { source, destination } = frame;
    if (this.#learned.get(source) !== port) this.#learned.set(source, port);
    if (isMulticastMac(destination)) {
      const sought = soughtAddress(frame.payload);
      if (sought !== undefined) this.#lateByAddress.get(formatIpAddress(sought))?.make();
      this.#flood(port, frame, from);
      return;
    }
    if (!this.#learned.has(destination)) this.#lateByMac.get(destination)?.make();
    const to = this.#learned.get(destination);
    if (to === undefined) this.#flood(port, frame, from);
    else if (to !== port) deliver(to, frame, from);
  }

  #flood(port: Port, frame: Frame, from: Interface): void {
    for (const other of this.#ports.values()) if (other !== port) deliver(other, frame, from);
  }
}

function deliver({ device, in: wire }: Port, frame: Frame, from: Interface): void {
  if (!device.up) tellLost(frame, from, 'link-down');
  else if (!fits(frame, device.mtu)) tellLost(frame, from, 'frame-too-long');
  else wire.send(frame, from);
}

/** Whom an ARP request or a neighbour solicitation is looking for. */
function soughtAddress(payload: Frame['payload']): IpAddress | undefined {
  if (payload.kind === 'arp') {
    return payload.message.operation === ARP_OPERATION.request ? payload.message.targetIp : undefined;
  }
  if (payload.kind !== 'ip') return undefined;
  const message = parseNdp(payload.packet);
  return message?.kind === 'solicitation' ? message.target : undefined;
}
