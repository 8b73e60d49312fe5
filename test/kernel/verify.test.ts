/** `kubewire verify` as users run it: its words, its exit codes, and that it leaves nothing behind. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PROGRAM = join(ROOT, 'dist/cli/main.js');

const HOST = `interfaces:
- {name: eth0, addresses: [172.18.0.2/16]}
- {name: veth1, addresses: [169.254.1.1/32]}
routes:
- {dst: default, via: 172.18.0.1, dev: eth0}
- {dst: 10.244.1.5/32, dev: veth1}
`;
const RULES = `*nat
-A PREROUTING -d 10.96.0.10 -p tcp --dport 80 -m statistic --mode random --probability 0.5 -j DNAT --to-destination 172.18.0.8:8080
-A PREROUTING -d 10.96.0.10 -p tcp --dport 80 -j DNAT --to-destination 172.18.0.9:8080
-A POSTROUTING -o eth0 -j MASQUERADE --random-fully
COMMIT
`;
const PACKETS = `{"id":"first","in":"veth1","src":"10.244.1.5","dst":"10.96.0.10","proto":"tcp","sport":40000,"dport":80}
{"id":2,"src":"172.18.0.2","dst":"10.96.0.10","proto":"udp","sport":4444,"dport":53,"wait":0.2}
{"id":3,"in":"eth0","src":"172.18.0.9","dst":"172.18.0.2","proto":"icmp","type":8,"code":0,"icmpId":7,"ttl":1}
`;

let directory = '';

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  chmodSync(path, 0o644);
  return path;
}

function flags(rules = RULES, packets = PACKETS, host = HOST): string[] {
  return [
    ['--rules', file('rules.save', rules)],
    ['--host', file('host.yaml', host)],
    ['--packets', file('packets.jsonl', packets)],
  ].flat();
}

function verify(args: readonly string[], options: { readonly uid?: number } = {}) {
  const { status, stdout, stderr } = spawnSync('node', [PROGRAM, 'verify', ...args], {
    encoding: 'utf8',
    ...options,
  });
  return { status, stdout, stderr };
}

beforeAll(() => {
  execFileSync('npx', ['tsc', '-p', 'tsconfig.build.json'], { cwd: ROOT });
  directory = mkdtempSync(join(tmpdir(), 'kubewire-verify-'));
  chmodSync(directory, 0o755);
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('kubewire verify', () => {
  it.each(['nft', 'legacy'])('agrees with the kernel, random choices and all (%s)', (backend) => {
    const { status, stdout, stderr } = verify([...flags(), '--backend', backend, '-o', 'json']);
    expect(stderr).toBe('');
    const results = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(results.map(({ id, agree }) => [id, agree])).toEqual([
      ['first', true],
      [2, true],
      [3, true],
    ]);
    expect(results[0]).toMatchObject({
      kernel: { verdict: 'forwarded', out: 'eth0', packet: { src: '172.18.0.2', dport: 8080, ttl: 63 } },
      conntrack: [{ protocol: 6, state: 'SYN_SENT', original: { dst: '10.96.0.10', dport: 80 } }],
    });
    expect(results[0].engine).toEqual(results[0].kernel);
    expect(results[1].kernel.verdict).toBe('sent');
    expect(results[2].kernel.verdict).toBe('delivered');
    expect(status).toBe(0);
  });

  it('says so in words', () => {
    const { status, stdout } = verify(flags());
    expect(stdout).toContain('same  first  in veth1  10.244.1.5:40000 > 10.96.0.10:80 tcp SYN');
    expect(stdout).toContain('delivered: 172.18.0.9 > 172.18.0.2 icmp 8/0 id 7');
    expect(stdout).toMatch(/3 packets: kernel and engine agree\n$/);
    expect(status).toBe(0);
  });

  it('exits 1 where they differ: a match that the engine does not know', () => {
    const rules = '*filter\n-A FORWARD -m u32 --u32 "6&0xFF=6" -j DROP\nCOMMIT\n';
    const { status, stdout } = verify([...flags(rules), '-o', 'json']);
    const [first, second] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(first).toMatchObject({
      agree: false,
      kernel: { verdict: 'dropped' },
      engine: { verdict: 'unknown' },
      differences: [expect.stringContaining('unknown')],
    });
    expect(second.agree).toBe(true);
    expect(status).toBe(1);
  });

  it('explains that it needs root', () => {
    expect(verify(flags(), { uid: 65534 })).toEqual({
      status: 2,
      stdout: '',
      stderr: 'kubewire: verify: root is needed to make network namespaces: run it with sudo\n',
    });
  });

  const refusals: readonly [string, () => string[], RegExp][] = [
    [
      'rules that do not parse',
      () => flags('*filter\n-A INPUT --nonsense\nCOMMIT\n'),
      /^kubewire: \S+rules\.save:2: /,
    ],
    ['packets that do not', () => flags(RULES, '{"src":"10.0.0.1"}\n'), /^kubewire: \S+packets\.jsonl:1: /],
    ['a device that is not there', () => flags(RULES, PACKETS.replace('veth1', 'veth9')), /veth9/],
    [
      'a file that is not there',
      () => [...flags().slice(2), '--rules', '/nonexistent'],
      /^kubewire: \/nonexistent: /,
    ],
    ['an unknown flag', () => [...flags(), '--frobnicate'], /frobnicate/],
  ];
  it.each(refusals)('refuses %s', (_, args, message) => {
    const { status, stdout, stderr } = verify(args());
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });

  it('leaves nothing behind when it is killed', async () => {
    const state = () => ({
      devices: readdirSync('/sys/class/net'),
      names: execFileSync('ip', ['netns', 'list']).toString(),
      rules: execFileSync('iptables-save').toString(),
    });
    // Every namespace that a process is in or holds open.
    const held = () =>
      execFileSync('sh', ['-c', 'ls -l /proc/[0-9]*/fd /proc/[0-9]*/ns 2>/dev/null; true']).toString();
    const before = state();
    const slow = `${PACKETS}{"id":4,"in":"veth1","src":"10.244.1.5","dst":"8.8.8.8","proto":"udp","sport":1,"dport":1,"wait":60}\n`;
    const program = spawn('node', [PROGRAM, 'verify', ...flags(RULES, slow), '-o', 'json']);
    let printed = '';
    for await (const chunk of program.stdout) {
      printed += chunk;
      if (printed.split('\n').length > 3) break;
    }
    const own = readlinkSync('/proc/self/ns/net');
    const descriptors = readdirSync(`/proc/${program.pid}/fd`).map((fd) => `/proc/${program.pid}/fd/${fd}`);
    const namespace = descriptors
      .map((link) => readlinkSync(link))
      .find((target) => /^net:/.test(target) && target !== own);
    expect(namespace).toBeDefined();
    expect(held()).toContain(namespace);
    program.kill('SIGKILL');
    await once(program, 'exit');
    expect(held()).not.toContain(namespace);
    expect(state()).toEqual(before);
  });
});
