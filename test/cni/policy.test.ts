/** NetworkPolicies as people write them, and who may then talk to whom. */
import { describe, expect, it } from 'vitest';
import { allowingRule, explainPolicyDrop } from '../../src/cni/policy/explain.ts';
import { podChain } from '../../src/cni/policy/names.ts';
import type {
  Labels,
  Policy,
  PolicyNamespace,
  PolicyPod,
  PolicyProtocol,
} from '../../src/cni/policy/policy.ts';
import { PolicyIndex } from '../../src/cni/policy/policy-index.ts';
import { selectorKey, selects } from '../../src/cni/policy/selector.ts';
import { matchesSelector } from '../../src/kube/label-selector.ts';
import { familyOf, type IpFamily, parseIpAddress } from '../../src/wire/ip-address.ts';
import { decodeAll } from '../kube/manifest-text.ts';
import { type End, NODES, World } from './policy-world.ts';

/** `NAMESPACE/NAME NODE ADDRESS… {LABEL=VALUE…} PORTNAME:NUMBER/PROTOCOL…`; on no address: hostNetwork. */
function pod(text: string): PolicyPod {
  const [name = '', node = '', ...words] = text.split(' ');
  const [namespace = '', own = ''] = name.split('/');
  const addresses = words.filter((word) => /^[0-9a-f]+[.:][0-9a-f.:]+$/.test(word) && !word.includes('/'));
  const labels = words.filter((word) => word.includes('=')).map((word) => word.split('='));
  const ports = words
    .filter((word) => /\/(TCP|UDP|SCTP)$/.test(word))
    .map((word) => {
      const [, port = '', number, protocol] = /^(.*):(\d+)\/(.*)$/.exec(word) ?? [];
      return { name: port, containerPort: Number(number), protocol: protocol as PolicyProtocol };
    });
  const home = NODES.find((each) => each.name === node);
  const hostNetwork = addresses.length === 0;
  return {
    namespace,
    name: own,
    node,
    labels: Object.fromEntries(labels) as Labels,
    addresses: hostNetwork ? (home?.addresses ?? []) : addresses.map(parseIpAddress),
    ports,
    hostNetwork,
  };
}

const PODS = [
  'default/client n1 10.244.1.5 fd00:10:244:1::5 app=client',
  'default/web n1 10.244.1.6 fd00:10:244:1::6 app=web tier=front http:8080/TCP metrics:9090/TCP',
  'default/web2 n2 10.244.2.6 fd00:10:244:2::6 app=web http:80/TCP',
  'default/db n2 10.244.2.7 fd00:10:244:2::7 app=db pg:5432/TCP stats:9000/UDP',
  'kube-system/dns n2 10.244.2.8 fd00:10:244:2::8 k8s-app=dns dns:53/UDP dns-tcp:53/TCP',
  'other/client n1 10.244.1.9 fd00:10:244:1::9 app=client',
  'default/host n1 app=client',
].map(pod);

const NAMESPACES: readonly PolicyNamespace[] = [
  { name: 'default', labels: { 'kubernetes.io/metadata.name': 'default' } },
  { name: 'other', labels: { 'kubernetes.io/metadata.name': 'other', team: 'blue' } },
  { name: 'kube-system', labels: { 'kubernetes.io/metadata.name': 'kube-system' } },
];

function policies(specs: readonly string[], namespace = 'default'): Policy[] {
  const text = specs.map(
    (spec, index) =>
      `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p${index}, namespace: ${namespace}}\nspec: ${spec}\n`,
  );
  return decodeAll(text.join('---\n')).flatMap((object) => (object.kind === 'NetworkPolicy' ? [object] : []));
}

function end(text: string): End {
  const node = NODES.find(({ name }) => name === text);
  if (node !== undefined) return { kind: 'node', node };
  const found = PODS.find(({ namespace, name }) => `${namespace}/${name}` === text);
  if (found !== undefined) return { kind: 'pod', pod: found };
  return { kind: 'outside', addresses: [parseIpAddress(text)] };
}

