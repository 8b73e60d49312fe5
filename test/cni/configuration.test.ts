/** Network configurations: what is read, and where mistakes are. */
import { describe, expect, it } from 'vitest';
import { CLUSTER_NETWORKS } from '../../src/cni/networks/network.ts';
import { planNodeNetwork } from '../../src/cni/networks/plan-network.ts';
import { parseConflist } from '../../src/cni/plugins/configuration.ts';
import { parseJsonSource } from '../../src/cni/plugins/json-source.ts';
import { InputError } from '../../src/sim/input-error.ts';
import { networkInput } from './network-world.ts';

function refusal(text: string): string {
  try {
    parseConflist(text, 'net.conflist');
  } catch (error) {
    if (error instanceof InputError) return error.describe();
    throw error;
  }
  return 'accepted';
}

const list = (...plugins: string[]) =>
  `{\n"cniVersion": "1.0.0",\n"name": "net",\n"plugins": [\n${plugins.join(',\n')}\n]\n}`;
const bridge = (fields: string) => `{"type": "bridge"${fields === '' ? '' : `, ${fields}`}}`;
const ipam = (fields: string) => `{"type": "ptp",\n"ipam": {"type": "host-local",\n${fields}}}`;
const RANGE = '"ranges": [[{"subnet": "10.1.0.0/24"}]]';

