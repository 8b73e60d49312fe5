/**
 * An Ethernet switch that joins devices of many namespaces: the network between the nodes. It learns who is
 * where, and every port's cable has impairments of its own, in both directions.
 */
import type { DropReason } from '../../netfilter/verdict.ts';
import type { Random } from '../../sim/random.ts';
import type { Scheduler } from '../../sim/scheduler.ts';
import { ARP_OPERATION } from '../../wire/arp.ts';
import type { Frame } from '../../wire/frame.ts';
import { formatIpAddress, type IpAddress } from '../../wire/ip-address.ts';
import { isMulticastMac, type MacAddress } from '../../wire/mac.ts';
import { parseNdp } from '../../wire/ndp.ts';
import type { Namespace } from '../namespace.ts';
import type { Impairments } from './impairments.ts';
import type { Interface, LinkDriver } from './interface.ts';
import { fits } from './mtu.ts';
import { Wire } from './wire.ts';

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
}

export class Segment {
  readonly name: string;
  readonly mtu: number;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #ports = new Map<Interface, Port>();
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
    this.#forgetLate(device.mac);
    this.#ports.set(device, {
      device,
      out: this.#wire(impairments?.out),
      in: this.#wire(impairments?.in),
    });
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

  /** A frame leaves `device`. */
  send(device: Interface, frame: Frame): void {
    const port = this.#ports.get(device);
    const lost = (which: Frame, reason: DropReason) => tellLost(device, which, reason);
    if (port === undefined) {
      lost(frame, 'link-down');
      return;
    }
    if (!fits(frame, this.mtu)) {
      lost(frame, 'frame-too-long');
      return;
    }
    port.out.send(frame, { deliver: (which) => this.#switch(port, which), lost });
  }

  #wire(impairments: Impairments | undefined): Wire {
    return new Wire({
      scheduler: this.#scheduler,
      random: this.#random,
      ...(impairments === undefined ? {} : { impairments }),
    });
  }

  #forgetLate(mac: MacAddress): void {
    const late = this.#lateByMac.get(mac);
    if (late === undefined) return;
    this.#lateByMac.delete(mac);
    for (const address of late.addresses) this.#lateByAddress.delete(formatIpAddress(address));
  }

  #switch(from: Port, frame: Frame): void {
    this.#learned.set(frame.source, from);
    if (isMulticastMac(frame.destination)) {
      this.#wake(frame);
      this.#flood(from, frame);
      return;
    }
    this.#lateByMac.get(frame.destination)?.make();
    const to = this.#learned.get(frame.destination) ?? this.#portOf(frame.destination);
    if (to === undefined) {
      this.#flood(from, frame);
      return;
    }
    if (to !== from) this.#deliver(to, frame, from);
  }

  /** A port whose device has this address, though nothing was heard of it yet: plugging it in announced it. */
  #portOf(mac: MacAddress): Port | undefined {
    for (const port of this.#ports.values()) if (port.device.mac === mac) return port;
    return undefined;
  }

  #wake({ payload }: Frame): void {
    const target = soughtAddress(payload);
    if (target !== undefined) this.#lateByAddress.get(formatIpAddress(target))?.make();
  }

  #flood(from: Port, frame: Frame): void {
    for (const port of this.#ports.values()) if (port !== from) this.#deliver(port, frame, from);
  }

  #deliver(port: Port, frame: Frame, { device: sender }: Port): void {
    const { device } = port;
    const lost = (which: Frame, reason: DropReason) => tellLost(sender, which, reason);
    if (!device.up) {
      lost(frame, 'link-down');
      return;
    }
    if (!fits(frame, device.mtu)) {
      lost(frame, 'frame-too-long');
      return;
    }
    port.in.send(frame, { deliver: (which) => device.receive(which), lost });
  }
}

function tellLost(device: Interface, frame: Frame, reason: DropReason): void {
  device.namespace.tell({ kind: 'frame-lost', device: device.name, frame, reason });
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
