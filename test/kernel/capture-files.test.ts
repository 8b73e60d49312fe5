/** Capture files against the programs that everybody reads them with: tshark, capinfos, editcap, tcpdump. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pcapParser from 'pcap-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCaptureFile } from '../../src/wire/capture-file.ts';
import { emitPacket } from '../../src/wire/headers.ts';
import { parseIpAddress } from '../../src/wire/ip-address.ts';
import { NO_BYTES, type Packet } from '../../src/wire/packet.ts';
import { LINKTYPE, type PcapFile, writePcap } from '../../src/wire/pcap.ts';
import type { PcapngFile, PcapngPacket } from '../../src/wire/pcapng.ts';
import { readPcapng } from '../../src/wire/pcapng-read.ts';
import { writePcapng } from '../../src/wire/pcapng-write.ts';
import { TCP_FLAG } from '../../src/wire/protocol.ts';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubewire-capture-files-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** What `program` prints; anything on stderr that is not expected fails the test. */
function run(program: string, args: readonly string[], expected = /^$/): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  // Run as root, Wireshark's programs say so; that is no remark on the file.
  const remarks = stderr
    .split('\n')
    .filter((line) => line !== '' && !/^Running as user "root"/.test(line) && !expected.test(line));
  expect(remarks, `${program} ${args.join(' ')}`).toEqual([]);
  expect(status, `${program} ${args.join(' ')}`).toBe(0);
  return stdout;
}

function packet(sport: number, v6: boolean): Packet {
  return {
    src: parseIpAddress(v6 ? 'fd00:10:244:1::5' : '10.244.1.5'),
    dst: parseIpAddress(v6 ? 'fd00:10:96::a' : '10.96.0.10'),
    ttl: 64,
    tos: 0,
    id: v6 ? 0 : 7,
    dontFragment: !v6,
    transport: {
      kind: 'tcp',
      sport,
      dport: 80,
      seq: 1000,
      ack: 0,
      flags: TCP_FLAG.SYN,
      window: 64_240,
      options: NO_BYTES,
      data: NO_BYTES,
    },
  };
}

function frameOf(bytes: Uint8Array, v6: boolean): Uint8Array {
  const macs = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
  return Uint8Array.from([...macs, ...(v6 ? [0x86, 0xdd] : [8, 0]), ...bytes]);
}

const COMMENTS = [
  'nat KUBE-SERVICES 4: default/web:http cluster IP',
  'conntrack NEW 10.244.1.5:40000 → 10.96.0.10:80 “quoted”',
];

const START = 1_700_000_000;

const packets: readonly PcapngPacket[] = [0, 1, 2, 3, 4, 5].map((index) => {
  const v6 = index % 2 === 1;
  const bytes = emitPacket(packet(40_000 + index, v6));
  return {
    interface: index < 4 ? 0 : 1,
    time: { seconds: START + index, nanoseconds: 123_456_789 },
    data: index < 4 ? frameOf(bytes, v6) : bytes,
    direction: index % 2 === 0 ? 'inbound' : 'outbound',
    comments: COMMENTS.slice(0, index % 3),
  };
});

const FILE: PcapngFile = {
  sections: [
    {
      application: 'kubewire',
      comments: ['seed 1'],
      interfaces: [
        {
          linkType: LINKTYPE.ethernet,
          snapLength: 262_144,
          name: 'node/worker-1:eth0',
          description: 'worker',
        },
        { linkType: LINKTYPE.raw, snapLength: 262_144, name: 'node/worker-1 nf:prerouting' },
      ],
      names: [
        { address: parseIpAddress('10.244.1.5'), names: ['pod.default.client'] },
        { address: parseIpAddress('fd00:10:244:1::5'), names: ['pod6.default.client'] },
      ],
      packets,
    },
  ],
};

