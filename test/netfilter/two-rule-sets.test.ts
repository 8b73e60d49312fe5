/** Two rule sets in one kernel, as iptables-nft and iptables-legacy leave them (measured with both programs). */
import { describe, expect, it } from 'vitest';
import { SeededChoices } from '../../src/netfilter/choices.ts';
import { Netfilter } from '../../src/netfilter/netfilter.ts';
import { AddressBook } from '../../src/netstack/addressing.ts';
import { DEFAULT_DEVICE_SYSCTLS } from '../../src/netstack/device.ts';
import { Host } from '../../src/netstack/host.ts';
import { toRuleSet } from '../../src/ruletext/load-rules.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { Clock } from '../../src/sim/clock.ts';
import { Random } from '../../src/sim/random.ts';
import { formatIpAddress, parseIpAddress } from '../../src/wire/ip-address.ts';
import { parseInterfaceAddress } from '../../src/wire/ip-prefix.ts';
import { NO_BYTES } from '../../src/wire/packet.ts';

const device = (name: string, address: string) => ({
  ...DEFAULT_DEVICE_SYSCTLS,
  name,
  addresses: [parseInterfaceAddress(address)],
});
const E1 = device('e1', '10.0.1.1/24');
const E2 = device('e2', '10.0.2.1/24');

function fate(first: string, second: string): string {
  const addresses = new AddressBook([E1, E2], []);
  const netfilter = new Netfilter({
    clock: new Clock(),
    choices: new SeededChoices(new Random(1)),
    host: addresses,
  });
  const read = (text: string) => toRuleSet(parseRules(`${text}\nCOMMIT\n`, { family: 'ipv4' }));
  netfilter.load(read(first));
  netfilter.loadBeside(read(second));
  const { fate: end } = new Host({ addresses, netfilter }).receive(
    {
      src: parseIpAddress('10.0.1.9'),
      dst: parseIpAddress('10.0.2.9'),
      ttl: 64,
      tos: 0,
      id: 0,
      dontFragment: false,
      transport: { kind: 'udp', sport: 1, dport: 53, data: NO_BYTES },
    },
    E1,
  );
  return end.kind === 'forwarded' ? `to ${formatIpAddress(end.packet.dst)}` : end.kind;
}

const DNAT = (to: string) => `*nat\n-A PREROUTING -p udp -j DNAT --to-destination ${to}`;

describe('two rule sets', () => {
  it.each([
    ['both accept', '*filter\n-A FORWARD -j ACCEPT', '*filter\n-A FORWARD -j ACCEPT', 'to 10.0.2.9'],
    [
      'the second drops what the first accepts',
      '*filter\n-A FORWARD -j ACCEPT',
      '*filter\n:FORWARD DROP [0:0]',
      'dropped',
    ],
    ['the first drops', '*filter\n:FORWARD DROP [0:0]', '*filter\n-A FORWARD -j ACCEPT', 'dropped'],
    ['the first binds the flow', DNAT('10.0.2.8'), DNAT('10.0.2.7'), 'to 10.0.2.8'],
    [
      'the second binds what the first does not',
      '*nat\n-A PREROUTING -p tcp -j ACCEPT',
      DNAT('10.0.2.7'),
      'to 10.0.2.7',
    ],
    ['only the second has a nat table', '*filter', DNAT('10.0.2.7'), 'to 10.0.2.7'],
  ])('%s', (_, first, second, expected) => {
    expect(fate(first, second)).toBe(expected);
  });
});
