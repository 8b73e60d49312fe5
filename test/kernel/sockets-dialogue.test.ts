/** HTTP over a lossy link, captured, as tcpdump and tshark read it: a TCP dialogue without anything odd. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClientResult, HttpClient } from '../../src/cluster/apps/http/http-client.ts';
import { startHttpServer } from '../../src/cluster/apps/http/http-server.ts';
import { patternBytes, podPages } from '../../src/cluster/apps/http/pod-pages.ts';
import { emitFrame } from '../../src/wire/frame.ts';
import { LINKTYPE, type PcapRecord, writePcap } from '../../src/wire/pcap.ts';
import { ADDRESS, neighbours } from '../netstack/sockets/namespaces.ts';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubewire-dialogue-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (error !== undefined) throw error;
  expect(status, `${program}: ${stderr}`).toBe(0);
  return stdout;
}

const LENGTH = 1_000_000;

/** A megabyte fetched over a link with 5 % loss, captured at the server; the capture's bytes. */
function capture(seed: number): Uint8Array {
  const { a, b, scheduler } = neighbours(seed, { loss: 0.05, latency: 0.005 });
  startHttpServer(b.sockets, { port: 80, handler: podPages('web') });
  const records: PcapRecord[] = [];
  b.interface('eth0')?.addTap(({ frame, time }) => {
    if (frame === undefined) return;
    const seconds = Math.floor(time);
    records.push({ seconds, nanoseconds: Math.floor((time - seconds) * 1e9), data: emitFrame(frame) });
  });
  const results: ClientResult[] = [];
  new HttpClient(a.sockets, { dst: ADDRESS.b.ipv4, port: 80 }).request(
    { target: `/bytes/${LENGTH}`, host: 'web', headers: [['Connection', 'close']] },
    (result) => results.push(result),
  );
  scheduler.runUntilIdle();
  const [result] = results;
  expect(result?.kind === 'response' && Buffer.compare(result.body, patternBytes(LENGTH))).toBe(0);
  return writePcap({ linkType: LINKTYPE.ethernet, resolution: 'nano', records });
}

describe('a megabyte over a link with 5 % loss', () => {
  it.each([1, 2, 3])('is a clean dialogue to tcpdump and tshark (seed %i)', (seed) => {
    const bytes = capture(seed);
    expect(Buffer.compare(capture(seed), bytes), 'the same seed, the same bytes').toBe(0);
    const file = join(directory, `${seed}.pcap`);
    writeFileSync(file, bytes);
    const lines = run('tcpdump', ['-nvr', file, 'tcp']);
    expect(lines).not.toMatch(/incorrect|bad |truncated|unknown|\[\|/i);
    expect(lines.match(/cksum 0x[0-9a-f]{4} \(correct\)/g)?.length).toBeGreaterThan(1000);
    expect(lines.match(/Flags \[S\]/g)?.length).toBeGreaterThanOrEqual(1);
    expect(lines.match(/Flags \[F/g)?.length).toBeGreaterThanOrEqual(2);
    expect(lines).not.toMatch(/Flags \[R/);
    // What Wireshark's analysis calls odd: data beyond the window, ACKs of what was never sent, probes.
    const odd = ['ack_lost_segment', 'window_full', 'zero_window', 'keep_alive', 'reused_ports']
      .map((flag) => `tcp.analysis.${flag}`)
      .join(' or ');
    // Putting HTTP together, tshark trips over segments it has seen twice.
    const preferences = [
      'tcp.check_checksum:TRUE',
      'ip.check_checksum:TRUE',
      'tcp.desegment_tcp_streams:FALSE',
    ];
    const checks = preferences.flatMap((preference) => ['-o', preference]);
    const bad = 'tcp.checksum.status == "Bad" or ip.checksum.status == "Bad" or _ws.malformed';
    expect(run('tshark', [...checks, '-r', file, '-Y', `${odd} or ${bad}`])).toBe('');
    // A server that loses one segment in twenty sends that many again, and no more than a few besides.
    const again = run('tshark', ['-r', file, '-Y', 'ip.src == 10.0.0.2 and tcp.analysis.retransmission']);
    const count = again.split('\n').filter((line) => line !== '').length;
    expect(count).toBeGreaterThan(10);
    expect(count).toBeLessThan(110);
  });
});
