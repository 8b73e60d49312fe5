/** What a connection needs of the sockets it belongs to. */
import type { Packet } from '../../../wire/packet.ts';
import type { SocketAddress } from '../socket-address.ts';
import type { SocketErrorCode } from '../socket-error.ts';
import type { SocketNetwork } from '../socket-network.ts';
import type { TcpConnection } from './connection.ts';

/** What stays of a connection in TIME_WAIT. */
export interface Remains {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly sndNxt: number;
  readonly rcvNxt: number;
  /** As it goes on the wire. */
  readonly window: number;
  readonly timestamps: boolean;
  readonly tsRecent: number;
  readonly tsRecentAt: number;
  readonly timestampOffset: number;
  readonly ttl: number;
}

export interface TcpHost {
  readonly network: SocketNetwork;
  /** Sends a packet of a connection; the error it gets at once. */
  transmit(packet: Packet): SocketErrorCode | undefined;
  /** The connection is over: its addresses are free. */
  forget(connection: TcpConnection): void;
  /** The connection is over but its last segments may still be about. */
  linger(connection: TcpConnection, remains: Remains): void;
}

/** What stays of `connection`, which is closed on both sides. */
export function remainsOf({ block, local, remote }: TcpConnection): Remains {
  return {
    local,
    remote,
    sndNxt: block.sndNxt,
    rcvNxt: block.rcvNxt,
    window: Math.min(block.rcvWnd >>> block.rcvScale, 0xffff),
    timestamps: block.timestamps,
    tsRecent: block.tsRecent,
    tsRecentAt: block.tsRecentAt,
    timestampOffset: block.timestampOffset,
    ttl: block.settings.ttl,
  };
}
