/** What eval and verify read: a whole set of inputs, and every way in which one of them can be wrong. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readHostInputs } from '../../src/cli/host-inputs.ts';
import { InputError } from '../../src/sim/input-error.ts';

const FILES = {
  'node.save': '*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m set --match-set bad src -j DROP\nCOMMIT\n',
  'host.yaml':
    'interfaces:\n- {name: eth0, addresses: [172.18.0.2/16]}\nroutes:\n- {dst: default, via: 172.18.0.1, dev: eth0}\nsets: bad.ipset\n',
  'bad.ipset': 'create bad hash:ip family inet\nadd bad 10.0.0.5\n',
  'packets.jsonl': '{"in":"eth0","src":"10.0.0.5","dst":"10.0.0.6","proto":"udp","sport":1,"dport":2}\n',
};

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubewire-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Reads FILES with `changed` in place of some of them. */
function read(changed: Partial<typeof FILES> = {}) {
  for (const [name, text] of Object.entries({ ...FILES, ...changed }))
    writeFileSync(join(directory, name), text);
  const path = (name: keyof typeof FILES) => join(directory, name);
  return readHostInputs({
    rules: [path('node.save')],
    host: path('host.yaml'),
    packets: path('packets.jsonl'),
    family: 'ipv4',
    backend: 'nft',
    engine: 'linear',
  });
}

/** The message of the InputError that `work` ends in, the directory left out. */
async function refusalOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof InputError)) throw error ?? new Error('was not refused');
  return error.describe().replaceAll(`${directory}/`, '');
}

describe('the inputs of eval and verify', () => {
  it('are read, the sets beside the host file', async () => {
    const { sets, packets, host } = await read();
    expect([...(sets?.sets.keys() ?? [])]).toEqual(['bad']);
    expect(packets).toHaveLength(1);
    expect(host.devices.map(({ name }) => name)).toEqual(['eth0']);
  });

  it.each<[name: string, changed: Partial<typeof FILES>, says: RegExp]>([
    [
      'a rule that does not parse',
      { 'node.save': '*filter\n-A FORWARD -p tcp --dport 8x0 -j DROP\nCOMMIT\n' },
      /^node\.save:2: bad port '8x0'/,
    ],
    [
      'a jump to nowhere',
      { 'node.save': '*filter\n-A FORWARD -j NOWHERE\nCOMMIT\n' },
      /^node\.save:2: .*NOWHERE/,
    ],
    ['no COMMIT', { 'node.save': '*filter\n-A FORWARD -j DROP\n' }, /^node\.save:\d+: .*COMMIT/],
    ['broken YAML', { 'host.yaml': 'interfaces: [\n' }, /^host\.yaml:\d+: not valid YAML/],
    [
      'an unknown field',
      { 'host.yaml': 'interfaces: []\nrpfilter: 1\n' },
      /^host\.yaml:2: .*did you mean rpFilter\?/,
    ],
    [
      'host bits in a route',
      { 'host.yaml': 'interfaces: [{name: a}]\nroutes: [{dst: 10.0.0.5/24, dev: a}]\n' },
      /the network is 10\.0\.0\.0\/24/,
    ],
    [
      'a route through no interface',
      { 'host.yaml': 'interfaces: [{name: a}]\nroutes:\n- {dst: default, dev: b}\n' },
      /^host\.yaml:3: .*there is no interface b/,
    ],
    [
      'a set file that is missing',
      { 'host.yaml': 'sets: none.ipset\n' },
      /^none\.ipset: cannot read: no such file/,
    ],
    ['a bad set', { 'bad.ipset': 'add nowhere 10.0.0.1\n' }, /^bad\.ipset:1: /],
    ['a packet that is no JSON', { 'packets.jsonl': '\n{"src":\n' }, /^packets\.jsonl:2: not valid JSON/],
    [
      'a packet without a port',
      { 'packets.jsonl': '{"src":"1.1.1.1","dst":"2.2.2.2","proto":"tcp","sport":1}' },
      /^packets\.jsonl:1: .*dport: is required/,
    ],
    [
      'two families in one packet',
      { 'packets.jsonl': '{"src":"1.1.1.1","dst":"::1","proto":"icmp"}' },
      /different address families/,
    ],
    [
      'a misspelt field',
      { 'packets.jsonl': '{"src":"1.1.1.1","dst":"1.1.1.2","proto":"icmp","TTL":1}' },
      /did you mean ttl\?/,
    ],
  ])('are refused: %s', async (_name, changed, says) => {
    expect(await refusalOf(read(changed))).toMatch(says);
  });
});
