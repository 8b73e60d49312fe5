/**
 * A small network as data: built twice, of the kernel's namespaces and of the emulator's. Addresses and routes
 * are text as `ip` takes it, so that neither side is told more than a user would say.
 */
import type { Frame } from '../../../src/wire/frame.ts';
import type { Packet } from '../../../src/wire/packet.ts';

export interface NetworkSpec {
  readonly namespaces: Readonly<Record<string, NamespaceSpec>>;
  /** veth pairs; each end is `NAMESPACE/DEVICE`. */
  readonly wires: readonly (readonly [string, string])[];
}

export interface NamespaceSpec {
  /** In the order in which they get their addresses; veth ends may be left out when nothing is said of them. */
  readonly devices?: Readonly<Record<string, DeviceSpec>>;
  readonly routes?: readonly RouteSpec[];
  readonly rules?: readonly PolicySpec[];
  readonly neighbours?: readonly NeighbourSpec[];
  readonly fdb?: readonly FdbSpec[];
  /** `net.ipv4.ip_forward` and so on, as sysctl(8) writes them; set after the devices are there. */
  readonly sysctls?: Readonly<Record<string, number>>;
  /** iptables-save text. */
  readonly iptables?: string;
  readonly ip6tables?: string;
}

/** How a device is made; a veth end comes with its wire. */
export type DeviceKind =
  | { readonly kind?: 'veth' }
  | { readonly kind: 'bridge'; readonly ageing?: number }
  | {
      readonly kind: 'vxlan';
      readonly id: number;
      readonly local: string;
      /** The device by which its packets leave, for its MTU. */
      readonly link?: string;
      readonly port?: number;
      readonly learning?: boolean;
      /** `ip link … ttl`; `inherit` or a number, 0: the routing default. */
      readonly ttl?: number | 'inherit';
      readonly tos?: number | 'inherit';
      readonly df?: 'set' | 'unset' | 'inherit';
    };

export type DeviceSpec = DeviceKind & {
  readonly addresses?: readonly string[];
  readonly mtu?: number;
  readonly mac?: string;
  readonly master?: string;
  readonly hairpin?: boolean;
  readonly isolated?: boolean;
  readonly learning?: boolean;
  readonly flood?: boolean;
  /** Left down. */
  readonly down?: boolean;
};

export interface RouteSpec {
  /** `default`, a prefix, or `TYPE PREFIX` (`unreachable 10.0.0.0/8`). */
  readonly to: string;
  readonly via?: string;
  readonly dev?: string;
  readonly src?: string;
  readonly metric?: number;
  readonly mtu?: number;
  readonly onlink?: boolean;
  readonly link?: boolean;
  readonly table?: number;
}

export interface PolicySpec {
  readonly from?: string;
  readonly to?: string;
  readonly iif?: string;
  readonly fwmark?: number;
  readonly table: number;
  readonly priority: number;
}

export interface NeighbourSpec {
  readonly address: string;
  readonly dev: string;
  /** Absent: a proxy entry, for which the host answers. */
  readonly mac?: string;
}

export interface FdbSpec {
  readonly mac: string;
  readonly dev: string;
  /** The remote VTEP, for a VXLAN device. */
  readonly dst?: string;
}

/** One thing that is done to the network. */
export type Step =
  /** A raw socket in namespace `at` sends a whole IP packet. */
  | {
      readonly kind: 'send';
      readonly at: string;
      readonly packet: Packet;
      /** What `packet` cannot say of itself: a first fragment's checksum and length are those of the whole. */
      readonly bytes?: Uint8Array;
    }
  /** A frame leaves by a device of `at`, past its IP layer. */
  | { readonly kind: 'frame'; readonly at: string; readonly device: string; readonly frame: Frame }
  | { readonly kind: 'wait'; readonly seconds: number }
  | { readonly kind: 'link'; readonly at: string; readonly device: string; readonly up: boolean };

/** The MAC address of a device that is not given one: by the order of the namespaces and devices. */
export function macText(namespace: number, device: number): string {
  const hex = (value: number) => value.toString(16).padStart(2, '0');
  return `02:00:00:00:${hex(namespace + 1)}:${hex(device + 1)}`;
}

/** Every device of the network with all that is said about it, veth ends first, in the order of the wires. */
export interface PlannedDevice {
  readonly name: string;
  readonly mac: string;
  readonly spec: DeviceSpec;
}

/** The devices of each namespace. Throws RangeError when a wire ends in a namespace that is not there. */
export function planDevices({
  namespaces,
  wires,
}: NetworkSpec): ReadonlyMap<string, readonly PlannedDevice[]> {
  const plan = new Map<string, PlannedDevice[]>();
  for (const [index, [name, { devices = {} }]] of Object.entries(namespaces).entries()) {
    const ends = wires.flat().filter((end) => end.startsWith(`${name}/`));
    const names = new Set([...ends.map((end) => end.slice(name.length + 1)), ...Object.keys(devices)]);
    names.delete('lo');
    const planned = [...names].map((device, at) => {
      const spec = devices[device] ?? {};
      return { name: device, mac: spec.mac ?? macText(index, at), spec };
    });
    plan.set(name, planned);
  }
  for (const end of wires.flat()) {
    const [namespace = ''] = end.split('/');
    if (!plan.has(namespace)) throw new RangeError(`the wire end ${end} is in no namespace`);
  }
  return plan;
}
