/** A megabyte over a bad link, as the tools that people read captures with see it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { HttpClient } from '../../src/cluster/apps/http/http-client.ts';
import { patternBytes } from '../../src/cluster/apps/http/pod-pages.ts';
import { CaptureSession } from '../../src/cluster/captures/capture-session.ts';
import { liveCluster } from '../../src/cluster/live-cluster.ts';
import { loadCluster } from '../../src/cluster/load.ts';
import { parseIpAddress } from '../../src/wire/ip-address.ts';

const ROOT = join(import.meta.dirname, '../..');
const SIZE = 1_000_000;
const LINK = '{at: pod/default/client, latency: 2ms, loss: 5%}';

const directory = mkdtempSync(join(tmpdir(), 'kubewire-http-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** Fetches the page and returns what came, and what the client's device saw. */
function fetchOver(link: string, seed: number) {
  const cluster = readFileSync(join(ROOT, 'topologies/failures/cluster.yaml'), 'utf8');
  const topology = `{apiVersion: kubewire.dev/v1alpha1, kind: Topology, links: [${link}]}`;
  const network = liveCluster(loadCluster([{ file: 'http.yaml', text: `${cluster}\n---\n${topology}` }]), {
    seed,
  });
  const session = new CaptureSession(network.plan, {
    device: (host) => host === 'pod/default/client',
    hook: () => false,
  });
  network.observe(session.observe);
  const { sockets } = network.namespace('pod/default/client');
  const client = new HttpClient(sockets, { dst: parseIpAddress('10.96.0.50'), port: 80 });
  let body: Uint8Array | undefined;
  client.request({ target: `/bytes/${SIZE}`, host: 'near' }, (result) => {
    if (result.kind === 'response') body = result.body;
    client.close();
  });
  network.scheduler.runUntil(600);
  return { body, pcap: session.log.toPcap() };
}

function run(program: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  expect(error, `${program} must be installed`).toBeUndefined();
  expect(status, stderr).toBe(0);
  return stdout;
}

describe('HTTP over a link with 5 % loss', () => {
  const { body, pcap } = fetchOver(LINK, 1);
  const file = join(directory, 'http.pcap');
  writeFileSync(file, pcap);

  it('brings every byte, the same way each time', () => {
    expect(body?.length).toBe(SIZE);
    expect(Buffer.from(body ?? []).equals(Buffer.from(patternBytes(SIZE)))).toBe(true);
    expect(Buffer.from(fetchOver(LINK, 1).pcap).equals(Buffer.from(pcap))).toBe(true);
    expect(Buffer.from(fetchOver(LINK, 2).pcap).equals(Buffer.from(pcap))).toBe(false);
  });

  it('is a clean dialogue to tcpdump', () => {
    const lines = run('tcpdump', '-nvr', file, 'tcp');
    expect(lines).not.toMatch(/incorrect|bad cksum|truncated|\[\|/);
    expect(lines.match(/Flags \[S\]/g)?.length).toBeGreaterThanOrEqual(1);
    expect(lines).toMatch(/Flags \[S\.\]/);
    expect(lines).toMatch(/Flags \[F\.\]/);
    expect(lines).not.toMatch(/Flags \[R/);
  });

  it('is put together by tshark without a complaint', () => {
    const checks = ['-o', 'tcp.check_checksum:TRUE', '-o', 'ip.check_checksum:TRUE'];
    const bad = 'tcp.checksum.status==Bad || ip.checksum.status==Bad || _ws.malformed';
    expect(run('tshark', '-r', file, ...checks, '-Y', bad)).toBe('');
    // Lost on the wire, sent again; what the link did not lose is all there.
    const lost = run(
      'tshark',
      '-r',
      file,
      '-Y',
      'tcp.analysis.lost_segment || tcp.analysis.retransmission || tcp.analysis.out_of_order',
    );
    expect(lost).not.toBe('');
    const length = run(
      'tshark',
      '-r',
      file,
      '-Y',
      'http.response',
      '-o',
      'tcp.reassemble_out_of_order:TRUE',
      '-T',
      'fields',
      '-e',
      'http.content_length',
    );
    expect(length.trim()).toBe(String(SIZE));
  });
});
