/** The command line of exec and replay: what is printed where, exit codes, and what is refused with one line. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { registerExec, splitWords } from '../../src/cli/exec.ts';
import { registerReplay } from '../../src/cli/replay.ts';
import { InputError } from '../../src/sim/input-error.ts';
import { readCaptureFile } from '../../src/wire/capture-file.ts';
import { emitPacket } from '../../src/wire/headers.ts';
import { parseIpAddress } from '../../src/wire/ip-address.ts';
import { NO_BYTES } from '../../src/wire/packet.ts';
import { LINKTYPE, writePcap } from '../../src/wire/pcap.ts';
import { writePcapng } from '../../src/wire/pcapng-write.ts';

const CLUSTER = join(import.meta.dirname, '../../topologies/three-nodes.yaml');

let directory = '';
let printed = '';
let complained = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'exec-'));
  printed = '';
  complained = '';
  process.exitCode = undefined;
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    complained += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  rmSync(directory, { recursive: true, force: true });
});

async function run(...args: readonly string[]): Promise<number> {
  const program = new Command('kubewire').exitOverride();
  registerExec(program);
  registerReplay(program);
  await program.parseAsync(args, { from: 'user' });
  return Number(process.exitCode ?? 0);
}

async function refusal(...args: readonly string[]): Promise<string> {
  try {
    await run(...args);
  } catch (error) {
    if (error instanceof InputError) return error.describe().replaceAll(directory, 'DIR');
    throw error;
  }
  throw new Error(`accepted: ${printed}`);
}

describe('exec', () => {
  const exec = (...args: readonly string[]) => run('exec', '-f', CLUSTER, ...args);

  it('prints what the tool prints and exits as it does', async () => {
    expect(await exec('pod/default/client', '--', 'curl', '-s', '10.96.0.10')).toBe(0);
    expect(printed).toMatch(/^web-[a-z0-9]+-[a-z0-9]+\n$/);
    expect(await exec('pod/default/client', '--', 'curl', '-sS', '-m', '2', '10.96.0.10:81')).toBe(28);
    expect(complained).toBe('curl: (28) Connection timed out after 2000 milliseconds\n');
  });

  it('is the same for the same seed, and may be another for another', async () => {
    const seen = new Set<string>();
    for (const seed of ['1', '1', '2', '3', '4', '5']) {
      printed = '';
      await exec('pod/default/client', '--seed', seed, '--', 'curl', '-s', '10.96.0.10');
      seen.add(printed);
    }
    expect(seen.size).toBeGreaterThan(1);
    expect(seen.size).toBeLessThan(6);
  });

  it('runs more tools in the same cluster with --then', async () => {
    const then = [
      '--then',
      'pod/default/client curl -s 10.96.0.10',
      '--then',
      'node/demo-worker -- conntrack -L',
    ];
    expect(await exec('node/demo-worker', ...then, '--', 'tcpdump', '-nti', 'eth0', 'tcp')).toBe(0);
    expect(printed).toMatch(/IP 10\.244\.1\.2\.\d+ > 10\.244\.2\.\d\.8080: Flags \[S\]/);
    expect(printed).toMatch(/web-/);
    expect(printed).toMatch(/tcp {6}6 \d+ TIME_WAIT src=10\.244\.1\.2 dst=10\.96\.0\.10 /);
    expect(complained).toMatch(/\d+ packets captured\n/);
  });

  it.each([
    ['a place there is not', ['pod/default/nosuch', '--', 'ip', 'addr'], 'there is no pod/default/nosuch'],
    [
      'a tool there is not',
      ['pod/default/client', '--', 'vim'],
      "there is no tool 'vim', expected one of cat, ",
    ],
    [
      'an address that is none',
      ['external/nobody', '--', 'ip', 'addr'],
      "'external/nobody': expected external/ADDRESS",
    ],
    [
      'half a --then',
      ['pod/default/client', '--then', 'node/demo-worker', '--', 'ip', 'addr'],
      "--then 'node/demo-worker': expected WHO -- TOOL",
    ],
    [
      'an open quote',
      ['pod/default/client', '--then', "a 'b", '--', 'ip', 'addr'],
      "a quote ' is not closed",
    ],
  ])('refuses %s', async (_, args, message) => {
    expect(await refusal('exec', '-f', CLUSTER, ...args)).toContain(message);
    expect(printed).toBe('');
  });

  it.each([
    ['a b', ['a', 'b']],
    ["  a 'b c'  d", ['a', 'b c', 'd']],
    ['a "b \\" c" d\\ e', ['a', 'b " c', 'd e']],
    ["''", ['']],
    ['', []],
  ])('splits %j as a shell does', (text, words) => {
    expect(splitWords(text)).toEqual(words);
  });
});

const packet = (dport: number) =>
  emitPacket({
    src: parseIpAddress('10.244.1.2'),
    dst: parseIpAddress('10.96.0.10'),
    ttl: 64,
    tos: 0,
    id: 1,
    dontFragment: true,
    transport: {
      kind: 'tcp',
      sport: 40_000,
      dport,
      seq: 1,
      ack: 0,
      flags: 2,
      window: 64_240,
      options: NO_BYTES,
      data: NO_BYTES,
    },
  });

function file(name: string, bytes: Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

const pcap = (...packets: readonly Uint8Array[]) =>
  writePcap({
    linkType: LINKTYPE.raw,
    resolution: 'micro',
    records: packets.map((data, index) => ({ seconds: index, nanoseconds: 0, data })),
  });
const pcapng = (...packets: readonly Uint8Array[]) =>
  writePcapng({
    sections: [
      {
        comments: [],
        names: [],
        interfaces: [{ linkType: LINKTYPE.raw, snapLength: 0 }],
        packets: packets.map((data, seconds) => ({
          interface: 0,
          time: { seconds, nanoseconds: 0 },
          data,
          comments: [],
        })),
      },
    ],
  });

describe('replay', () => {
  const AT = ['--at', 'pod/default/client:eth0'];
  const replay = (...args: readonly string[]) => run('replay', '-f', CLUSTER, ...AT, ...args);
  const refused = (...args: readonly string[]) => refusal('replay', '-f', CLUSTER, ...AT, ...args);

  it.each([
    ['pcap', pcap],
    ['pcapng', pcapng],
  ])('prints a table of flows for %s', async (name, make) => {
    expect(await replay('--pcap', file(`in.${name}`, make(packet(80), packet(80))))).toBe(0);
    expect(printed).toMatch(/^2 packets of 1 flow at pod\/default\/client:eth0 {3}seed 1\n/);
    expect(printed).toMatch(/\ntcp 10\.244\.1\.2:40000 → 10\.96\.0\.10:80 {3}2 packets\n/);
    expect(printed).toMatch(/DNAT to 10\.244\.\d\.\d:8080, delivered to pod\/default\/web-/);
  });

  it('prints JSON', async () => {
    await replay('--pcap', file('in.pcap', pcap(packet(80), Uint8Array.of(1))), '-o', 'json');
    const value = JSON.parse(printed);
    expect(value).toMatchObject({
      at: 'pod/default/client:eth0',
      seed: 1,
      flows: [
        {
          proto: 'tcp',
          src: '10.244.1.2',
          sport: 40_000,
          dst: '10.96.0.10',
          dport: 80,
          packets: 1,
          frames: [1],
        },
      ],
      skipped: [{ frame: 2, reason: 'IP version 0, expected 4 or 6' }],
    });
    expect(value.flows[0].outcomes[0]).toMatchObject({
      kind: 'delivered',
      count: 1,
      nat: [{ kind: 'dnat', port: 8080 }],
    });
  });

  it.each(['out.pcapng', 'out.pcap'])('writes what happened to %s', async (name) => {
    const out = join(directory, name);
    await replay('--pcap', file('in.pcap', pcap(packet(80))), '--out', out);
    const packets = readCaptureFile(readFileSync(out));
    expect(packets.length).toBeGreaterThan(10);
    expect(packets.some(({ comments }) => comments.length > 0)).toBe(name === 'out.pcapng');
  });

  const whole = pcap(packet(80));
  const next = pcapng(packet(80));
  const damaged = next.slice();
  damaged.set([1], 28 + 4);
  const strange = writePcap({
    linkType: 127,
    resolution: 'micro',
    records: [{ seconds: 0, nanoseconds: 0, data: packet(80) }],
  });
  const bad: readonly (readonly [string, Uint8Array, string])[] = [
    [
      'an empty file',
      new Uint8Array(0),
      'DIR/bad: no capture file: found 0 bytes, expected the magic number of pcap or pcapng at byte 0',
    ],
    ['text', new TextEncoder().encode('kind: Cluster'), 'DIR/bad: no capture file: found 6b696e64'],
    [
      'a pcap cut off in a header',
      whole.slice(0, 30),
      'DIR/bad: pcap record header cut off: 6 of 16 bytes at byte 24',
    ],
    [
      'a pcap cut off in a packet',
      whole.slice(0, 50),
      'DIR/bad: pcap record cut off: 10 of 40 bytes at byte 24',
    ],
    [
      'a pcapng cut off',
      next.slice(0, 70),
      'DIR/bad: pcapng block cut off: 10 bytes, expected at least 12 at byte 60',
    ],
    [
      'a pcapng with a damaged length',
      damaged,
      'DIR/bad: pcapng block length 1, expected a multiple of 4 from 12 at byte 32',
    ],
    [
      'a link type nobody knows',
      strange,
      'DIR/bad: frame 1 has link type 127, expected Ethernet (1), raw IP (101)',
    ],
    ['no packet', pcap(), 'the capture holds no IP packet to replay'],
  ];
  it.each(bad)('refuses %s, and writes nothing', async (_, bytes, message) => {
    const out = join(directory, 'out.pcapng');
    expect(await refused('--pcap', file('bad', bytes), '--out', out)).toContain(message);
    expect(existsSync(out)).toBe(false);
    expect(printed).toBe('');
  });

  it('refuses files that are not there and names it cannot write', async () => {
    expect(await refused('--pcap', join(directory, 'nosuch'))).toBe(
      'DIR/nosuch: cannot read: no such file or directory',
    );
    const input = file('in.pcap', whole);
    expect(await refused('--pcap', input, '--out', join(directory, 'out.txt'))).toBe(
      'DIR/out.txt: expected a name that ends in .pcapng or .pcap',
    );
    expect(await refused('--pcap', input, '--out', join(directory, 'a/b/out.pcap'))).toContain(
      'cannot write: no such file',
    );
  });
});
