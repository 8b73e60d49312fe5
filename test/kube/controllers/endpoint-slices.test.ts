import { describe, expect, it } from 'vitest';
import { deriveEndpointSlices } from '../../../src/kube/controllers/endpoint-slices.ts';
import { mirrorEndpoints } from '../../../src/kube/controllers/mirror-endpoints.ts';
import type { EndpointSlice, Node, Pod, Service } from '../../../src/kube/objects.ts';
import { decodeAll, decodeOne } from '../manifest-text.ts';

const NODE: Node = decodeOne(
  'Node',
  'apiVersion: v1\nkind: Node\nmetadata: {name: n1, labels: {topology.kubernetes.io/zone: z1}}\n',
);

interface PodShape {
  readonly labels?: string;
  readonly ips?: readonly string[];
  readonly ports?: string;
  readonly ready?: boolean;
  readonly phase?: string;
  readonly terminating?: boolean;
  readonly node?: string;
  readonly namespace?: string;
}

function pod(name: string, shape: PodShape = {}): Pod {
  const {
    labels = '{app: web}',
    ips = ['10.244.1.5'],
    ports = '[{name: http, containerPort: 8080}]',
  } = shape;
  const { ready = true, phase = 'Running', node = 'n1', namespace = 'default' } = shape;
  const deletion = shape.terminating ? ', deletionTimestamp: 2024-01-01T00:00:00Z' : '';
  const condition = ready ? 'True' : 'False';
  return decodeOne(
    'Pod',
    `apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: ${namespace}, labels: ${labels}${deletion}}
spec: {nodeName: ${node}, containers: [{name: c, ports: ${ports}}]}
status: {phase: ${phase}, podIPs: [${ips.map((ip) => `{ip: "${ip}"}`).join(', ')}], conditions: [{type: Ready, status: "${condition}"}]}
`,
  );
}

function service(spec = 'ports: [{name: http, port: 80, targetPort: http}]', families = 'IPv4'): Service {
  return decodeOne(
    'Service',
    `apiVersion: v1\nkind: Service\nmetadata: {name: web, labels: {team: a, kubernetes.io/service-name: x}}\nspec: {selector: {app: web}, ipFamilies: [${families}], ${spec}}\n`,
  );
}

const slices = (of: Service, pods: readonly Pod[]): EndpointSlice[] =>
  deriveEndpointSlices([of], { pods, nodes: [NODE] });

/** `10.244.1.5 ready serving -`, one line an endpoint, with the slice's ports before. */
function outline(list: readonly EndpointSlice[]): string[] {
  return list.flatMap(({ ports, endpoints }) => {
    const head = ports.map(({ name, port, protocol }) => `${name}:${port}/${protocol}`).join(' ');
    const lines = endpoints.map(({ addresses, conditions }) => {
      const flags = (['ready', 'serving', 'terminating'] as const).filter((flag) => conditions[flag]);
      return `${addresses.join(',')} ${flags.join(' ')}`.trim();
    });
    return [`[${head}]`, ...lines];
  });
}