function written(name: string, bytes: Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

describe('a pcapng file written here', () => {
  it('opens in tshark, with its comments, interfaces, times and directions', () => {
    const path = written('ours.pcapng', writePcapng(FILE));
    const fields = [
      'frame.interface_name',
      'frame.time_epoch',
      'frame.packet_flags_direction',
      'tcp.srcport',
    ];
    const args = [...fields, 'frame.comment'].flatMap((field) => ['-e', field]);
    const lines = run('tshark', ['-r', path, '-T', 'fields', '-E', 'aggregator=|', ...args]).trimEnd();
    // tshark 4.0 prints the direction as eight hexadecimal digits, later ones as a number.
    const rows = lines.split('\n').map((line) => line.split('\t'));
    const normal = rows.map(([name, time, way, ...rest]) => [name, time, String(Number(way)), ...rest]);
    expect(normal).toEqual(
      packets.map(({ interface: index, time, direction, comments }, number) => [
        FILE.sections[0]?.interfaces[index]?.name,
        `${time?.seconds}.123456789`,
        direction === 'inbound' ? '1' : '2',
        String(40_000 + number),
        comments.join('|'),
      ]),
    );
  });

  it('has good checksums and no malformed packet in the eyes of tshark', () => {
    const path = written('ours.pcapng', writePcapng(FILE));
    const checks = ['-o', 'tcp.check_checksum:TRUE', '-o', 'ip.check_checksum:TRUE'];
    const filter = '_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0';
    expect(run('tshark', ['-r', path, ...checks, '-Y', filter])).toBe('');
  });

  it('gives tshark the names of addresses', () => {
    const path = written('ours.pcapng', writePcapng(FILE));
    const hosts = run('tshark', ['-r', path, '-N', 'n', '-T', 'fields', '-e', 'ip.src_host']);
    expect(hosts).toContain('pod.default.client');
  });

  it('is described by capinfos as what it is', () => {
    const text = run('capinfos', [written('ours.pcapng', writePcapng(FILE))]);
    expect(text).toMatch(/File type: +Wireshark\/\.\.\. - pcapng/);
    expect(text).toMatch(/Number of packets: +6\n/);
    expect(text).toMatch(/Number of interfaces in file: 2/);
    expect(text).toMatch(/Time precision = nanoseconds \(9\)/);
    expect(text).toContain('seed 1');
  });

  it('of one link type opens in tcpdump', () => {
    const [section] = FILE.sections;
    if (section === undefined) throw new Error('no section');
    const one = { ...section, packets: packets.filter((each) => each.interface === 0) };
    const [ethernet] = section.interfaces;
    const path = written(
      'ethernet.pcapng',
      writePcapng({ sections: [{ ...one, interfaces: ethernet ? [ethernet] : [] }] }),
    );
    const text = run('tcpdump', ['-nr', path], /^reading from file .*, link-type EN10MB \(Ethernet\)/);
    expect(text.trimEnd().split('\n')).toHaveLength(4);
    expect(text).toContain('10.244.1.5.40000 > 10.96.0.10.80: Flags [S], seq 1000, win 64240, length 0');
  });

  it('passes through editcap and comes back the same, comments and all', () => {
    const path = written('ours.pcapng', writePcapng(FILE));
    const copy = join(directory, 'copy.pcapng');
    run('editcap', [path, copy]);
    const back = readPcapng(readFileSync(copy));
    expect(back.sections.flatMap((section) => section.packets)).toEqual(packets);
    expect(back.sections[0]?.interfaces).toEqual(FILE.sections[0]?.interfaces);
  });
});

describe('a pcap file written here', () => {
  const file = (resolution: 'micro' | 'nano'): PcapFile => ({
    linkType: LINKTYPE.ethernet,
    resolution,
    records: packets
      .filter((each) => each.interface === 0)
      .map(({ data }, index) => ({ seconds: START + index, nanoseconds: 5000, data })),
  });

  it.each(['micro', 'nano'] as const)('in %sseconds opens in tshark, capinfos and tcpdump', (resolution) => {
    const path = written(`${resolution}.pcap`, writePcap(file(resolution)));
    expect(run('tshark', ['-r', path]).trimEnd().split('\n')).toHaveLength(4);
    expect(run('capinfos', [path])).toMatch(/Number of packets: +4\n/);
    const text = run('tcpdump', ['-nr', path], /^reading from file .*, link-type EN10MB \(Ethernet\)/);
    expect(text.trimEnd().split('\n')).toHaveLength(4);
  });

  it('is read by pcap-parser', async () => {
    const seen: number[] = [];
    const parser = pcapParser.parse(written('micro.pcap', writePcap(file('micro'))));
    parser.on('packet', ({ data }) => seen.push(data.length));
    await once(parser, 'end');
    expect(seen).toEqual(file('micro').records.map(({ data }) => data.length));
  });
});

describe('files of other programs are read', () => {
  const source = () => written('source.pcapng', writePcapng(FILE));
  const ethernetOnly = () =>
    written(
      'source.pcap',
      writePcap({
        linkType: LINKTYPE.ethernet,
        resolution: 'nano',
        records: packets
          .slice(0, 4)
          .map(({ data, time = { seconds: 0, nanoseconds: 0 } }) => ({ ...time, data })),
      }),
    );
  const truth = packets.map(({ data }) => data);
  const dataOf = (path: string) => readCaptureFile(readFileSync(path)).map(({ data }) => data);

  it.each([
    ['editcap -F pcapng', 'editcap', () => ['-F', 'pcapng', source()], 6],
    ['editcap -F pcapng, with a comment', 'editcap', () => ['-a', '2:hello', '-F', 'pcapng', source()], 6],
    ['editcap -F pcap', 'editcap', () => ['-F', 'pcap', ethernetOnly()], 4],
    ['editcap -F nsecpcap', 'editcap', () => ['-F', 'nsecpcap', ethernetOnly()], 4],
  ] as const)('%s', (_, program, args, count) => {
    const path = join(directory, 'foreign');
    run(program, [...args(), path]);
    expect(dataOf(path)).toEqual(truth.slice(0, count));
  });

  it('tshark -w', () => {
    const path = join(directory, 'tshark.pcapng');
    run('tshark', ['-r', source(), '-w', path]);
    expect(dataOf(path)).toEqual(truth);
  });

  it('mergecap: two files in one', () => {
    const path = join(directory, 'merged.pcapng');
    run('mergecap', ['-a', '-w', path, source(), source()]);
    expect(dataOf(path)).toEqual([...truth, ...truth]);
  });

  it('tcpdump -w', () => {
    const path = join(directory, 'tcpdump.pcap');
    run('tcpdump', ['-r', ethernetOnly(), '-w', path], /^reading from file/);
    expect(dataOf(path)).toEqual(truth.slice(0, 4));
  });

  it('dumpcap: a live capture of lo, statistics and all', () => {
    const path = join(directory, 'live.pcapng');
    const script = `dumpcap -q -i lo -c 4 -w ${path} 2>/dev/null & p=$!; sleep 1; ping -q -c 2 -i 0.2 127.0.0.1 >/dev/null; wait $p`;
    run('ip', ['netns', 'add', 'kubewire-live']);
    try {
      run('ip', ['-n', 'kubewire-live', 'link', 'set', 'lo', 'up']);
      run('ip', ['netns', 'exec', 'kubewire-live', 'sh', '-c', script]);
      expect(dataOf(path)).toHaveLength(4);
    } finally {
      run('ip', ['netns', 'del', 'kubewire-live']);
    }
  });

  it('capinfos agrees on their times', () => {
    const first = readCaptureFile(readFileSync(source()))[0];
    expect(run('capinfos', ['-aS', source()])).toContain(
      `${first?.time?.seconds}.${first?.time?.nanoseconds}`,
    );
  });
});
