/** `ipset save` text becomes sets, and a packet is in them or not as for the kernel. */
import { describe, expect, test } from 'vitest';
import { type IpSetDirection, type IpSetPacket, ipSetContains } from '../../src/netfilter/ip-set.ts';
import { parseIpsetSave } from '../../src/ruletext/ipset-save.ts';
import { familyOf, parseIpAddress } from '../../src/wire/ip-address.ts';

interface PacketText {
  readonly src?: string;
  readonly dst?: string;
  readonly proto?: number;
  readonly sport?: number;
  readonly dport?: number;
  readonly icmp?: readonly [type: number, code: number];
  readonly in?: string;
  readonly mark?: number;
}

function packetOf(text: PacketText): IpSetPacket {
  const source = parseIpAddress(text.src ?? '192.0.2.1');
  return {
    family: familyOf(source),
    source,
    destination: parseIpAddress(text.dst ?? (typeof source === 'number' ? '192.0.2.2' : '2001:db8::2')),
    protocol: text.proto ?? 6,
    ...(text.sport === undefined ? {} : { sport: text.sport }),
    ...(text.dport === undefined ? {} : { dport: text.dport }),
    ...(text.icmp === undefined ? {} : { icmpType: text.icmp[0], icmpCode: text.icmp[1] }),
    ...(text.in === undefined ? {} : { inDevice: text.in }),
    mark: text.mark ?? 0,
  };
}

function inSet(
  text: string,
  name: string,
  directions: string,
  packet: PacketText,
  elapsed = 0,
): boolean | undefined {
  const sets = parseIpsetSave(text);
  const set = sets.get(name);
  if (set === undefined) throw new Error(`no set ${name}`);
  return ipSetContains(set, {
    packet: packetOf(packet),
    directions: directions.split(',') as IpSetDirection[],
    elapsed,
    sets,
  });
}

const NETS = `create n hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x1818c449
add n 1.1.1.1
add n 10.0.0.0/8
add n 10.1.0.0/16 nomatch
add n 10.1.2.0/24
`;
const PORTS = `create p hash:ip,port family inet hashsize 1024 maxelem 65536
add p 10.0.0.1,tcp:80
add p 10.0.0.1,udp:53
add p 10.0.0.1,icmp:echo-request
add p 10.0.0.1,gre:0
`;

