/** Echo servers (RFC 862): whatever comes goes back. */
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

/** Echoes UDP datagrams, from the address they were sent to. Throws SocketError when the port is taken. */
export function startUdpEcho(sockets: Sockets, port: number | 'any'): UdpSocket {
  return sockets.udp({
    port,
    onMessage: ({ data, from, to }, socket) => {
      socket.send(data, from, { from: to });
    },
  });
}