/** `default/client > default/web TCP 80`: in both families when both ends have both. */
function outcome(world: World, text: string): string {
  const [from = '', , to = '', protocol = 'TCP', port = '80'] = text.split(' ');
  const [source, destination] = [end(from), end(to)];
  const outside = [source, destination].find((each) => each.kind === 'outside');
  const families: readonly IpFamily[] =
    outside?.kind === 'outside' ? outside.addresses.map(familyOf) : ['ipv4', 'ipv6'];
  const found = families.map((family) =>
    world.attempt({
      from: source,
      to: destination,
      family,
      protocol: protocol as PolicyProtocol,
      port: Number(port),
    }),
  );
  return [...new Set(found)].join(', ');
}

interface Case {
  readonly name: string;
  readonly specs: readonly string[];
  readonly namespace?: string;
  readonly arrive?: readonly string[];
  /** With the node that drops. */
  readonly refused?: readonly (readonly [string, string])[];
}

const CASES: readonly Case[] = [
  {
    name: 'no policy, everything passes',
    specs: [],
    arrive: ['default/client > default/db TCP 5432', '192.0.2.9 > default/web', 'other/client > 192.0.2.9'],
  },
  {
    name: 'an empty policy isolates every pod of the namespace for ingress',
    specs: ['{}'],
    arrive: [
      'default/web > kube-system/dns UDP 53',
      'default/web > 192.0.2.9',
      'n1 > default/web',
      'n2 > default/db',
      'default/web > default/web',
    ],
    refused: [
      ['default/client > default/web', 'n1'],
      ['default/client > default/db', 'n2'],
      ['192.0.2.9 > default/web', 'n1'],
      ['n1 > default/db', 'n2'],
      ['default/host > default/db', 'n2'],
    ],
  },
  {
    name: 'from pods of the same namespace',
    specs: [
      '{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}',
    ],
    arrive: [
      'default/web > default/db TCP 5432',
      'default/web2 > default/db TCP 1',
      'default/client > default/web',
    ],
    refused: [
      ['default/client > default/db TCP 5432', 'n2'],
      ['kube-system/dns > default/db TCP 5432', 'n2'],
    ],
  },
  {
    name: 'from namespaces',
    specs: ['{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: blue}}}]}]}'],
    arrive: ['other/client > default/web', 'other/client > default/db'],
    refused: [
      ['default/client > default/web', 'n1'],
      ['kube-system/dns > default/web', 'n1'],
    ],
  },
  {
    name: 'both selectors in one peer must hold',
    specs: [
      '{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchExpressions: [{key: team, operator: DoesNotExist}]}, podSelector: {matchLabels: {app: client}}}]}]}',
    ],
    arrive: ['default/client > default/web'],
    refused: [
      ['other/client > default/web', 'n1'],
      ['kube-system/dns > default/web', 'n1'],
      ['default/web2 > default/web', 'n1'],
    ],
  },
  {
    name: 'two peers are alternatives',
    specs: [
      '{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: blue}}}, {podSelector: {matchLabels: {app: web}}}]}]}',
    ],
    arrive: ['other/client > default/db', 'default/web > default/db'],
    refused: [['default/client > default/db', 'n2']],
  },
  {
    name: 'port numbers and ranges',
    specs: [
      '{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 80}, {port: 8000, endPort: 8100}, {protocol: UDP}]}]}',
    ],
    arrive: [
      'default/client > default/web TCP 80',
      'default/client > default/web TCP 8000',
      'default/client > default/web TCP 8100',
      '192.0.2.9 > default/web2 UDP 7',
    ],
    refused: [
      ['default/client > default/web TCP 81', 'n1'],
      ['default/client > default/web TCP 7999', 'n1'],
      ['default/client > default/web TCP 8101', 'n1'],
      ['default/client > default/web SCTP 80', 'n1'],
    ],
  },
  {
    name: 'a named port is a number of each pod',
    specs: ['{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: http}]}]}'],
    arrive: ['default/client > default/web TCP 8080', 'default/client > default/web2 TCP 80'],
    refused: [
      ['default/client > default/web TCP 80', 'n1'],
      ['default/client > default/web2 TCP 8080', 'n2'],
      ['default/client > default/web UDP 8080', 'n1'],
    ],
  },
  {
    name: 'a named port of egress is the number at the far end',
    specs: [
      '{podSelector: {matchLabels: {app: client}}, egress: [{to: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: http}]}]}',
    ],
    arrive: ['default/client > default/web TCP 8080', 'default/client > default/web2 TCP 80'],
    refused: [
      ['default/client > default/web TCP 80', 'n1'],
      ['default/client > default/web2 TCP 8080', 'n1'],
      ['default/client > default/db TCP 80', 'n1'],
    ],
  },
  {
    name: 'a name that nobody has allows nothing',
    specs: ['{podSelector: {}, ingress: [{ports: [{port: nobody}]}]}'],
    refused: [['default/client > default/web TCP 8080', 'n1']],
  },
  {
    name: 'ipBlock with exceptions',
    specs: [
      '{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.244.2.0/24, 10.244.1.9/32]}}]}]}',
    ],
    arrive: ['10.1.1.1 > default/web'],
    refused: [
      ['192.0.2.9 > default/web', 'n1'],
      ['10.244.2.99 > default/web', 'n1'],
      ['2001:db8::1 > default/web', 'n1'],
    ],
  },
  {
    name: 'everything but a part: blocks of length 0',
    specs: [
      '{podSelector: {matchLabels: {app: client}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [192.0.2.0/24]}}, {ipBlock: {cidr: "::/0", except: ["8000::/1"]}}]}]}',
    ],
    arrive: ['default/client > 198.51.100.1', 'default/client > 2001:db8::9'],
    refused: [
      ['default/client > 192.0.2.9', 'n1'],
      ['default/client > fd99::1', 'n1'],
    ],
  },
  {
    name: 'policies add up',
    specs: [
      '{podSelector: {matchLabels: {app: db}}}',
      '{podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: 5432}]}]}',
      '{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {tier: front}}}]}]}',
    ],
    arrive: ['default/client > default/db TCP 5432', 'default/web > default/db TCP 1'],
    refused: [['default/client > default/db TCP 1', 'n2']],
  },
  {
    name: 'egress is stopped on the node of the sender, before ingress is asked',
    specs: ['{podSelector: {matchLabels: {app: client}}, policyTypes: [Egress]}'],
    arrive: ['default/web > default/client', 'default/client > n1 TCP 10250', 'other/client > default/db'],
    refused: [
      ['default/client > default/db', 'n1'],
      ['default/client > kube-system/dns UDP 53', 'n1'],
      ['default/client > n2 TCP 10250', 'n1'],
    ],
  },
  {
    name: 'both ends must agree',
    specs: [
      '{podSelector: {matchLabels: {app: client}}, egress: [{to: [{podSelector: {matchLabels: {app: db}}}]}]}',
      '{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {}}], ports: [{port: 5432}]}]}',
      '{podSelector: {matchLabels: {app: client}}, policyTypes: [Egress]}',
    ],
    arrive: ['default/client > default/db TCP 5432'],
    refused: [
      ['default/client > default/db TCP 22', 'n2'],
      ['default/client > default/web', 'n1'],
      ['other/client > default/db TCP 5432', 'n2'],
    ],
  },
  {
    name: 'egress rules of a policy of type Ingress mean nothing',
    specs: [
      '{podSelector: {matchLabels: {app: client}}, policyTypes: [Ingress], egress: [{to: [{podSelector: {matchLabels: {app: none}}}]}]}',
    ],
    arrive: ['default/client > default/db'],
    refused: [['default/web > default/client', 'n1']],
  },
  {
    name: 'a policy is about its own namespace',
    specs: ['{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}'],
    namespace: 'other',
    arrive: ['other/client > default/web'],
    refused: [['default/client > other/client', 'n1']],
  },
  {
    name: 'selectors never mean pods on the network of the host',
    specs: [
      '{podSelector: {matchLabels: {app: client}}}',
      '{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: client}}}]}]}',
    ],
    arrive: ['default/client > default/db', '192.0.2.9 > default/host', 'default/host > default/web'],
    refused: [['default/host > default/db', 'n2']],
  },
];

