/** Captures of the emulated cluster in the eyes of tshark, capinfos and tcpdump: a clean dialogue, and its comments. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CaptureSession } from '../../src/cluster/captures/capture-session.ts';
import { liveCluster } from '../../src/cluster/live-cluster.ts';
import { loadCluster } from '../../src/cluster/load.ts';
import { runTools } from '../../src/cluster/tools/run-tools.ts';

const FILE = join(import.meta.dirname, '../../topologies/three-nodes.yaml');

let directory = '';
let next = '';
let classic = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubewire-captures-'));
  next = join(directory, 'cluster.pcapng');
  classic = join(directory, 'node.pcap');
  const network = liveCluster(loadCluster([{ file: FILE, text: readFileSync(FILE, 'utf8') }]), { seed: 1 });
  const all = new CaptureSession(network.plan);
  const node = new CaptureSession(network.plan, {
    device: (host, device) => host === 'node/demo-worker' && device === 'eth0',
    hook: () => false,
  });
  network.observe((observation) => {
    all.observe(observation);
    node.observe(observation);
  });
  const silent = { print: () => {}, complain: () => {} };
  const client = 'pod/default/client';
  const commands = [
    { who: client, tool: 'curl', args: ['-s', '10.96.0.10'] },
    { who: client, tool: 'ping', args: ['-c', '2', '10.244.2.2'] },
    { who: client, tool: 'traceroute', args: ['-n', '10.244.2.2'] },
  ];
  expect(runTools(network, commands, silent)).toBe(0);
  writeFileSync(next, all.toPcapng());
  writeFileSync(classic, node.log.toPcap());
});
afterAll(() => rmSync(directory, { recursive: true }));

function run(program: string, args: readonly string[], expected = /^$/): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  const remarks = stderr
    .split('\n')
    .filter((line) => line !== '' && !/^Running as user "root"/.test(line) && !expected.test(line));
  expect(remarks, `${program} ${args.join(' ')}`).toEqual([]);
  expect(status).toBe(0);
  return stdout;
}

describe('a capture of a whole cluster', () => {
  it('has no malformed packet and no wrong checksum', () => {
    const checks = ['ip', 'tcp', 'udp'].flatMap((name) => ['-o', `${name}.check_checksum:TRUE`]);
    const bad =
      '_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0';
    expect(run('tshark', ['-n', '-r', next, ...checks, '-Y', bad])).toBe('');
    expect(run('capinfos', [next])).toMatch(/File encapsulation: +Per packet/);
  });

  it('names devices and hooks', () => {
    const names = new Set(
      run('tshark', ['-n', '-r', next, '-T', 'fields', '-e', 'frame.interface_name']).split('\n'),
    );
    expect(names).toContain('pod/default/client:eth0');
    expect(names).toContain('node/demo-worker:eth0');
    expect(names).toContain('node/demo-worker nf:prerouting');
    expect(names).toContain('node/demo-worker nf:postrouting');
  });

  it('shows packets at hooks before and after translation', () => {
    const at = (hook: string) =>
      run('tshark', [
        '-n',
        '-r',
        next,
        '-Y',
        `frame.interface_name == "node/demo-worker nf:${hook}" && tcp.flags == 2`,
        '-T',
        'fields',
        '-e',
        'ip.dst',
      ]).trim();
    expect(at('prerouting')).toBe('10.96.0.10');
    expect(at('postrouting')).toMatch(/^10\.244\.[12]\.\d$/);
  });

  it('has comments that tshark can find', () => {
    const filter = 'frame.comment contains "DNAT 10.96.0.10:80" && tcp.flags == 2';
    const found = run('tshark', ['-n', '-r', next, '-Y', filter, '-T', 'fields', '-e', 'frame.comment']);
    expect(found).toContain('pod/default/client → svc/default/web:http');
    expect(found).toMatch(/rule nat KUBE-SEP-/);
  });

  it('resolves addresses to the names of pods and Services', () => {
    const hosts = run('tshark', ['-N', 'n', '-r', next, '-T', 'fields', '-e', 'ip.dst_host']);
    expect(hosts).toContain('svc.default.web');
    expect(hosts).toContain('pod.default.client');
  });
});

describe('a classic capture at one device', () => {
  it('is a clean TCP dialogue to tshark: nothing lost, repeated or out of order', () => {
    expect(run('tshark', ['-n', '-r', classic, '-Y', 'tcp.analysis.flags'])).toBe('');
    const lines = run('tcpdump', ['-nr', classic, 'tcp'], /^reading from file/)
      .trimEnd()
      .split('\n');
    expect(lines[0]).toMatch(/Flags \[S\]/);
    expect(lines[1]).toMatch(/Flags \[S\.\]/);
    expect(lines.some((line) => line.includes('HTTP: GET / HTTP/1.1'))).toBe(true);
    expect(lines.filter((line) => /Flags \[F\.\]/.test(line))).toHaveLength(2);
  });

  it('has pings with their answers', () => {
    const found = run('tshark', [
      '-n',
      // Answers are known on the second pass.
      '-2',
      '-r',
      classic,
      '-Y',
      'icmp.type == 8 && icmp.resp_in',
      '-T',
      'fields',
      '-e',
      'icmp.seq',
    ]);
    expect(found.trim().split('\n')).toHaveLength(2);
  });
});
