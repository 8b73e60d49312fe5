/** kube-proxy's chains, whole and damaged, and what the linter has to say of them. */
import type { Situation, Situations } from './lint-situation.ts';

const SVC = 'KUBE-SVC-AAAAAAAAAAAAAAAA';
const SEPS = ['A', 'B', 'C'].map((letter) => `KUBE-SEP-${letter.repeat(16)}`);
const [A = '', B = '', C = ''] = SEPS;

const endpoint = (index: number) => `10.244.1.${index + 5}:8080`;

/** A nat table with one Service port of three endpoints; `edit` changes its lines. */
function kube(
  label: string,
  edit: (line: string) => string | undefined,
  found: readonly string[],
): Situation {
  const lines = [
    '*nat',
    ':KUBE-SERVICES - [0:0]',
    ':KUBE-MARK-MASQ - [0:0]',
    ':KUBE-POSTROUTING - [0:0]',
    ...[SVC, ...SEPS].map((chain) => `:${chain} - [0:0]`),
    '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
    '-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000',
    '-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN',
    `-A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "shop/web:http cluster IP" -m tcp --dport 80 -j ${SVC}`,
    ...SEPS.map((chain, index) => {
      const share = [
        '-m statistic --mode random --probability 0.33333333349 ',
        '-m statistic --mode random --probability 0.50000000000 ',
        '',
      ][index];
      return `-A ${SVC} -m comment --comment "shop/web:http -> ${endpoint(index)}" ${share}-j ${chain}`;
    }),
    ...SEPS.flatMap((chain, index) => [
      `-A ${chain} -s 10.244.1.${index + 5}/32 -m comment --comment "shop/web:http" -j KUBE-MARK-MASQ`,
      `-A ${chain} -p tcp -m comment --comment "shop/web:http" -m tcp -j DNAT --to-destination ${endpoint(index)}`,
    ]),
    'COMMIT',
  ];
  const edited = lines.map(edit).filter((line) => line !== undefined);
  return { label, text: `${edited.join('\n')}\n`, found };
}

const without = (pattern: RegExp) => (line: string) => (pattern.test(line) ? undefined : line);
const replacing = (from: string | RegExp, to: string) => (line: string) => line.replace(from, to);

const MARK_DROP: Situation = {
  label: 'KUBE-MARK-DROP that nothing uses',
  text: '*nat\n:KUBE-MARK-DROP - [0:0]\n-A KUBE-MARK-DROP -j MARK --set-xmark 0x8000/0x8000\nCOMMIT\n*filter\n:KUBE-FIREWALL - [0:0]\n-A INPUT -j KUBE-FIREWALL\n-A KUBE-FIREWALL -m mark --mark 0x8000/0x8000 -j DROP\nCOMMIT\n',
  found: ['2 kube-mark-drop-remains'],
};

const reject = (service: string) =>
  `-A KUBE-EXTERNAL-SERVICES -d 192.0.2.1/32 -p tcp -m comment --comment "${service} has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable`;

/** Rules for what cannot be served, by Services that claim one address. */
function claimed(label: string, services: readonly string[], found: readonly string[]): Situation {
  const rules = services.map(reject).join('\n');
  const text = `*filter\n:KUBE-EXTERNAL-SERVICES - [0:0]\n-A INPUT -j KUBE-EXTERNAL-SERVICES\n${rules}\nCOMMIT\n`;
  return { label, text, found };
}

export const KUBE_SITUATIONS: readonly Situations[] = [
  {
    about: "kube-proxy's balancing",
    situations: [
      kube('as it writes it', (line) => line, []),
      kube('five decimals, as it once wrote', replacing('0.33333333349', '0.33332999982'), []),
      kube('the wrong share', replacing('0.33333333349', '0.25000000000'), ['14 uneven-balancing']),
      kube(
        'the last rule random too',
        replacing(
          `10.244.1.7:8080" -j ${C}`,
          `10.244.1.7:8080" -m statistic --mode random --probability 0.25 -j ${C}`,
        ),
        ['14 uneven-balancing', '16 balancing-falls-through'],
      ),
      kube('the last rule missing', without(new RegExp(`-j ${C}$`)), [
        '8 kube-proxy-remains',
        '15 balancing-falls-through',
      ]),
      kube('the first rule missing', without(new RegExp(`-j ${A}$`)), ['6 kube-proxy-remains']),
    ],
  },
  {
    about: "what kube-proxy's Services leave behind",
    situations: [
      kube('a Service that nothing leads to', without(/cluster IP/), ['5 kube-proxy-remains']),
      kube(
        'an endpoint that nothing leads to, and the shares that are wrong then',
        without(new RegExp(`-j ${B}$`)),
        ['7 kube-proxy-remains', '14 uneven-balancing'],
      ),
      MARK_DROP,
      {
        ...MARK_DROP,
        label: 'KUBE-MARK-DROP in use',
        text: MARK_DROP.text.replace('COMMIT\n', '-A PREROUTING -d 10.96.0.1/32 -j KUBE-MARK-DROP\nCOMMIT\n'),
        found: [],
      },
    ],
  },
  {
    about: 'addresses that are claimed twice',
    situations: [
      claimed('by one Service, which says so', ['shop/web', 'shop/web'], []),
      claimed('by two Services, of which one is not heard', ['shop/web', 'shop/db'], ['5 shadowed-rule']),
    ],
  },
  {
    about: 'endpoints of two minds',
    situations: [
      kube('a hairpin rule for another address', replacing('-s 10.244.1.6/32', '-s 10.244.1.66/32'), [
        '19 kube-endpoint-mismatch',
      ]),
      kube(
        'a DNAT to another address',
        replacing('--to-destination 10.244.1.6:8080', '--to-destination 10.244.9.9:8080'),
        ['15 kube-endpoint-mismatch', '19 kube-endpoint-mismatch'],
      ),
      kube(
        'a DNAT to another port',
        replacing('--to-destination 10.244.1.6:8080', '--to-destination 10.244.1.6:9090'),
        ['15 kube-endpoint-mismatch'],
      ),
      kube('no DNAT', without(/destination 10.244.1.6:8080/), ['7 kube-endpoint-mismatch']),
      kube(
        'the endpoint of another Service',
        replacing(
          `-A ${B} -p tcp -m comment --comment "shop/web:http"`,
          `-A ${B} -p tcp -m comment --comment "shop/db"`,
        ),
        ['15 kube-endpoint-mismatch'],
      ),
      kube(
        'comments of a large cluster: none',
        replacing(/^(-A KUBE-S(?:VC|EP)-\S+.*?) -m comment --comment "[^"]*"/, '$1'),
        [],
      ),
    ],
  },
];
