/** Which table sees a packet when, and what it looks like there. */
import { describe, expect, it } from 'vitest';
import { BUILTIN_CHAINS, HOOK_STEPS, HOOKS } from '../../src/netfilter/hooks.ts';
import { SUPPORTED_MATCHES } from '../../src/netfilter/matching/evaluate.ts';
import { TABLES } from '../../src/netfilter/rule-set.ts';
import { SUPPORTED_TARGETS } from '../../src/netfilter/targets.ts';
import { situations } from './situation.ts';

const order = (backend: 'nft' | 'legacy', hook: (typeof HOOKS)[number]) =>
  HOOK_STEPS[backend][hook].map((step) => (step.kind === 'table' ? step.table : step.kind)).join(' ');

describe('the order of tables', () => {
  it.each([
    ['prerouting', 'raw conntrack mangle nat', 'raw conntrack mangle nat'],
    ['input', 'mangle filter nat security confirm', 'mangle filter security nat confirm'],
    ['forward', 'mangle filter security', 'mangle filter security'],
    ['output', 'raw conntrack mangle nat filter security', 'raw conntrack mangle nat filter security'],
    ['postrouting', 'mangle nat confirm', 'mangle nat confirm'],
  ] as const)('at %s', (hook, nft, legacy) => {
    expect(order('nft', hook)).toBe(nft);
    expect(order('legacy', hook)).toBe(legacy);
  });

  it('gives every table a chain at each hook where it runs, and no other', () => {
    for (const table of TABLES) {
      const hooks = HOOKS.filter((hook) =>
        HOOK_STEPS.nft[hook].some((step) =>
          step.kind === 'table' ? step.table === table : step.kind === 'nat' && table === 'nat',
        ),
      );
      expect(BUILTIN_CHAINS[table].map((chain) => chain.toLowerCase())).toEqual(hooks);
    }
  });

  it('knows what it supports', () => {
    expect(SUPPORTED_MATCHES).toContain('conntrack');
    expect(SUPPORTED_MATCHES).not.toContain('unknown');
    expect(SUPPORTED_TARGETS).toContain('masquerade');
    expect(SUPPORTED_TARGETS).not.toContain('unknown');
  });
});

const everywhere = `*raw
-A PREROUTING
-A OUTPUT
*mangle
-A PREROUTING
-A INPUT
-A FORWARD
-A OUTPUT
-A POSTROUTING
*nat
-A PREROUTING
-A INPUT
-A OUTPUT
-A POSTROUTING
*filter
-A INPUT
-A FORWARD -m conntrack --ctstate NEW
-A OUTPUT
*security
-A INPUT
-A FORWARD
-A OUTPUT`;

describe('a packet meets', () => {
  situations([
    {
      name: 'when forwarded',
      rules: everywhere,
      steps: [
        {
          packet: 'e1 udp C:1 > S:2',
          matched: [
            'raw PREROUTING 1',
            'mangle PREROUTING 1',
            'nat PREROUTING 1',
            'mangle FORWARD 1',
            'filter FORWARD 1',
            'security FORWARD 1',
            'mangle POSTROUTING 1',
            'nat POSTROUTING 1',
          ],
        },
      ],
    },
    ...(['nft', 'legacy'] as const).map((backend) => ({
      name: `when delivered (${backend})`,
      backend,
      rules: everywhere,
      steps: [
        {
          packet: 'e1 icmp 0/0 C > O1',
          state: 'INVALID',
          matched: [
            'raw PREROUTING 1',
            'mangle PREROUTING 1',
            'mangle INPUT 1',
            'filter INPUT 1',
            'security INPUT 1',
          ],
        },
      ],
    })),
    {
      name: 'over lo: nat only on the way out',
      rules: everywhere,
      steps: [
        {
          packet: 'local tcp O1:1 > O2:2 R',
          matched: [
            'raw OUTPUT 1',
            'mangle OUTPUT 1',
            'filter OUTPUT 1',
            'security OUTPUT 1',
            'mangle POSTROUTING 1',
            'raw PREROUTING 1',
            'mangle PREROUTING 1',
            'mangle INPUT 1',
            'filter INPUT 1',
            'security INPUT 1',
          ],
        },
      ],
    },
    {
      name: 'the TTL lowered from FORWARD on',
      rules:
        '*mangle\n-A PREROUTING -m ttl --ttl-eq 64\n-A FORWARD -m ttl --ttl-eq 63\n-A POSTROUTING -m ttl --ttl-eq 63',
      steps: [
        {
          packet: 'e1 udp C:1 > S:2',
          matched: ['mangle PREROUTING 1', 'mangle FORWARD 1', 'mangle POSTROUTING 1'],
        },
      ],
    },
    {
      name: 'the new address but the old device between nat OUTPUT and POSTROUTING',
      rules: `*nat
-A OUTPUT -p udp --dport 53 -j DNAT --to-destination 10.0.2.9:5353
*filter
-A OUTPUT -d 10.0.2.9 -o e1
*mangle
-A POSTROUTING -d 10.0.2.9 -o e2`,
      steps: [
        {
          packet: 'local udp O1:5555 > C:53',
          fate: 'sent e2 udp O1:5555 > S:5353 ttl=64',
          matched: ['nat OUTPUT 1', 'filter OUTPUT 1', 'mangle POSTROUTING 1'],
        },
      ],
    },
    {
      name: 'its source as nat INPUT made it',
      rules: '*nat\n-A INPUT -p udp --dport 77 -j SNAT --to-source 9.9.9.9',
      steps: [{ packet: 'e1 udp C:1111 > O1:77', fate: 'delivered udp 9.9.9.9:1111 > O1:77 ttl=64' }],
    },
  ]);
});