describe.each(CASES)('$name', ({ specs, namespace, arrive = [], refused = [] }) => {
  const input = { pods: PODS, namespaces: NAMESPACES, policies: policies(specs, namespace) };

  it.each(arrive.map((attempt) => [attempt]))('%s arrives', (attempt) => {
    expect(outcome(new World(input), attempt)).toBe('arrives');
  });

  it.each(refused)('%s is refused on %s', (attempt, node) => {
    expect(outcome(new World(input), attempt)).toBe(`dropped on ${node}`);
  });
});

const DB_ONLY = policies([
  '{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: pg}]}]}',
]);

describe('answers', () => {
  const input = {
    pods: PODS,
    namespaces: NAMESPACES,
    policies: policies([
      '{podSelector: {matchLabels: {app: client}}, policyTypes: [Ingress]}',
      '{podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress, Egress], ingress: [{ports: [{protocol: UDP, port: 9000}]}]}',
    ]),
  };
  const question = {
    from: end('default/client'),
    to: end('default/db'),
    protocol: 'UDP',
    sport: 5000,
    port: 9000,
  } as const;
  const answer = { from: question.to, to: question.from, protocol: 'UDP', sport: 9000, port: 5000 } as const;

  it.each(['ipv4', 'ipv6'] as const)('pass where nothing else may, %s', (family) => {
    const world = new World(input);
    expect(world.attempt({ ...question, family })).toBe('arrives');
    expect(world.attempt({ ...answer, family })).toBe('arrives');
  });

  it('are none without a question', () => {
    const world = new World(input);
    expect(world.attempt({ ...answer, family: 'ipv4' })).toBe('dropped on n2');
  });
});

