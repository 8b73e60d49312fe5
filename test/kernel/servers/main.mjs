/** The servers of behaviour.mjs on the kernel's sockets; says "ready" when they listen. */
import dgram from 'node:dgram';
import net from 'node:net';
import { answerName, BEHAVIOURS } from './behaviour.mjs';

function serve(socket, { says, then }) {
  socket.on('error', () => {});
  socket.once('data', () => {
    const end = () => {
      if (then === 'close') socket.end();
      if (then === 'reset') socket.resetAndDestroy();
    };
    if (says === '') end();
    else socket.write(says, end);
  });
}

for (const behaviour of BEHAVIOURS) {
  const server = net.createServer((socket) => serve(socket, behaviour));
  server.listen({ port: behaviour.port, host: '::', backlog: 4096 });
}
const names = dgram.createSocket('udp6');
names.on('message', (query, { address, port }) => {
  const answer = answerName(query);
  if (answer !== undefined) names.send(answer, port, address);
});
names.bind(53, '::', () => {
  dgram.createSocket('udp6').bind(5353, '::', () => console.log('ready'));
});
