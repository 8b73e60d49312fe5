/** The servers of behaviour.mjs in an emulated namespace. */
import type { Sockets } from '../../../src/netstack/sockets/sockets.ts';
import type { TcpConnection } from '../../../src/netstack/sockets/tcp/connection.ts';
import { answerName, BEHAVIOURS } from './behaviour.mjs';

/** Lets all of it happen in an emulated namespace. */
export function startEmulated(sockets: Sockets): void {
  for (const { port, says, then } of BEHAVIOURS) {
    const serve = (connection: TcpConnection) => {
      let heard = false;
      connection.callbacks = {
        onData: () => {
          if (heard) return;
          heard = true;
          if (says !== '') connection.send(new TextEncoder().encode(says));
          if (then === 'close') connection.close();
          if (then === 'reset') connection.abort();
        },
        onEnd: () => connection.close(),
      };
    };
    sockets.listen({ port, onConnection: serve });
  }
  sockets.udp({
    port: 53,
    onMessage: ({ data, from, to }, socket) => {
      const answer = answerName(data);
      if (answer !== undefined) socket.send(answer, from, { from: to });
    },
  });
  sockets.udp({ port: 5353 });
}