describe('beside other rules', () => {
  it('come first: what kube-proxy has marked is no way around them', () => {
    const before = {
      ipv4: '*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j ACCEPT\nCOMMIT\n',
      ipv6: '*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j ACCEPT\nCOMMIT\n',
    };
    const world = new World({ pods: PODS, namespaces: NAMESPACES, policies: DB_ONLY }, before);
    expect(outcome(world, 'default/client > default/db TCP 5432')).toBe('dropped on n2');
  });

  it('leave what they allow to the rules that follow', () => {
    const drop = '*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j DROP\nCOMMIT\n';
    const world = new World(
      { pods: PODS, namespaces: NAMESPACES, policies: DB_ONLY },
      { ipv4: drop, ipv6: drop },
    );
    expect(outcome(world, 'default/web2 > default/db TCP 5432')).toBe('dropped on n2');
  });

  it('are not there for a node whose pods nobody isolates', () => {
    const index = new PolicyIndex({ pods: PODS, namespaces: NAMESPACES, policies: DB_ONLY });
    expect(index.nodeRules('n1', 'ipv4')).toEqual({ rules: '', sets: '' });
  });
});

describe('the text of a node', () => {
  it('has names and comments that tell the policy', () => {
    const index = new PolicyIndex({ pods: PODS, namespaces: NAMESPACES, policies: DB_ONLY });
    expect(index.nodeRules('n2', 'ipv4')).toMatchInlineSnapshot(`
      {
        "rules": "*filter
      :KWNP-FORWARD - [0:0]
      :KWNP-I-ZJXVO7WVYYHACXVR - [0:0]
      -I FORWARD 1 -m comment --comment "network policies" -j KWNP-FORWARD
      -A KWNP-FORWARD -m comment --comment "of a connection that was allowed" -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN
      -A KWNP-FORWARD -d 10.244.2.7/32 -m comment --comment "pod default/db: ingress" -j KWNP-I-ZJXVO7WVYYHACXVR
      -A KWNP-I-ZJXVO7WVYYHACXVR -s 10.244.2.7/32 -m comment --comment "pod default/db: itself" -j RETURN
      -A KWNP-I-ZJXVO7WVYYHACXVR -p tcp -m comment --comment "default/p0: ingress[0] from ports[0]" -m set --match-set KWNP4-Z3IPW5T5VK5YXPTT src -m tcp --dport 5432 -j RETURN
      -A KWNP-I-ZJXVO7WVYYHACXVR -m comment --comment "pod default/db isolated by default/p0: ingress" -j DROP
      COMMIT
      ",
        "sets": "create KWNP4-Z3IPW5T5VK5YXPTT hash:ip family inet hashsize 1024 maxelem 65536
      add KWNP4-Z3IPW5T5VK5YXPTT 10.244.1.6
      add KWNP4-Z3IPW5T5VK5YXPTT 10.244.2.6
      ",
      }
    `);
  });

  it('keeps its names when pods come and go', () => {
    const names = (pods: readonly PolicyPod[]) => {
      const { rules } = new PolicyIndex({ pods, namespaces: NAMESPACES, policies: DB_ONLY }).nodeRules(
        'n2',
        'ipv6',
      );
      return rules;
    };
    expect(names(PODS.filter(({ name }) => name !== 'web'))).toBe(names(PODS));
  });

  it('cuts names that are too long for a comment', () => {
    const [policy] = DB_ONLY;
    if (policy === undefined) throw new Error('no policy');
    const long = { ...policy, metadata: { namespace: 'default', name: 'n'.repeat(253) } };
    const { rules } = new PolicyIndex({ pods: PODS, namespaces: NAMESPACES, policies: [long] }).nodeRules(
      'n2',
      'ipv4',
    );
    const comments = [...rules.matchAll(/--comment "([^"]*)"/g)].map(([, text = '']) => text);
    expect(Math.max(...comments.map(({ length }) => length))).toBe(255);
    expect(comments.filter((text) => text.endsWith('...: ingress[0] from ports[0]'))).toHaveLength(1);
  });
});