describe('a configuration', () => {
  it('has defaults', () => {
    expect(parseConflist(list(bridge('')), 'x')).toMatchObject({
      cniVersion: '1.0.0',
      name: 'net',
      disableCheck: false,
      plugins: [
        {
          type: 'bridge',
          bridge: 'cni0',
          isGateway: false,
          ipMasq: false,
          mtu: 0,
          hairpinMode: false,
          dns: {},
          capabilities: new Set(),
        },
      ],
    });
  });

  it.each<[string, string, object]>([
    ['isDefaultGateway makes a gateway', bridge('"isDefaultGateway": true'), { isGateway: true }],
    ['null is absent', bridge('"bridge": null, "mtu": null'), { bridge: 'cni0', mtu: 0 }],
    ['unknown fields are ignored', bridge('"comment": {"by": ["me"]}'), { type: 'bridge' }],
    [
      'capabilities that are on',
      '{"type": "portmap", "capabilities": {"portMappings": true, "ips": false}}',
      { capabilities: new Set(['portMappings']), snat: true, markMasqBit: 13 },
    ],
    [
      'a single range of the old form',
      ipam('"subnet": "10.1.0.0/24", "gateway": "10.1.0.9"'),
      { ipam: { ranges: [[{ gateway: 0x0a010009 }]] } },
    ],
    [
      'old form and new together',
      ipam(`"subnet": "10.2.0.0/24", ${RANGE}`),
      { ipam: { ranges: [[{ start: 0x0a020001 }], [{ start: 0x0a010001 }]] } },
    ],
    [
      'ends of a range',
      ipam('"ranges": [[{"subnet": "10.1.0.0/24", "rangeStart": "10.1.0.5", "rangeEnd": "10.1.0.9"}]]'),
      { ipam: { ranges: [[{ start: 0x0a010005, end: 0x0a010009, gateway: 0x0a010001 }]] } },
    ],
    ['the last address is no broadcast address', ipam(RANGE), { ipam: { ranges: [[{ end: 0x0a0100fe }]] } }],
  ])('%s', (_, plugin, expected) => {
    expect(parseConflist(list(plugin), 'x').plugins[0]).toMatchObject(expected);
  });

  it('may be of a single plugin', () => {
    expect(parseConflist('{"cniVersion": "0.3.1", "name": "lo", "type": "loopback"}', 'x')).toMatchObject({
      cniVersion: '0.3.1',
      plugins: [{ type: 'loopback' }],
    });
  });

  it('speaks the highest version that is offered', () => {
    const text =
      '{"cniVersion": "0.3.1", "cniVersions": ["0.4.0", "1.1.0", "9.9.9"], "name": "lo", "type": "loopback"}';
    expect(parseConflist(text, 'x').cniVersion).toBe('1.1.0');
  });

  it.each<[string, string, string]>([
    ['no JSON', '{"name": }', 'net.conflist:1: not valid JSON: unexpected }'],
    [
      'an end too early',
      '{"name": "a",\n',
      'net.conflist:2: not valid JSON: the text ends where a value is expected',
    ],
    ['a comma too many', '{"name": "a",\n}', "not valid JSON: a comma before '}'"],
    ['two of one name', '{"a": 1,\n"a": 2}', 'net.conflist:2: not valid JSON: "a" is given twice'],
    ['more after the end', '{}\n{}', 'net.conflist:2: not valid JSON: { after the end'],
    ['single quotes', "{'a': 1}", 'not valid JSON: unexpected'],
    ['a list', '[]', 'expected an object, found a list'],
    [
      'no name',
      '{"cniVersion": "1.0.0", "plugins": [{"type": "loopback"}]}',
      'net.conflist:1: name: is required',
    ],
    ['a bad name', '{"name": "a/b", "type": "loopback"}', 'name: "a/b" is no network name'],
    [
      'an unknown version',
      '{"cniVersion": "2.0.0", "name": "a", "type": "loopback"}',
      'cniVersion: version "2.0.0" is not spoken here',
    ],
    ['no plugins', '{"name": "a", "plugins": []}', 'plugins: a network needs at least one plugin'],
    ['no type', list('{}'), 'net.conflist:5: plugins[0].type: is required'],
    [
      'a plugin nobody has',
      list(bridge(''), '{"type": "sriov"}'),
      'net.conflist:6: plugins[1].type: no plugin "sriov"; emulated are bridge, ptp',
    ],
    [
      'a flag in quotes',
      list(bridge('"isGateway": "true"')),
      'plugins[0].isGateway: expected true or false, found a string',
    ],
    ['an MTU below zero', list(bridge('"mtu": -1')), 'plugins[0].mtu: -1 is no whole number from 0 to 65535'],
    [
      'hairpin and promiscuous',
      list(bridge('"hairpinMode": true, "promiscMode": true')),
      'promiscMode: may not be set beside hairpinMode',
    ],
    ['VLANs', list(bridge('"vlan": 100')), 'plugins[0].vlan: is not emulated'],
    [
      'nftables',
      list(bridge('"ipMasqBackend": "nftables"')),
      '"nftables" is not emulated; expected iptables',
    ],
    ['a device name too long', list(bridge('"bridge": "a-bridge-name-of-22"')), 'is no device name'],
    [
      'another IPAM plugin',
      list('{"type": "ptp",\n"ipam": {"type": "dhcp"}}'),
      'net.conflist:6: plugins[0].ipam.type: no IPAM plugin "dhcp"',
    ],
    ['ptp without IPAM', list('{"type": "ptp"}'), 'plugins[0].ipam.type: is required'],
    ['no ranges', list(ipam('"routes": []')), 'plugins[0].ipam.ranges: no address ranges are given'],
    ['an empty set', list(ipam('"ranges": [[]]')), 'ranges[0]: a range set needs at least one range'],
    ['no subnet', list(ipam('"ranges": [[{}]]')), 'ranges[0][0].subnet: is required'],
    [
      'host bits',
      list(ipam('"ranges": [[{"subnet": "10.1.0.5/24"}]]')),
      "ranges[0][0].subnet: '10.1.0.5/24' has host bits set; the network is 10.1.0.0/24",
    ],
    [
      'a subnet of two',
      list(ipam('"ranges": [[{"subnet": "10.1.0.0/31"}]]')),
      'is too small to allocate from',
    ],
    [
      'a range outside',
      list(ipam('"ranges": [[{"subnet": "10.1.0.0/24",\n"rangeStart": "10.2.0.1"}]]')),
      'ranges[0][0]: rangeStart 10.2.0.1 is not in 10.1.0.0/24',
    ],
    [
      'a range that runs backwards',
      list(ipam('"ranges": [[{"subnet": "10.1.0.0/24", "rangeStart": "10.1.0.9", "rangeEnd": "10.1.0.5"}]]')),
      'rangeStart 10.1.0.9 is after rangeEnd 10.1.0.5',
    ],
    [
      'two families in a set',
      list(ipam('"ranges": [[{"subnet": "10.1.0.0/24"}, {"subnet": "fd00::/64"}]]')),
      'must be of one address family',
    ],
    [
      'overlapping ranges',
      list(ipam('"ranges": [[{"subnet": "10.1.0.0/24"}, {"subnet": "10.1.0.128/25"}]]')),
      'ranges 10.1.0.1-10.1.0.254 and 10.1.0.129-10.1.0.254 overlap',
    ],
    [
      'overlapping sets',
      list(ipam('"ranges": [[{"subnet": "10.1.0.0/24"}],\n[{"subnet": "10.1.0.0/16"}]]')),
      'net.conflist:8: plugins[0].ipam.ranges[1]: the range set overlaps set 0',
    ],
    [
      'a route to nowhere',
      list(ipam(`${RANGE}, "routes": [{"gw": "10.1.0.1"}]`)),
      'routes[0].dst: is required',
    ],
    [
      'two ways to mark',
      list('{"type": "portmap", "markMasqBit": 3, "externalSetMarkChain": "X"}'),
      'may not be given beside externalSetMarkChain',
    ],
    [
      'a mark bit too high',
      list('{"type": "portmap", "markMasqBit": 32}'),
      '32 is no whole number from 0 to 31',
    ],
    [
      'conditions of nftables',
      list('{"type": "portmap", "conditionsV4": ["ip", "daddr"]}'),
      'conditions of nftables are not emulated',
    ],
  ])('refuses %s', (_, text, message) => {
    expect(refusal(text)).toContain(message);
  });

  it.each(CLUSTER_NETWORKS.filter((network) => network !== 'calico'))('that %s writes is read', (network) => {
    const { conflist, podMtu } = planNodeNetwork(networkInput(network));
    expect(parseConflist(conflist, 'x').plugins).toMatchObject([{ mtu: podMtu }, { type: 'portmap' }]);
  });
});

