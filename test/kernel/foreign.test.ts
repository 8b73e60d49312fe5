/** Other programs' rules, restored and saved by the real programs, and the packets of their tables in the kernel. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { verifyPackets } from '../../src/cli/kernel/verify-packets.ts';
import { DEFAULT_CONNTRACK } from '../../src/netfilter/conntrack/timeouts.ts';
import { BACK_ENDS, type BackEnd } from '../../src/ruletext/lint/restore/refusal.ts';
import { toRuleSet } from '../../src/ruletext/load-rules.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { FOREIGN_DUMPS, type ForeignDump } from '../foreign/dumps.ts';
import { FATES } from '../foreign/fates.ts';
import { packetLine } from '../foreign/packet-text.ts';

const PROGRAM = { ipv4: 'iptables', ipv6: 'ip6tables' } as const;

/** The lines of a save that say something, in an order of their own: both back ends order tables as they like. */
function saying(text: string): readonly string[] {
  const tables = text
    .split('COMMIT\n')
    .map((table) => table.split('\n').filter((line) => !/^(#|$)/.test(line)));
  return tables.map((lines) => lines.join('\n')).toSorted();
}

function restoreAndSave({ text, family, setsText = '' }: ForeignDump, backEnd: BackEnd): string {
  const program = `${PROGRAM[family]}-${backEnd}`;
  const script = `printf %s "$SETS" | ipset restore && ${program}-restore --counters && ${program}-save`;
  const run = spawnSync('unshare', ['-n', 'sh', '-c', script], {
    input: text,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, LC_ALL: 'C', XTABLES_LOCKFILE: '/dev/null', SETS: setsText },
  });
  return run.status === 0 ? run.stdout : `exit ${run.status}: ${run.stderr}`;
}

describe.each(BACK_ENDS)('restored and saved by iptables-%s', (backEnd) => {
  test.each(FOREIGN_DUMPS)('$file', (dump) => {
    expect(saying(restoreAndSave(dump, backEnd))).toEqual(saying(dump.text));
  });
});

describe.each(BACK_ENDS)('in the kernel, loaded by iptables-%s', (backend) => {
  test.each(FATES)('$program', ({ program, packets }) => {
    const dumps = FOREIGN_DUMPS.filter((dump) => dump.program === program);
    const [dump] = dumps;
    if (dump === undefined) throw new Error(`no dump of ${program}`);
    const { host, setsText, sets } = dump;
    // What the engine does not know it does not follow either.
    const known = packets.filter(([, , fate]) => !fate.startsWith('unknown'));
    const lines = known.map(([, packet], index) => packetLine(packet, index + 1));
    const verified = verifyPackets(
      lines.map(({ packet, inDevice, wait }) => ({
        packet,
        wait,
        ...(inDevice === undefined ? {} : { device: inDevice }),
      })),
      {
        plan: {
          host: {
            devices: host.devices,
            routes: host.routes,
            conntrack: DEFAULT_CONNTRACK,
            ...(setsText === undefined ? {} : { sets: setsText }),
          },
          rules: dumps,
          backend,
        },
        rules: dumps.map(({ text, family, file }) => toRuleSet(parseRules(text, { family, file }))),
        sets,
      },
    );
    const differences = [...verified].map(({ differences }, index) => [known[index]?.[0], ...differences]);
    expect(differences).toEqual(known.map(([shows]) => [shows]));
  });
});
