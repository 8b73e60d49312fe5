/** How a connection is made, and what it tells its program. */
import type { SocketAddress } from '../socket-address.ts';
import type { SocketErrorCode } from '../socket-error.ts';
import type { TcpConnection } from './connection.ts';
import type { ControlBlock } from './control-block.ts';
import type { TcpHost } from './host.ts';
import type { KeepAliveOptions } from './keep-alive.ts';

export interface TcpCallbacks {
  /** The handshake is done. */
  onConnect?(connection: TcpConnection): void;
  /** Bytes arrived, in order. */
  onData?(data: Uint8Array, connection: TcpConnection): void;
  /** The peer sends no more. */
  onEnd?(connection: TcpConnection): void;
  /** Everything that was sent has been acknowledged. */
  onDrain?(connection: TcpConnection): void;
  /** The connection is over: in good order, or because of `error`. */
  onClose?(error: SocketErrorCode | undefined, connection: TcpConnection): void;
}

export interface ConnectionOptions {
  readonly host: TcpHost;
  readonly block: ControlBlock;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly callbacks: TcpCallbacks;
  readonly noDelay: boolean;
  readonly keepAlive?: KeepAliveOptions | undefined;
  /** Of a half-open connection: asks its listener to take it; false: not now. */
  readonly accept?: ((connection: TcpConnection) => boolean) | undefined;
}
