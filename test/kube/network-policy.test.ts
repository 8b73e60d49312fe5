import { describe, expect, it } from 'vitest';
import { parseIpPrefix } from '../../src/wire/ip-prefix.ts';
import { decodeAll, decodeOne, refusalOf } from './manifest-text.ts';

const policy = (spec: string) =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec:\n${spec}`;
const spec = (text: string) => decodeOne('NetworkPolicy', policy(text)).spec;

const ALL = { matchLabels: {}, matchExpressions: [] };

describe('NetworkPolicy', () => {
  it.each<[string, string, object]>([
    [
      'nothing: every pod, ingress',
      '  {}',
      { podSelector: ALL, policyTypes: ['Ingress'], ingress: [], egress: [] },
    ],
    [
      'egress rules alone',
      '  egress: [{}]',
      { policyTypes: ['Ingress', 'Egress'], egress: [{ ports: [], to: [] }] },
    ],
    ['an empty egress list', '  egress: []', { policyTypes: ['Ingress'], egress: [] }],
    ['types as given', '  policyTypes: [Egress]\n  ingress: [{}]', { policyTypes: ['Egress'] }],
    ['an empty list of types', '  policyTypes: []\n  egress: [{}]', { policyTypes: ['Ingress', 'Egress'] }],
    [
      'ports',
      '  ingress: [{ports: [{port: 80}, {port: dns, protocol: UDP}, {protocol: SCTP}, {port: 1, endPort: 65535}]}]',
      {
        ingress: [
          {
            from: [],
            ports: [
              { protocol: 'TCP', port: 80 },
              { protocol: 'UDP', port: 'dns' },
              { protocol: 'SCTP' },
              { protocol: 'TCP', port: 1, endPort: 65535 },
            ],
          },
        ],
      },
    ],
    [
      'selectors, null as absent',
      '  ingress: [{from: [{podSelector: {}, namespaceSelector: null}, {namespaceSelector: {matchLabels: {a/b: ""}}}]}]',
      {
        ingress: [
          {
            ports: [],
            from: [
              { podSelector: ALL },
              { namespaceSelector: { matchLabels: { 'a/b': '' }, matchExpressions: [] } },
            ],
          },
        ],
      },
    ],
    [
      'blocks, host bits cleared',
      '  egress: [{to: [{ipBlock: {cidr: 10.1.2.3/8, except: [10.2.3.4/16]}}, {ipBlock: {cidr: "fd00::/8"}}]}]',
      {
        egress: [
          {
            ports: [],
            to: [
              { ipBlock: { cidr: parseIpPrefix('10.0.0.0/8'), except: [parseIpPrefix('10.2.0.0/16')] } },
              { ipBlock: { cidr: parseIpPrefix('fd00::/8'), except: [] } },
            ],
          },
        ],
      },
    ],
  ])('%s', (_, text, expected) => {
    expect(spec(text)).toMatchObject(expected);
  });

  const ingressPort = (port: string) => `  ingress:\n  - ports:\n    - ${port}`;
  const ingressPeer = (peer: string) => `  ingress:\n  - from:\n    - ${peer}`;
  const at = (field: string) => `in.yaml:7: NetworkPolicy p: spec.ingress[0].${field}`;

  it.each<[string, string, string]>([
    [
      'protocol in lower case',
      ingressPort('protocol: tcp'),
      `${at('ports[0].protocol')}: "tcp" is not one of`,
    ],
    ['ICMP', ingressPort('protocol: ICMP'), '"ICMP" is not one of TCP, UDP, SCTP'],
    ['an empty protocol', ingressPort('protocol: ""'), '"" is not one of TCP, UDP, SCTP'],
    ['port 0', ingressPort('port: 0'), `${at('ports[0].port')}: 0 is not between 1 and 65535`],
    ['port 65536', ingressPort('port: 65536'), '65536 is not between 1 and 65535'],
    ['a number in quotes', ingressPort('port: "80"'), '"80" is not a port name'],
    ['a port name too long', ingressPort('port: a-name-of-sixteen'), 'is not a port name'],
    [
      'a range that runs backwards',
      ingressPort('{port: 90, endPort: 80}'),
      'endPort: 80 is less than port, 90',
    ],
    ['a range without a beginning', ingressPort('endPort: 80'), 'endPort: may not be given without port'],
    ['a range from a name', ingressPort('{port: web, endPort: 80}'), 'when port is a name (web)'],
    ['a range too far', ingressPort('{port: 90, endPort: 65536}'), '65536 is not between 1 and 65535'],
    ['no peer', ingressPeer('{}'), `${at('from[0]')}: a peer is required`],
    ['null for a peer', ingressPeer('null'), 'from[0]: a peer is required'],
    [
      'a block beside a selector',
      ingressPeer('{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}'),
      'may not stand beside',
    ],
    ['a block without cidr', ingressPeer('ipBlock: {}'), 'ipBlock.cidr: is required'],
    ['a bare address', ingressPeer('ipBlock: {cidr: 10.0.0.1}'), '"10.0.0.1" is not a network in CIDR form'],
    [
      'except of the same size',
      ingressPeer('ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}'),
      'not a strict part of cidr, 10.0.0.0/8',
    ],
    [
      'except outside',
      ingressPeer('ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}'),
      'except[0]: "11.0.0.0/16" is not',
    ],
    [
      'except of the other family',
      ingressPeer('ipBlock: {cidr: 0.0.0.0/0, except: ["fd00::/8"]}'),
      'is not a strict part',
    ],
    [
      'an operator',
      ingressPeer('podSelector: {matchExpressions: [{key: a, operator: Is}]}'),
      '"Is" is not one of',
    ],
    [
      'In without values',
      ingressPeer('podSelector: {matchExpressions: [{key: a, operator: In}]}'),
      'is required when operator is In',
    ],
    [
      'a bad value',
      ingressPeer('podSelector: {matchLabels: {a: "x y"}}'),
      'matchLabels.a: "x y" is not a label value',
    ],
    ['a bad key', ingressPeer('podSelector: {matchLabels: {"a/b/c": x}}'), 'is not a qualified name'],
    [
      'a bad value of an expression',
      ingressPeer('podSelector: {matchExpressions: [{key: a, operator: In, values: ["-"]}]}'),
      'values[0]: "-" is not a label value',
    ],
    [
      'a policy type',
      '  policyTypes: [ingress]',
      'spec.policyTypes[0]: "ingress" is not one of Ingress, Egress',
    ],
    ['three policy types', '  policyTypes: [Ingress, Egress, Ingress]', 'at most two policyTypes'],
    ['a list for a rule', '  ingress: [[]]', 'expected an object, found a list'],
  ])('refuses %s', (_, text, message) => {
    expect(refusalOf(() => decodeAll(policy(text)))).toContain(message);
  });
});