describe('membership', () => {
  test.each<readonly [string, string, string, PacketText, boolean | undefined]>([
    ['an address', 'create s hash:ip\nadd s 10.0.0.1\n', 'src', { src: '10.0.0.1' }, true],
    ['another address', 'create s hash:ip\nadd s 10.0.0.1\n', 'src', { src: '10.0.0.2' }, false],
    ['the other direction', 'create s hash:ip\nadd s 10.0.0.1\n', 'dst', { src: '10.0.0.1' }, false],
    [
      'more directions than the set has',
      'create s hash:ip\nadd s 10.0.0.1\n',
      'src,dst',
      { src: '10.0.0.1' },
      true,
    ],
    ['fewer directions than the set has', PORTS, 'dst', { dst: '10.0.0.1', dport: 80 }, false],
    [
      'a packet of the other family',
      'create s hash:ip family inet\nadd s 10.0.0.1\n',
      'src',
      { src: 'fd00::1' },
      false,
    ],
    ['IPv6', 'create s hash:ip family inet6\nadd s fd00::1\n', 'src', { src: 'fd00:0::1' }, true],
    ['a netmask', 'create s hash:ip netmask 24\nadd s 10.0.0.0\n', 'src', { src: '10.0.0.77' }, true],
    [
      'outside a netmask',
      'create s hash:ip netmask 24\nadd s 10.0.0.0\n',
      'src',
      { src: '10.0.1.77' },
      false,
    ],
    ['a network', NETS, 'src', { src: '10.2.3.4' }, true],
    ['an exception in it', NETS, 'src', { src: '10.1.3.4' }, false],
    ['an exception to the exception', NETS, 'src', { src: '10.1.2.4' }, true],
    ['a host among networks', NETS, 'src', { src: '1.1.1.1' }, true],
    ['beside it', NETS, 'src', { src: '1.1.1.2' }, false],
    ['a port', PORTS, 'dst,dst', { dst: '10.0.0.1', dport: 80 }, true],
    ['a port of another protocol', PORTS, 'dst,dst', { dst: '10.0.0.1', proto: 17, dport: 80 }, false],
    ['the source port', PORTS, 'dst,src', { dst: '10.0.0.1', sport: 80, dport: 9 }, true],
    ['no readable ports', PORTS, 'dst,dst', { dst: '10.0.0.1' }, false],
    ['an ICMP type', PORTS, 'dst,dst', { dst: '10.0.0.1', proto: 1, icmp: [8, 0] }, true],
    ['another ICMP code', PORTS, 'dst,dst', { dst: '10.0.0.1', proto: 1, icmp: [8, 1] }, false],
    ['a protocol without ports', PORTS, 'dst,dst', { dst: '10.0.0.1', proto: 47 }, true],
    [
      'a port range',
      'create s hash:ip,port\nadd s 10.0.0.1,80-82\n',
      'dst,dst',
      { dst: '10.0.0.1', dport: 82 },
      true,
    ],
    [
      'three dimensions',
      'create s hash:ip,port,ip\nadd s 10.0.0.1,tcp:80,10.0.0.2\n',
      'dst,dst,src',
      { dst: '10.0.0.1', dport: 80, src: '10.0.0.2' },
      true,
    ],
    [
      'a network in the third',
      'create s hash:ip,port,net\nadd s 10.0.0.1,tcp:80,10.9.0.0/16\n',
      'dst,dst,src',
      { dst: '10.0.0.1', dport: 80, src: '10.9.8.7' },
      true,
    ],
    [
      'two networks',
      'create s hash:net,net\nadd s 10.0.0.0/8,11.0.0.0/8\nadd s 10.1.0.0/16,11.1.0.0/16 nomatch\n',
      'src,dst',
      { src: '10.1.1.1', dst: '11.2.1.1' },
      true,
    ],
    [
      'two networks and an exception',
      'create s hash:net,net\nadd s 10.0.0.0/8,11.0.0.0/8\nadd s 10.1.0.0/16,11.1.0.0/16 nomatch\n',
      'src,dst',
      { src: '10.1.1.1', dst: '11.1.1.1' },
      false,
    ],
    [
      'a network and a port',
      'create s hash:net,port\nadd s 10.0.0.0/24,udp:53\n',
      'dst,dst',
      { dst: '10.0.0.9', proto: 17, dport: 53 },
      true,
    ],
    [
      'a network and a device',
      'create s hash:net,iface\nadd s 10.0.0.0/8,eth0\n',
      'src,src',
      { src: '10.1.1.1', in: 'eth0' },
      true,
    ],
    [
      'the start of a device',
      'create s hash:net,iface\nadd s 10.0.0.0/8,eth wildcard\n',
      'src,src',
      { src: '10.1.1.1', in: 'eth7' },
      true,
    ],
    [
      'a bridge port, which no rule asks for',
      'create s hash:net,iface\nadd s 10.0.0.0/8,physdev:eth0\n',
      'src,src',
      { src: '10.1.1.1', in: 'eth0' },
      false,
    ],
    [
      'a smaller network with another device',
      'create s hash:net,iface\nadd s 10.0.0.0/8,eth0\nadd s 10.1.0.0/16,eth1\n',
      'src,src',
      { src: '10.1.1.1', in: 'eth0' },
      false,
    ],
    [
      'a mark',
      'create s hash:ip,mark markmask 0xff\nadd s 10.0.0.1,0x10\n',
      'src,src',
      { src: '10.0.0.1', mark: 0x4010 },
      true,
    ],
    [
      'a bitmap of ports',
      'create s bitmap:port range 0-1000\nadd s 90-92\n',
      'dst',
      { proto: 17, dport: 91 },
      true,
    ],
    [
      'a bitmap of ports and SCTP',
      'create s bitmap:port range 0-1000\nadd s 90-92\n',
      'dst',
      { proto: 132, dport: 91 },
      false,
    ],
    [
      'a bitmap of addresses',
      'create s bitmap:ip range 10.0.0.0-10.0.0.255\nadd s 10.0.0.3\n',
      'src',
      { src: '10.0.0.3' },
      true,
    ],
    [
      'a bitmap of networks',
      'create s bitmap:ip range 10.0.0.0/16 netmask 24\nadd s 10.0.3.0/24\n',
      'src',
      { src: '10.0.3.99' },
      true,
    ],
    [
      'a set of sets',
      `${NETS}${PORTS}create s list:set size 8\nadd s p\nadd s n\n`,
      'src',
      { src: '1.1.1.1' },
      true,
    ],
    [
      'in none of the sets',
      `${NETS}${PORTS}create s list:set size 8\nadd s p\nadd s n\n`,
      'src',
      { src: '2.2.2.2' },
      false,
    ],
    [
      'a MAC address is not known',
      'create s bitmap:ip,mac range 10.0.0.0/24\nadd s 10.0.0.3,00:11:22:33:44:55\n',
      'src,src',
      { src: '10.0.0.3' },
      undefined,
    ],
    ['an empty set', 'create s hash:ip,mac\n', 'src,src', { src: '10.0.0.3' }, false],
  ])('%s', (_, text, directions, packet, answer) => {
    const [, name = ''] = /create (\S+) \S+[^\n]*\n(?!.*create)/s.exec(text) ?? [];
    expect(inSet(text, name, directions, packet)).toBe(answer);
  });

  test('elements with a timeout go', () => {
    const text =
      'create s hash:ip timeout 300\nadd s 10.0.0.1 timeout 10\nadd s 10.0.0.2\nadd s 10.0.0.3 timeout 0\n';
    const at = (src: string, elapsed: number) => inSet(text, 's', 'src', { src }, elapsed);
    expect([at('10.0.0.1', 9), at('10.0.0.1', 10), at('10.0.0.2', 299), at('10.0.0.2', 300)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(at('10.0.0.3', 1e9)).toBe(true);
  });
});

describe('bad lines', () => {
  test.each([
    ['an unknown command', 'make s hash:ip\n', 1, /unknown command 'make'; expected create or add/],
    ['an unknown type', 'create s hash:thing\n', 1, /unknown set type 'hash:thing'/],
    ['an unknown option', 'create s hash:ip colour red\n', 1, /unknown option 'colour'/],
    ['a set twice', 'create s hash:ip\ncreate s hash:ip\n', 2, /set s exists already/],
    ['a set that is not there', 'add s 10.0.0.1\n', 1, /set s is not created/],
    ['a long name', `create ${'s'.repeat(32)} hash:ip\n`, 1, /bad set name/],
    [
      'an address of the other family',
      'create s hash:ip family inet6\nadd s 10.0.0.1\n',
      2,
      /expected an ipv6 ADDRESS/,
    ],
    ['a bad port', 'create s hash:ip,port\nadd s 10.0.0.1,tcp:70000\n', 2, /bad port '70000'/],
    ['too few parts', 'create s hash:ip,port\nadd s 10.0.0.1\n', 2, /has 1 parts; expected ip,port/],
    [
      'a timeout that the set does not have',
      'create s hash:ip\nadd s 10.0.0.1 timeout 5\n',
      2,
      /created without timeout/,
    ],
    ['a bitmap without a range', 'create s bitmap:port\n', 1, /needs a range/],
    ['outside the range', 'create s bitmap:port range 1-10\nadd s 11\n', 2, /outside the range 1-10/],
    ['a member that is not there', 'create s list:set\nadd s t\n', 2, /set t is not created/],
  ])('%s', (_, text, line, message) => {
    const bad = () => parseIpsetSave(text, 'sets.save');
    expect(bad).toThrow(message);
    expect(bad).toThrow(expect.objectContaining({ file: 'sets.save', line }));
  });
});