describe('EndpointSlices', () => {
  it('are what the controller writes', () => {
    const [slice, ...more] = slices(service(), [pod('p')]);
    expect(more).toEqual([]);
    expect(slice).toMatchObject({
      kind: 'EndpointSlice',
      metadata: {
        namespace: 'default',
        labels: {
          'kubernetes.io/service-name': 'web',
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
          team: 'a',
        },
      },
      addressType: 'IPv4',
      ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
      endpoints: [
        {
          addresses: ['10.244.1.5'],
          conditions: { ready: true, serving: true, terminating: false },
          nodeName: 'n1',
          zone: 'z1',
          zoneHints: [],
          targetRef: { kind: 'Pod', namespace: 'default', name: 'p' },
        },
      ],
    });
    expect(slice?.metadata.name).toMatch(/^web-[a-z0-9]{5}$/);
  });

  const other = (ip: string, shape: PodShape = {}) =>
    pod(`p-${ip.replaceAll(/[.:]/g, '-')}`, { ...shape, ips: [ip] });
  it.each<[string, Service, Pod[], string[]]>([
    ['no pods: one empty slice', service(), [], ['[]']],
    [
      'labels decide',
      service(),
      [
        other('10.244.1.5'),
        other('10.244.1.6', { labels: '{app: db}' }),
        other('10.244.1.7', { labels: '{app: web, x: z}' }),
      ],
      ['[http:8080/TCP]', '10.244.1.5 ready serving', '10.244.1.7 ready serving'],
    ],
    ['and the namespace', service(), [other('10.244.1.5', { namespace: 'prod' })], ['[]']],
    ['not ready', service(), [other('10.244.1.5', { ready: false })], ['[http:8080/TCP]', '10.244.1.5']],
    [
      'not ready, but published',
      service('publishNotReadyAddresses: true, ports: [{port: 80}]'),
      [other('10.244.1.5', { ready: false })],
      ['[:80/TCP]', '10.244.1.5 ready'],
    ],
    [
      'terminating and serving',
      service(),
      [other('10.244.1.5', { terminating: true })],
      ['[http:8080/TCP]', '10.244.1.5 serving terminating'],
    ],
    [
      'terminating and not serving',
      service(),
      [other('10.244.1.5', { terminating: true, ready: false })],
      ['[http:8080/TCP]', '10.244.1.5 terminating'],
    ],
    [
      'finished pods are gone',
      service(),
      [other('10.244.1.5', { phase: 'Succeeded' }), other('10.244.1.6', { phase: 'Failed' })],
      ['[]'],
    ],
    ['pods without an address are not there yet', service(), [pod('p', { ips: [] })], ['[]']],
    [
      'a number as target',
      service('ports: [{port: 80, targetPort: 9}]'),
      [other('10.244.1.5')],
      ['[:9/TCP]', '10.244.1.5 ready serving'],
    ],
    [
      'a name the pod lacks: endpoints without a port',
      service('ports: [{port: 80, targetPort: nope}]'),
      [other('10.244.1.5')],
      ['[]', '10.244.1.5 ready serving'],
    ],
    [
      'a name of another protocol',
      service('ports: [{port: 80, protocol: UDP, targetPort: http}]'),
      [other('10.244.1.5')],
      ['[]', '10.244.1.5 ready serving'],
    ],
    [
      'one of two ports',
      service('ports: [{name: a, port: 80, targetPort: http}, {name: b, port: 81, targetPort: nope}]'),
      [other('10.244.1.5')],
      ['[a:8080/TCP]', '10.244.1.5 ready serving'],
    ],
    [
      'pods that differ in their ports, apart',
      service(),
      [
        other('10.244.1.5'),
        other('10.244.1.6', { ports: '[{name: http, containerPort: 9090}]' }),
        other('10.244.1.7'),
      ],
      [
        '[http:8080/TCP]',
        '10.244.1.5 ready serving',
        '10.244.1.7 ready serving',
        '[http:9090/TCP]',
        '10.244.1.6 ready serving',
      ],
    ],
    [
      'headless, with ports',
      service('clusterIP: None, ports: [{name: http, port: 80, targetPort: http}]'),
      [other('10.244.1.5')],
      ['[http:8080/TCP]', '10.244.1.5 ready serving'],
    ],
    [
      'headless, without ports',
      service('clusterIP: None'),
      [other('10.244.1.5')],
      ['[]', '10.244.1.5 ready serving'],
    ],
    [
      'one family of a dual-stack pod',
      service(undefined, 'IPv6'),
      [pod('p', { ips: ['10.244.1.5', 'fd00::5'] })],
      ['[http:8080/TCP]', 'fd00::5 ready serving'],
    ],
    [
      'a slice a family',
      service(undefined, 'IPv4, IPv6'),
      [pod('p', { ips: ['10.244.1.5', 'fd00::5'] }), other('10.244.1.6')],
      [
        '[http:8080/TCP]',
        '10.244.1.5 ready serving',
        '10.244.1.6 ready serving',
        '[http:8080/TCP]',
        'fd00::5 ready serving',
      ],
    ],
    ['none for ExternalName', service('type: ExternalName'), [other('10.244.1.5')], []],
  ])('%s', (_, of, pods, expected) => {
    expect(outline(slices(of, pods))).toEqual(expected);
  });

  it('have the headless label where kube-proxy looks for it', () => {
    const [headless] = slices(service('clusterIP: None'), []);
    expect(headless?.metadata.labels).toHaveProperty(['service.kubernetes.io/headless'], '');
    expect(slices(service(), [])[0]?.metadata.labels).not.toHaveProperty(['service.kubernetes.io/headless']);
  });

  it('hold at most 100 endpoints', () => {
    const pods = Array.from({ length: 250 }, (_, i) =>
      pod(`p${i}`, { ips: [`10.244.${i >> 7}.${(i & 127) + 2}`] }),
    );
    const list = slices(service(), pods);
    expect(list.map(({ endpoints }) => endpoints.length)).toEqual([100, 100, 50]);
    expect(new Set(list.map(({ metadata }) => metadata.name)).size).toBe(3);
  });

  it('follow every label of the selector', () => {
    const of = decodeOne(
      'Service',
      'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web, tier: front}, ipFamilies: [IPv4], ports: [{port: 80}]}\n',
    );
    const pods = [
      other('10.244.1.5', { labels: '{app: web}' }),
      other('10.244.1.6', { labels: '{tier: front, app: web}' }),
    ];
    expect(outline(slices(of, pods))).toEqual(['[:80/TCP]', '10.244.1.6 ready serving']);
  });

  it('leave Services without a selector alone', () => {
    const of = decodeOne(
      'Service',
      'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ipFamilies: [IPv4], ports: [{port: 80}]}\n',
    );
    expect(slices(of, [pod('p')])).toEqual([]);
  });
});

describe('Endpoints', () => {
  it('are mirrored, a slice for each subset and family', () => {
    const [endpoints] = decodeAll(`apiVersion: v1
kind: Endpoints
metadata: {name: db, namespace: prod, labels: {team: a}}
subsets:
- addresses: [{ip: 192.0.2.1, nodeName: n1}, {ip: "2001:db8::1"}]
  notReadyAddresses: [{ip: 192.0.2.2, targetRef: {kind: Pod, name: p, namespace: prod}}]
  ports: [{name: sql, port: 5432}, {name: dns, port: 53, protocol: UDP}]
- addresses: [{ip: 192.0.2.3}]
  ports: [{port: 80}]
`);
    if (endpoints?.kind !== 'Endpoints') throw new Error('expected Endpoints');
    const list = mirrorEndpoints(endpoints);
    expect(list.map(({ addressType }) => addressType)).toEqual(['IPv4', 'IPv6', 'IPv4']);
    expect(outline(list)).toEqual([
      '[sql:5432/TCP dns:53/UDP]',
      '192.0.2.1 ready',
      '192.0.2.2',
      '[sql:5432/TCP dns:53/UDP]',
      '2001:db8::1 ready',
      '[:80/TCP]',
      '192.0.2.3 ready',
    ]);
    expect(list[0]?.metadata.labels).toMatchObject({ 'kubernetes.io/service-name': 'db', team: 'a' });
    expect(new Set(list.map(({ metadata }) => metadata.name)).size).toBe(3);
  });
});
