/** Whatever is typed, and whatever passes: tools end with an exit code, printers print. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PacketPrinter } from '../../../src/cluster/tools/tcpdump/packet-text.ts';
import { TOOLS } from '../../../src/cluster/tools/tools.ts';
import { parseFrame } from '../../../src/wire/frame.ts';
import { arbitraryPacket } from '../../wire/arbitrary-packet.ts';
import { checkProperty } from '../../wire/property.ts';
import { runTool, smallNetwork } from './small-network.ts';

const WORDS = [
  ...[
    '-c',
    '-n',
    '-s',
    '-i',
    '-I',
    '-M',
    'do',
    '-t',
    '-W',
    '-q',
    '-4',
    '-6',
    '-v',
    '-z',
    '-u',
    '-w',
    '-l',
    '-L',
    '-p',
  ],
  ...[
    '-a',
    '-r',
    '-f',
    '-m',
    '-X',
    '-H',
    '-d',
    '-o',
    '-A',
    '-T',
    '-e',
    '-Q',
    '-D',
    '-F',
    '-C',
    '-x',
    '-br',
    '-o',
  ],
  ...[
    'addr',
    'route',
    'get',
    'show',
    'link',
    'neigh',
    'rule',
    'dev',
    'table',
    'all',
    'list',
    'root',
    'match',
    'from',
  ],
  ...[
    '10.2.0.2',
    '10.1.0.9',
    'fd02::2',
    '10.0.0.0/8',
    '::/0',
    '0.0.0.0',
    '255.255.255.255',
    '127.0.0.1',
    '::1',
    '224.0.0.1',
  ],
  ...['eth0', 'lo', 'left', 'web', '@10.2.0.2', '+short', '+noall', '+time=1', '+tries=1', 'A', 'MX', 'any'],
  ...[
    '1',
    '0',
    '-1',
    '65536',
    '99999999999',
    '1-3',
    '0.5',
    'x',
    '',
    '(',
    ')',
    '[',
    '%{http_code}',
    'tcp',
    'port',
    '80',
    'and',
    'not',
  ],
  ...[
    'http://10.2.0.2:80/',
    'http://',
    'http://[fd02::2',
    '[::1]:80',
    '10.2.0.2:99999',
    'net.ipv4.ip_forward',
    'a=b',
    '=',
    '--',
    '-',
  ],
  ...['--proto', '--dport', '--max-time', '--connect-timeout', '--resolve', 'web:80:10.2.0.2'],
];

describe('tools', () => {
  it.each(Object.keys(TOOLS))('%s ends with an exit code whatever its arguments are', (tool) => {
    const args = fc.array(fc.constantFrom(...WORDS), { maxLength: 5 });
    checkProperty(
      `arguments of ${tool}`,
      fc.property(args, fc.constantFrom('client' as const, 'router' as const), (words, where) => {
        const { code } = runTool(smallNetwork()[where], [tool, ...words].join(' '));
        expect(code).toBeGreaterThanOrEqual(0);
        expect(code).toBeLessThanOrEqual(255);
      }),
      60,
    );
  });
});

describe('the printer of tcpdump', () => {
  it.each(['ipv4', 'ipv6'] as const)('has a line for every %s packet', (family) => {
    const printer = new PacketPrinter();
    checkProperty(
      `lines for ${family}`,
      fc.property(arbitraryPacket(family), (packet) => {
        expect(printer.line({ kind: 'packet', packet })).toMatch(/^IP/);
      }),
      1500,
    );
  });

  it('has a line for every frame', () => {
    const printer = new PacketPrinter();
    const noise = fc.tuple(
      fc.uint8Array({ minLength: 12, maxLength: 12 }),
      fc.constantFrom([8, 0], [8, 6], [0x86, 0xdd], [0x81, 0], [0x88, 0xcc]),
      fc.uint8Array({ maxLength: 80 }),
    );
    checkProperty(
      'lines for frames',
      fc.property(noise, ([macs, type, rest]) => {
        const frame = parseFrame(Uint8Array.from([...macs, ...type, 0, 0, 0, 0, ...rest]));
        expect(printer.line({ kind: 'frame', frame }, { link: true })).not.toBe('');
      }),
      1000,
    );
  });

  it('has a line for every packet in a packet', () => {
    const printer = new PacketPrinter();
    checkProperty(
      'lines for tunnels',
      fc.property(
        arbitraryPacket('ipv4'),
        fc.constantFrom(4, 41),
        fc.uint8Array({ maxLength: 60 }),
        (packet, protocol, data) => {
          const transport = { kind: 'opaque', protocol, data } as const;
          expect(printer.line({ kind: 'packet', packet: { ...packet, transport } })).toMatch(/^IP/);
        },
      ),
    );
  });

  it('has a line for every datagram to the ports that it looks into', () => {
    const printer = new PacketPrinter();
    const ports = fc.constantFrom(53, 5353, 4789, 8472);
    checkProperty(
      'lines for known ports',
      fc.property(
        arbitraryPacket('ipv4'),
        ports,
        fc.uint8Array({ maxLength: 100 }),
        (packet, dport, data) => {
          const transport = { kind: 'udp', sport: 1, dport, data } as const;
          expect(printer.line({ kind: 'packet', packet: { ...packet, transport } })).toMatch(/^IP/);
        },
      ),
      1500,
    );
  });
});
