/**
 * What sockets need of the namespace they are in, and nothing else of it. `Namespace` gives it; tests give
 * something smaller.
 */
import type { Random } from '../../sim/random.ts';
import type { Scheduler } from '../../sim/scheduler.ts';
import type { IpAddress } from '../../wire/ip-address.ts';
import type { Packet } from '../../wire/packet.ts';
import type { SocketErrorCode } from './socket-error.ts';
import type { SocketSysctls } from './sysctls.ts';

/** The way to a destination, as far as sockets care. */
export interface Path {
  /** The address to send from. */
  readonly src: IpAddress;
  /** MTU of the device the packets leave by, bytes. */
  readonly deviceMtu: number;
  /** MTU of the whole path as far as it is known, bytes. */
  readonly mtu: number;
}

export interface SendOptions {
  /** Stay with this device (SO_BINDTODEVICE, link-local destinations). */
  readonly device?: string | undefined;
  /** The sender writes the IP header itself: the packet is not cut up, and may come from anywhere. */
  readonly raw?: boolean;
}

export interface SocketNetwork {
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** The way to `dst`, from `src` when that is given; or why there is none. */
  path(dst: IpAddress, src?: IpAddress): Path | SocketErrorCode;
  /** Sends `packet`; the error that the sender gets at once, if any. */
  send(packet: Packet, options?: SendOptions): SocketErrorCode | undefined;
  /** True for addresses that sockets here may be bound to. */
  isLocal(address: IpAddress): boolean;
  readonly sysctls: SocketSysctls;
}
