/** Devices of a network namespace, as far as the network layer sees them. */

import { ipv6 } from '../wire/ip-address.ts';
import type { InterfaceAddress } from '../wire/ip-prefix.ts';

export interface DeviceSysctls {
  /** 0 off, 1 strict, 2 loose; the effective value is the larger of the device's and `all`'s. */
  readonly rpFilter: 0 | 1 | 2;
  readonly routeLocalnet: boolean;
  readonly acceptLocal: boolean;
  /** net.ipv4.conf.DEVICE.forwarding and its IPv6 twin. */
  readonly forwarding: boolean;
}

export interface Device extends DeviceSysctls {
  readonly name: string;
  /** The longest packet it sends, in bytes; absent: no packet is too long. */
  readonly mtu?: number;
  readonly addresses: readonly InterfaceAddress[];
}

export const DEFAULT_DEVICE_SYSCTLS: DeviceSysctls = {
  rpFilter: 0,
  routeLocalnet: false,
  acceptLocal: false,
  forwarding: true,
};

/** The loopback device with 127.0.0.1/8 and ::1/128. */
export const LOOPBACK: Device = {
  ...DEFAULT_DEVICE_SYSCTLS,
  name: 'lo',
  addresses: [
    { address: 0x7f000001, length: 8 },
    { address: ipv6(0, 0, 0, 1), length: 128 },
  ],
};
