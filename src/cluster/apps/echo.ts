/** Echo servers (RFC 862): whatever comes goes back. */
import { formatSocketAddress } from '../../netstack/sockets/socket-address.ts';
import type { Sockets } from '../../netstack/sockets/sockets.ts';
import type { TcpListener } from '../../netstack/sockets/tcp/listener.ts';
import type { UdpSocket } from '../../netstack/sockets/udp-socket.ts';

/** Echoes TCP streams. Throws SocketError when the port is taken. */
export function startTcpEcho(sockets: Sockets, port: number | 'any'): TcpListener {
  return sockets.listen({
    port,
    onConnection: (connection) => {
      connection.callbacks = {
        onData: (data) => {
          connection.send(data);
        },
        onEnd: () => connection.close(),
      };
    },
  });
}

/**
 * How many datagrams of one peer are echoed in a minute, as inetd has it: two echo servers that were set on
 * each other would never stop.
 */
const MOST_PER_MINUTE = 256;
const MINUTE = 60;

/** Echoes UDP datagrams, from the address they were sent to. Throws SocketError when the port is taken. */
export function startUdpEcho(sockets: Sockets, port: number | 'any'): UdpSocket {
  const { scheduler } = sockets.network;
  const echoed = new Map<string, number>();
  let minute = 0;
  return sockets.udp({
    port,
    onMessage: ({ data, from, to }, socket) => {
      const now = Math.floor(scheduler.now() / MINUTE);
      if (now !== minute) echoed.clear();
      minute = now;
      const peer = formatSocketAddress(from);
      const count = (echoed.get(peer) ?? 0) + 1;
      echoed.set(peer, count);
      if (count <= MOST_PER_MINUTE) socket.send(data, from, { from: to });
    },
  });
}