describe('an explanation', () => {
  const index = new PolicyIndex({ pods: PODS, namespaces: NAMESPACES, policies: DB_ONLY });
  const chain = podChain('ingress', { namespace: 'default', name: 'db' });
  const packet = (source: string, protocol: string, port?: number) => ({
    source: parseIpAddress(source),
    destination: parseIpAddress('10.244.2.7'),
    protocol,
    ...(port === undefined ? {} : { port }),
  });

  it.each([
    [undefined, 'no rule of which allows it'],
    [packet('10.244.1.5', 'UDP', 5432), 'no rule of which allows it'],
    [packet('10.244.1.6', 'TCP', 22), 'no rule of which allows it: default/p0 ingress[0] allows only TCP pg'],
    [
      packet('10.244.1.5', 'TCP', 5432),
      'no rule of which allows it: default/p0 ingress[0] allows the port, but pod default/client (10.244.1.5) is none of its from',
    ],
    [
      packet('172.18.0.2', 'TCP', 5432),
      "no rule of which allows it: default/p0 ingress[0] allows the port, but 172.18.0.2, which is no pod's address, is none of its from",
    ],
    [packet('10.244.1.6', 'ICMP'), 'no rule of which allows it: default/p0 ingress[0] allows only TCP pg'],
  ])('%j', (seen, ending) => {
    expect(explainPolicyDrop(index, chain, seen)?.sentence).toBe(
      `ingress to pod default/db is isolated by NetworkPolicy default/p0, ${ending}`,
    );
  });

  it('of a policy that allows nothing', () => {
    const none = policies([
      '{podSelector: {}, policyTypes: [Egress]}',
      '{podSelector: {matchLabels: {app: db}}, policyTypes: [Egress]}',
    ]);
    const all = new PolicyIndex({ pods: PODS, namespaces: NAMESPACES, policies: none });
    expect(explainPolicyDrop(all, podChain('egress', { namespace: 'default', name: 'db' }))).toEqual({
      direction: 'egress',
      pod: 'default/db',
      policies: ['default/p0', 'default/p1'],
      nearMisses: [],
      sentence:
        'egress from pod default/db is isolated by NetworkPolicies default/p0, default/p1, which allow no egress at all',
    });
  });

  it('of nothing for chains of others', () => {
    expect(explainPolicyDrop(index, 'KUBE-FORWARD')).toBeUndefined();
    expect(
      explainPolicyDrop(index, podChain('egress', { namespace: 'default', name: 'db' })),
    ).toBeUndefined();
  });

  it('of what allowed', () => {
    expect(allowingRule(index, chain, 'default/p0: ingress[0] from ports[0]')).toBe(
      'default/p0 ingress[0] from ports[0]',
    );
    expect(allowingRule(index, chain, 'pod default/db: itself')).toBeUndefined();
  });
});

describe('selectors', () => {
  const expression = (operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist', ...values: string[]) => ({
    matchLabels: {},
    matchExpressions: [{ key: 'a', operator, values }],
  });
  const selectors = [
    { matchLabels: {}, matchExpressions: [] },
    { matchLabels: { a: '1' }, matchExpressions: [] },
    { matchLabels: { constructor: '1' }, matchExpressions: [] },
    expression('In', '1', '2'),
    expression('NotIn', '1'),
    expression('Exists'),
    expression('DoesNotExist'),
  ];

  it.each(selectors.map((selector) => [selectorKey(selector), selector] as const))('%s', (_, selector) => {
    for (const labels of [{}, { a: '1' }, { a: '2', b: '1' }, { b: '1' }, { a: '' }]) {
      expect(selects(selector, labels)).toBe(matchesSelector(selector, labels));
    }
  });
});
