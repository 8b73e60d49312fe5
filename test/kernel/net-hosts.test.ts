/** Two hosts on a wire, and routers between hosts: the kernel beside the emulator. */
import { describe } from 'vitest';
import { differential } from './network/differential.ts';
import type { NetworkSpec } from './network/network-spec.ts';
import { ping, send, tcp, udp, wait } from './network/packets.ts';

const onOneWire: NetworkSpec = {
  namespaces: {
    a: { devices: { eth0: { addresses: ['10.0.0.1/24'] } } },
    b: { devices: { eth0: { addresses: ['10.0.0.2/24'] } } },
  },
  wires: [['a/eth0', 'b/eth0']],
};

describe('two hosts on one wire', () => {
  differential([
    {
      title: 'ping, twice: ARP, then none',
      network: onOneWire,
      steps: [send('a', ping('10.0.0.1', '10.0.0.2')), send('a', ping('10.0.0.1', '10.0.0.2'))],
    },
    {
      title: 'closed ports',
      network: onOneWire,
      steps: [send('a', udp('10.0.0.1', '10.0.0.2')), send('a', tcp('10.0.0.1', '10.0.0.2'))],
    },
    {
      title: 'nobody has the address',
      network: onOneWire,
      steps: [send('a', ping('10.0.0.1', '10.0.0.3')), wait(3.5)],
    },
  ]);
});