describe('JSON', () => {
  it.each([
    '{}',
    '[]',
    '""',
    '"\\u00e9\\n\\"x"',
    '-0.5e+3',
    'true',
    'null',
    '[1, [2, {"a": [null, false]}], "x"]',
    ' \r\n\t{"a" : 1 }\n',
  ])('%j is what it is', (text) => {
    const plain = (value: ReturnType<typeof parseJsonSource>): unknown => {
      switch (value.kind) {
        case 'object':
          return Object.fromEntries([...value.members].map(([name, member]) => [name, plain(member)]));
        case 'list':
          return value.elements.map(plain);
        case 'null':
          return null;
        default:
          return value.value;
      }
    };
    expect(plain(parseJsonSource(text, 'x'))).toEqual(JSON.parse(text));
  });

  it.each([
    '',
    '01',
    '1.',
    '+1',
    '.5',
    '"a',
    '"\\x"',
    '"a\tb"',
    '[1 2]',
    '{"a" 1}',
    '{a: 1}',
    'nul',
    'truex',
    '[,]',
    '1e',
    '"a\nb"',
    '\u00a01',
  ])('%j is none', (text) => {
    expect(() => JSON.parse(text)).toThrow();
    expect(() => parseJsonSource(text, 'x')).toThrow(InputError);
  });

  it('is not nested without end', () => {
    expect(() => parseJsonSource('['.repeat(100_000), 'x')).toThrow('nested deeper than 100');
  });
});
