/** Devices of a network namespace, as far as the network layer sees them. */

import { ipv6 } from '../wire/ip-address.ts';
import type { InterfaceAddress } from '../wire/ip-prefix.ts';

export interface DeviceSysctls {
  /** 0 off, 1 strict, 2 loose; the effective value is the larger of the device's and `all`'s. */
  readonly rpFilter: 0 | 1 | 2;
  readonly routeLocalnet: boolean;
  readonly acceptLocal: boolean;
  /** net.ipv4.conf.DEVICE.forwarding, and its IPv6 twin unless `forwardingIpv6` says otherwise. */
  readonly forwarding: boolean;
  /** net.ipv6.conf.all.forwarding: one switch for the whole namespace. */
  readonly forwardingIpv6?: boolean;
}

export interface Device extends DeviceSysctls {
  readonly name: string;
  /** The longest packet it sends, in bytes; absent: no packet is too long. */
  readonly mtu?: number;
  readonly addresses: readonly InterfaceAddress[];
  /** False: switched off. Its IPv4 addresses stay the host's, its routes are gone. By default it is on. */
  readonly up?: boolean;
}

/** Whether the host routes IPv6 packets that come in on `device`. */
export function forwardsIpv6(device: DeviceSysctls): boolean {
  return device.forwardingIpv6 ?? device.forwarding;
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
