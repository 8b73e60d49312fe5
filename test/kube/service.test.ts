import { describe, expect, it } from 'vitest';
import type { Service } from '../../src/kube/objects.ts';
import { decodeAll, decodeOne, refusalOf } from './manifest-text.ts';

/** A Service whose spec has `lines`; the first of them is line 5 of the file. */
function service(...lines: string[]): string {
  return [
    'apiVersion: v1',
    'kind: Service',
    'metadata: {name: web}',
    'spec:',
    ...lines.map((line) => `  ${line}`),
  ].join('\n');
}

const PORTS = 'ports: [{port: 80}]';

describe('defaults are the API server’s', () => {
  it('of a Service with a port alone', () => {
    expect(decodeOne('Service', service(PORTS))).toMatchObject({
      metadata: { name: 'web', namespace: 'default', labels: {}, annotations: {} },
      spec: {
        type: 'ClusterIP',
        clusterIP: '',
        clusterIPs: [],
        ipFamilies: [],
        ports: [{ name: '', protocol: 'TCP', port: 80, targetPort: 80, nodePort: 0 }],
        externalIPs: [],
        loadBalancerSourceRanges: [],
        sessionAffinity: 'None',
        sessionAffinityTimeout: 10800,
        internalTrafficPolicy: 'Cluster',
        externalTrafficPolicy: 'Cluster',
        healthCheckNodePort: 0,
        publishNotReadyAddresses: false,
        allocateLoadBalancerNodePorts: true,
      },
      status: { loadBalancer: { ingress: [] } },
    });
  });

  it('leaves out what is absent', () => {
    const { spec, allocated } = decodeOne('Service', service(PORTS));
    expect(spec).not.toHaveProperty('selector');
    expect(spec).not.toHaveProperty('ipFamilyPolicy');
    expect(spec).not.toHaveProperty('loadBalancerIP');
    expect(allocated).toBeUndefined();
  });

  it.each<[string, string[], object]>([
    ['targetPort by number', ['ports: [{port: 80, targetPort: 8080}]'], { ports: [{ targetPort: 8080 }] }],
    [
      'targetPort by name',
      ['ports: [{port: 80, targetPort: http-alt}]'],
      { ports: [{ targetPort: 'http-alt' }] },
    ],
    [
      'targetPort 0 and empty',
      ['ports: [{port: 80, targetPort: 0, name: a}, {port: 81, targetPort: "", name: b}]'],
      { ports: [{ targetPort: 80 }, { targetPort: 81 }] },
    ],
    [
      'null reads as absent',
      ['ports: [{port: 80, name: null, protocol: null}]', 'selector: null'],
      { ports: [{ name: '', protocol: 'TCP' }] },
    ],
    [
      'empty text where a field is no pointer',
      ['ports: [{port: 80, protocol: ""}]', 'type: ""', 'sessionAffinity: ""', 'externalTrafficPolicy: ""'],
      {
        type: 'ClusterIP',
        sessionAffinity: 'None',
        externalTrafficPolicy: 'Cluster',
        ports: [{ protocol: 'TCP' }],
      },
    ],
    ['an empty selector is none', [PORTS, 'selector: {}'], { type: 'ClusterIP' }],
    [
      'clusterIP alone',
      [PORTS, 'clusterIP: 10.96.0.10'],
      { clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'] },
    ],
    [
      'clusterIPs alone',
      [PORTS, 'clusterIPs: [10.96.0.10, "fd00::1"]'],
      { clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10', 'fd00::1'] },
    ],
    ['headless, without ports', ['clusterIP: None'], { clusterIP: 'None', clusterIPs: ['None'], ports: [] }],
    [
      'leading zeros, kept as written',
      [PORTS, 'externalIPs: [010.001.002.003]'],
      { externalIPs: ['010.001.002.003'] },
    ],
    [
      'padded source ranges with host bits',
      [PORTS, 'type: LoadBalancer', 'loadBalancerSourceRanges: [" 10.1.2.3/8 "]'],
      { loadBalancerSourceRanges: [' 10.1.2.3/8 '] },
    ],
    [
      'affinity',
      [PORTS, 'sessionAffinity: ClientIP', 'sessionAffinityConfig: {clientIP: {timeoutSeconds: 1}}'],
      { sessionAffinityTimeout: 1 },
    ],
    [
      'ExternalName',
      ['type: ExternalName', 'externalName: db.example.org'],
      { type: 'ExternalName', ports: [] },
    ],
    [
      'a health-check node port that means nothing',
      [PORTS, 'healthCheckNodePort: 32000'],
      { healthCheckNodePort: 32000 },
    ],
    [
      'the same port for two protocols',
      ['ports: [{name: a, port: 53}, {name: b, port: 53, protocol: UDP}]'],
      { ports: [{ port: 53 }, { port: 53 }] },
    ],
  ])('%s', (_, lines, spec) => {
    expect(decodeOne('Service', service(...lines)).spec).toMatchObject(spec);
  });

  it('knows an object that an API server has completed', () => {
    expect(decodeOne('Service', service(PORTS, 'clusterIPs: [10.96.0.10]')).allocated).toBe(true);
    expect(decodeOne('Service', service(PORTS, 'clusterIP: 10.96.0.10')).allocated).toBeUndefined();
  });

  it('reads ingress', () => {
    const text = `${service(PORTS, 'type: LoadBalancer')}\nstatus:\n  loadBalancer:\n    ingress: [{ip: 192.0.2.1, ipMode: Proxy}, {hostname: lb.example.org, ip: ""}]`;
    expect(decodeOne('Service', text).status.loadBalancer.ingress).toEqual([
      { ip: '192.0.2.1', ipMode: 'Proxy' },
      { hostname: 'lb.example.org' },
    ]);
  });

  it('ignores what kubectl get adds', () => {
    const text = `${service(PORTS, 'somethingNew: [1]').replace('{name: web}', '{name: web, managedFields: [{manager: x}], uid: y, creationTimestamp: "2024-01-01T00:00:00Z"}')}\nextra: 1`;
    expect(decodeOne('Service', text).metadata.name).toBe('web');
  });
});

describe('what the API server refuses is refused, with field and line', () => {
  it.each<[string, string[], string]>([
    [
      'port 99999',
      ['ports:', '- name: http', '  port: 99999'],
      '7: Service web: spec.ports[0].port: 99999 is not between 1 and 65535',
    ],
    ['port 0', ['ports: [{port: 0}]'], '5: Service web: spec.ports[0].port: 0 is not between 1 and 65535'],
    [
      'a port in quotes',
      ['ports: [{port: "80"}]'],
      '5: Service web: spec.ports[0].port: expected a whole number, found the string "80"',
    ],
    [
      'half a port',
      ['ports: [{port: 80.5}]'],
      '5: Service web: spec.ports[0].port: expected a whole number, found 80.5',
    ],
    ['no port', ['ports: [{name: x}]'], '5: Service web: spec.ports[0].port: is required'],
    ['no ports', ['selector: {a: b}'], '4: Service web: spec.ports: is required'],
    [
      'a bad protocol',
      ['ports:', '- {port: 80, protocol: ICMP}'],
      '6: Service web: spec.ports[0].protocol: "ICMP" is not one of TCP, UDP, SCTP',
    ],
    [
      'a protocol in lower case',
      ['ports: [{port: 80, protocol: tcp}]'],
      '5: Service web: spec.ports[0].protocol: "tcp" is not one of TCP, UDP, SCTP',
    ],
    [
      'a port name that is no label',
      ['ports: [{port: 80, name: Http}]'],
      '5: Service web: spec.ports[0].name: "Http" is not an RFC 1123 label',
    ],
    [
      'unnamed ports among several',
      ['ports:', '- {name: a, port: 1}', '- {port: 2}'],
      '7: Service web: spec.ports[1].name: is required when there are several ports',
    ],
    [
      'a port name twice',
      ['ports:', '- {name: a, port: 1}', '- {name: a, port: 2}'],
      '7: Service web: spec.ports[1]: the port name a is already used by spec.ports[0]',
    ],
    [
      'a port twice',
      ['ports:', '- {name: a, port: 1}', '- {name: b, port: 1}'],
      '7: Service web: spec.ports[1]: the port 1/TCP is already used by spec.ports[0]',
    ],
    [
      'a nodePort twice',
      [
        'type: NodePort',
        'ports:',
        '- {name: a, port: 1, nodePort: 30000}',
        '- {name: b, port: 2, nodePort: 30000}',
      ],
      '8: Service web: spec.ports[1]: the nodePort 30000/TCP is already used by spec.ports[0]',
    ],
    [
      'targetPort out of range',
      ['ports: [{port: 80, targetPort: 70000}]'],
      '5: Service web: spec.ports[0].targetPort: 70000 is not between 1 and 65535',
    ],
    [
      'targetPort as digits in quotes',
      ['ports: [{port: 80, targetPort: "8080"}]'],
      '5: Service web: spec.ports[0].targetPort: "8080" is a name that has no letter',
    ],
    [
      'targetPort with a long name',
      ['ports: [{port: 80, targetPort: a-name-too-long-for-iana}]'],
      'is not a port name',
    ],
    ['targetPort with --', ['ports: [{port: 80, targetPort: a--b}]'], 'is not a port name'],
    [
      'a nodePort on ClusterIP',
      ['ports: [{port: 80, nodePort: 30080}]'],
      "5: Service web: spec.ports[0].nodePort: may not be used when type is 'ClusterIP'",
    ],
    [
      'an unknown type',
      [PORTS, 'type: Nodeport'],
      '6: Service web: spec.type: "Nodeport" is not one of ClusterIP, NodePort, LoadBalancer, ExternalName',
    ],
    [
      'a bad clusterIP',
      [PORTS, 'clusterIP: 10.96.0.256'],
      '6: Service web: spec.clusterIP: "10.96.0.256" is not an IP address',
    ],
    ['none in lower case', [PORTS, 'clusterIP: none'], '"none" is not an IP address'],
    [
      'clusterIP and clusterIPs that differ',
      [PORTS, 'clusterIP: 10.96.0.1', 'clusterIPs: [10.96.0.2]'],
      '6: Service web: spec.clusterIP: 10.96.0.1 is not the first of clusterIPs',
    ],
    [
      'two addresses of one family',
      [PORTS, 'clusterIPs: [10.96.0.1, 10.96.0.2]'],
      '6: Service web: spec.clusterIPs[1]: an address of family IPv4 is already used by spec.clusterIPs[0]',
    ],
    [
      'an address of the wrong family',
      [PORTS, 'clusterIPs: [10.96.0.1]', 'ipFamilies: [IPv6]'],
      '6: Service web: spec.clusterIPs[0]: 10.96.0.1 is not an IPv6 address, which ipFamilies[0] asks for',
    ],
    ['None beside an address', [PORTS, 'clusterIPs: [None, 10.96.0.2]'], "'None' may only stand alone"],
    [
      'headless NodePort',
      [PORTS, 'type: NodePort', 'clusterIP: None'],
      "7: Service web: spec.clusterIP: may not be set to 'None' for NodePort services",
    ],
    [
      'a family twice',
      [PORTS, 'ipFamilies: [IPv4, IPv4]'],
      '6: Service web: spec.ipFamilies[1]: the family IPv4 is already used by spec.ipFamilies[0]',
    ],
    [
      'an unknown family policy',
      [PORTS, 'ipFamilyPolicy: DualStack'],
      'is not one of SingleStack, PreferDualStack, RequireDualStack',
    ],
    [
      'a bad external IP',
      [PORTS, 'externalIPs: [1.2.3.4, 1.2.3]'],
      '6: Service web: spec.externalIPs[1]: "1.2.3" is not an IP address',
    ],
    [
      'a source range without a length',
      [PORTS, 'type: LoadBalancer', 'loadBalancerSourceRanges: [10.0.0.1]'],
      'spec.loadBalancerSourceRanges[0]: "10.0.0.1" is not a network in CIDR form',
    ],
    [
      'affinity for a day and a second',
      [PORTS, 'sessionAffinity: ClientIP', 'sessionAffinityConfig: {clientIP: {timeoutSeconds: 86401}}'],
      '7: Service web: spec.sessionAffinityConfig.clientIP.timeoutSeconds: 86401 is not between 1 and 86400',
    ],
    [
      'affinity for no time',
      [PORTS, 'sessionAffinity: ClientIP', 'sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}}'],
      '0 is not between 1 and 86400',
    ],
    ['an unknown affinity', [PORTS, 'sessionAffinity: Cookie'], '"Cookie" is not one of None, ClientIP'],
    ['an unknown policy', [PORTS, 'internalTrafficPolicy: local'], '"local" is not one of Cluster, Local'],
    [
      'a number as a label',
      [PORTS, 'selector: {app: 1}'],
      '6: Service web: spec.selector.app: expected a string, found 1 (quote it)',
    ],
    ['a boolean as a label', [PORTS, 'selector: {app: yes}'], 'expected a string, found true (quote it)'],
    [
      'text for a boolean',
      [PORTS, 'publishNotReadyAddresses: "true"'],
      'expected true or false, found the string "true"',
    ],
    [
      'an object for a list',
      ['ports: {port: 80}'],
      '5: Service web: spec.ports: expected a list, found an object',
    ],
    ['text for an object', ['ports: [80]'], '5: Service web: spec.ports[0]: expected an object, found 80'],
  ])('%s', (_, lines, message) => {
    expect(refusalOf(() => decodeAll(service(...lines)))).toContain(message);
  });

  it.each<[string, string]>([
    ['1web', '"1web" is not an RFC 1035 label'],
    ['we.b', '"we.b" is not an RFC 1035 label'],
    ['Web', '"Web" is not an RFC 1035 label'],
    [`w${'x'.repeat(63)}`, 'is longer than 63 characters'],
  ])('the name %s', (name, message) => {
    const text = service(PORTS).replace('name: web', `name: ${name}`);
    expect(refusalOf(() => decodeAll(text))).toContain(
      `in.yaml:3: Service ${name}: metadata.name: ${message}`.slice(0, 60),
    );
    expect(refusalOf(() => decodeAll(text))).toContain(message);
  });

  it('no name, no metadata, a bad namespace', () => {
    const replace = (metadata: string) => service(PORTS).replace('metadata: {name: web}', metadata);
    expect(refusalOf(() => decodeAll(replace('metadata: {}')))).toBe(
      'in.yaml:3: Service: metadata.name: is required',
    );
    expect(refusalOf(() => decodeAll(replace('# nothing')))).toBe(
      'in.yaml:1: Service: metadata: is required',
    );
    expect(refusalOf(() => decodeAll(replace('metadata: {name: a, namespace: A}')))).toContain(
      '"A" is not an RFC 1123 label',
    );
  });
});

it('places the error in a List', () => {
  const items = [service(PORTS), service('ports:', '- port: 99999')].map(
    (text) => `- ${text.replaceAll('\n', '\n  ')}`,
  );
  const text = `apiVersion: v1\nkind: List\nitems:\n${items.join('\n')}\n`;
  expect(refusalOf(() => decodeAll(text))).toBe(
    'in.yaml:14: Service web: spec.ports[0].port: 99999 is not between 1 and 65535',
  );
});

it('places the error in JSON', () => {
  const text = JSON.stringify(
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { ports: [{ port: 99999 }] } },
    null,
    1,
  );
  const line = text.split('\n').findIndex((each) => each.includes('99999')) + 1;
  expect(refusalOf(() => decodeAll(text))).toContain(`in.yaml:${line}: `);
});

it('keeps the type of the spec complete', () => {
  const spec: Service['spec'] = decodeOne(
    'Service',
    service(PORTS, 'selector: {a: b}', 'loadBalancerIP: 192.0.2.1'),
  ).spec;
  expect(spec.selector).toEqual({ a: 'b' });
  expect(spec.loadBalancerIP).toBe('192.0.2.1');
});
