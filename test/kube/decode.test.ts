import { describe, expect, it } from 'vitest';
import { decodeAll, decodeOne, refusalOf } from './manifest-text.ts';

describe('Node', () => {
  const node = (rest: string) => `apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n${rest}`;

  it('without anything is schedulable and ready', () => {
    expect(decodeOne('Node', node(''))).toMatchObject({
      metadata: { name: 'n1', namespace: '' },
      spec: { podCIDRs: [], unschedulable: false, taints: [] },
      status: { addresses: [], ready: true },
    });
  });

  it.each<[string, string, object]>([
    ['podCIDR alone', 'spec: {podCIDR: 10.244.1.0/24}', { spec: { podCIDRs: ['10.244.1.0/24'] } }],
    [
      'podCIDRs alone',
      'spec: {podCIDRs: [10.244.1.0/24, "fd00::/64"]}',
      { spec: { podCIDRs: ['10.244.1.0/24', 'fd00::/64'] } },
    ],
    [
      'the older field wins when they differ',
      'spec: {podCIDR: 10.244.1.0/24, podCIDRs: [10.244.2.0/24]}',
      { spec: { podCIDRs: ['10.244.1.0/24'] } },
    ],
    [
      'Ready is False',
      "status: {conditions: [{type: MemoryPressure, status: 'False'}, {type: Ready, status: 'False'}]}",
      { status: { ready: false } },
    ],
    [
      'Ready is Unknown',
      'status: {conditions: [{type: Ready, status: Unknown}]}',
      { status: { ready: false } },
    ],
    [
      'other conditions alone',
      "status: {conditions: [{type: DiskPressure, status: 'True'}]}",
      { status: { ready: true } },
    ],
    [
      'a host name is no address',
      'status: {addresses: [{type: Hostname, address: n1.example.org}]}',
      { status: { addresses: [{ type: 'Hostname', address: 'n1.example.org' }] } },
    ],
    [
      'taints',
      'spec: {taints: [{key: a/b, effect: NoSchedule}]}',
      { spec: { taints: [{ key: 'a/b', effect: 'NoSchedule' }] } },
    ],
  ])('%s', (_, rest, expected) => {
    expect(decodeOne('Node', node(rest))).toMatchObject(expected);
  });

  it.each<[string, string, string]>([
    [
      'host bits',
      'spec:\n  podCIDR: 10.244.1.5/24',
      "5: Node n1: spec.podCIDR: '10.244.1.5/24' has host bits set; the network is 10.244.1.0/24",
    ],
    [
      'host bits in IPv6',
      'spec:\n  podCIDRs:\n  - 10.244.1.0/24\n  - fd00::1/64',
      "7: Node n1: spec.podCIDRs[1]: 'fd00::1/64' has host bits set; the network is fd00::/64",
    ],
    ['no length', 'spec: {podCIDR: 10.244.1.0}', '"10.244.1.0" is not a network in CIDR form'],
    ['a length too long', 'spec: {podCIDR: 10.244.1.0/33}', 'has a prefix length that is not 0 to 32'],
    [
      'two of one family',
      'spec: {podCIDRs: [10.244.1.0/24, 10.244.2.0/24]}',
      'must be of different IP families',
    ],
    [
      'three',
      'spec: {podCIDRs: [10.244.1.0/24, "fd00::/64", "fd01::/64"]}',
      'at most one network per IP family',
    ],
    [
      'a bad InternalIP',
      'status: {addresses: [{type: InternalIP, address: n1}]}',
      'status.addresses[0].address: "n1" is not an IP address',
    ],
    [
      'a bad taint effect',
      'spec: {taints: [{key: a, effect: NoRun}]}',
      'spec.taints[0].effect: "NoRun" is not one of NoSchedule, PreferNoSchedule, NoExecute',
    ],
    ['a taint without an effect', 'spec: {taints: [{key: a}]}', 'spec.taints[0].effect: is required'],
  ])('refuses %s', (_, rest, message) => {
    expect(refusalOf(() => decodeAll(node(rest)))).toContain(message);
  });
});

describe('Pod', () => {
  const pod = (rest: string) => `apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n${rest}`;

  it.each<[string, string, object]>([
    [
      'nothing',
      '',
      { spec: { hostNetwork: false, ports: [], tolerations: [], nodeSelector: {} }, status: { podIPs: [] } },
    ],
    [
      'ports of all containers',
      'spec: {containers: [{ports: [{containerPort: 80}]}, {ports: [{name: dns, containerPort: 53, protocol: UDP}]}]}',
      {
        spec: {
          ports: [
            { containerPort: 80, protocol: 'TCP' },
            { name: 'dns', containerPort: 53, protocol: 'UDP' },
          ],
        },
      },
    ],
    [
      'ports of sidecars, after the containers',
      'spec: {initContainers: [{restartPolicy: Always, ports: [{containerPort: 15001}]}, {ports: [{containerPort: 1}]}], containers: [{ports: [{containerPort: 80}]}]}',
      { spec: { ports: [{ containerPort: 80 }, { containerPort: 15001 }] } },
    ],
    [
      'podIPs',
      'status: {podIP: 10.244.1.5, podIPs: [{ip: 10.244.1.5}, {ip: "fd00::5"}]}',
      { status: { podIPs: ['10.244.1.5', 'fd00::5'] } },
    ],
    ['podIP alone', 'status: {podIP: 10.244.1.5}', { status: { podIPs: ['10.244.1.5'] } }],
    [
      'ready',
      "status: {phase: Running, conditions: [{type: Ready, status: 'False'}]}",
      { status: { phase: 'Running', ready: false } },
    ],
    [
      'tolerations',
      'spec: {tolerations: [{operator: Exists}]}',
      { spec: { tolerations: [{ operator: 'Exists' }] } },
    ],
    [
      'node affinity',
      'spec: {affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Gt, values: ["1"]}]}]}}}}',
      {
        spec: {
          requiredNodeTerms: [
            { matchExpressions: [{ key: 'a', operator: 'Gt', values: ['1'] }], matchFields: [] },
          ],
        },
      },
    ],
  ])('%s', (_, rest, expected) => {
    expect(decodeOne('Pod', pod(rest))).toMatchObject(expected);
  });

  it('knows its controller and that it terminates', () => {
    const text =
      'apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  deletionTimestamp: 2024-01-01T00:00:00Z\n  ownerReferences: [{kind: Node, name: x}, {kind: ReplicaSet, name: web-1, controller: true}]\n';
    expect(decodeOne('Pod', text).metadata).toMatchObject({
      deletionTimestamp: '2024-01-01T00:00:00Z',
      controller: { kind: 'ReplicaSet', name: 'web-1' },
    });
  });

  it.each<[string, string, string]>([
    [
      'a bad container port',
      'spec:\n  containers:\n  - name: c\n    ports:\n    - containerPort: 0',
      '8: Pod p: spec.containers[0].ports[0].containerPort: 0 is not between 1 and 65535',
    ],
    [
      'a bad port name',
      'spec: {containers: [{ports: [{name: 80, containerPort: 80}]}]}',
      'expected a string, found 80 (quote it)',
    ],
    [
      'a port name of digits',
      'spec: {containers: [{ports: [{name: "80", containerPort: 80}]}]}',
      '"80" is not a port name',
    ],
    [
      'a port name twice in a container',
      'spec: {containers: [{ports: [{name: a, containerPort: 80}, {name: a, containerPort: 81}]}]}',
      'the port name a is already used',
    ],
    [
      'a bad pod IP',
      'status: {podIPs: [{ip: 10.244.1}]}',
      'status.podIPs[0].ip: "10.244.1" is not an IP address',
    ],
    ['a bad node name', 'spec: {nodeName: Node_1}', '"Node_1" is not an RFC 1123 subdomain'],
  ])('refuses %s', (_, rest, message) => {
    expect(refusalOf(() => decodeAll(pod(rest)))).toContain(message);
  });
});

describe('EndpointSlice', () => {
  const slice = (rest: string) =>
    `apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s}\n${rest}`;

  it.each<[string, string, object]>([
    ['nothing but the type', 'addressType: IPv4', { ports: [], endpoints: [] }],
    [
      'ports: name and protocol have defaults',
      'addressType: IPv4\nports: [{port: 80}, {name: null, port: null}]',
      {
        ports: [
          { name: '', protocol: 'TCP', port: 80 },
          { name: '', protocol: 'TCP' },
        ],
      },
    ],
    [
      'conditions that are not given stay open',
      'addressType: IPv4\nendpoints: [{addresses: [10.0.0.1], conditions: {ready: null, serving: false}}]',
      { endpoints: [{ conditions: { serving: false }, zoneHints: [] }] },
    ],
    [
      'the address as written',
      'addressType: IPv6\nendpoints: [{addresses: ["FD00:0::0:1"]}]',
      { endpoints: [{ addresses: ['FD00:0::0:1'] }] },
    ],
    [
      'hints',
      'addressType: IPv4\nendpoints: [{addresses: [10.0.0.1], zone: a, nodeName: n1, hints: {forZones: [{name: a}, {name: b}]}}]',
      { endpoints: [{ zone: 'a', nodeName: 'n1', zoneHints: ['a', 'b'] }] },
    ],
    ['host names', 'addressType: FQDN\nendpoints: [{addresses: [db.example.org]}]', { addressType: 'FQDN' }],
    [
      'two ports of one name',
      'addressType: IPv4\nports: [{name: a, port: 1}, {name: a, port: 2}]',
      { ports: [{ port: 1 }, { port: 2 }] },
    ],
  ])('%s', (_, rest, expected) => {
    expect(decodeOne('EndpointSlice', slice(rest))).toMatchObject(expected);
  });

  it.each<[string, string, string]>([
    ['no type', 'ports: []', 'addressType: is required'],
    ['an unknown type', 'addressType: IPv5', '"IPv5" is not one of IPv4, IPv6, FQDN'],
    [
      'no addresses',
      'addressType: IPv4\nendpoints: [{addresses: []}]',
      'endpoints[0].addresses: must contain at least 1 address',
    ],
    [
      'an address of the other family',
      'addressType: IPv4\nendpoints:\n- addresses: ["fd00::1"]',
      '6: EndpointSlice s: endpoints[0].addresses[0]: "fd00::1" is not an IPv4 address',
    ],
    ['a bad protocol', 'addressType: IPv4\nports: [{protocol: HTTP}]', '"HTTP" is not one of TCP, UDP, SCTP'],
    [
      '101 addresses',
      `addressType: IPv4\nendpoints: [{addresses: [${Array.from({ length: 101 }, () => '10.0.0.1').join(',')}]}]`,
      'must have at most 100 addresses',
    ],
  ])('refuses %s', (_, rest, message) => {
    expect(refusalOf(() => decodeAll(slice(rest)))).toContain(message);
  });
});

describe('workloads', () => {
  const deployment = (spec: string) =>
    `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n${spec}`;
  const template = '  template: {metadata: {labels: {app: a, tier: b}}}';

  it('default to one replica', () => {
    const text = deployment(`  selector: {matchLabels: {app: a}}\n${template}`);
    expect(decodeAll(text)).toMatchObject([{ kind: 'Deployment', spec: { replicas: 1 } }]);
  });

  it.each<[string, string, string]>([
    [
      'a selector by set',
      '{matchExpressions: [{key: app, operator: In, values: [a, c]}, {key: gone, operator: DoesNotExist}]}',
      'accepted',
    ],
    ['no selector', '', 'spec.selector: is required'],
    ['an empty selector', '{}', 'an empty selector is not allowed'],
    [
      'a selector that misses the template',
      '{matchLabels: {app: x}}',
      '6: Deployment d: spec.template.metadata.labels: the selector does not match these labels',
    ],
    [
      'In without values',
      '{matchExpressions: [{key: app, operator: In}]}',
      'is required when operator is In',
    ],
    [
      'Exists with values',
      '{matchExpressions: [{key: app, operator: Exists, values: [a]}]}',
      'may not be given when operator is Exists',
    ],
    [
      'an unknown operator',
      '{matchExpressions: [{key: app, operator: Is, values: [a]}]}',
      '"Is" is not one of In, NotIn, Exists, DoesNotExist',
    ],
  ])('%s', (_, selector, message) => {
    expect(refusalOf(() => decodeAll(deployment(`  selector: ${selector}\n${template}`)))).toContain(message);
  });

  it('refuse fewer than no replicas', () => {
    const text = deployment(`  replicas: -1\n  selector: {matchLabels: {app: a}}\n${template}`);
    expect(refusalOf(() => decodeAll(text))).toContain('5: Deployment d: spec.replicas: -1 is not between 0');
  });
});

describe('kinds', () => {
  it.each<[string, string]>([
    ['v1', 'Namespace'],
    ['v1', 'Secret'],
    ['v1', 'ConfigMap'],
    ['v1', 'ServiceAccount'],
    ['networking.k8s.io/v1', 'Ingress'],
    ['rbac.authorization.k8s.io/v1', 'ClusterRole'],
    ['batch/v1', 'Job'],
  ])('%s %s is kept', (apiVersion, kind) => {
    expect(decodeAll(`apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: 'system:x'}`)).toMatchObject(
      [{ kind }],
    );
  });

  it.each<[string, string, string]>([
    ['v1', 'Servce', 'in.yaml:1: no kind "Servce" in version "v1"; did you mean Service?'],
    [
      'apps/v1beta1',
      'Deployment',
      'no kind "Deployment" in version "apps/v1beta1"; Deployment is read in apps/v1',
    ],
    ['v1', 'EndpointSlice', 'EndpointSlice is read in discovery.k8s.io/v1'],
    ['v2', 'Service', 'no kind "Service" in version "v2"; Service is read in v1'],
    ['v1', 'pod', 'did you mean Pod?'],
    ['v1', 'Gateway', 'no kind "Gateway" in version "v1"'],
    ['v1', 'constructor', 'no kind "constructor"'],
  ])('%s %s is refused', (apiVersion, kind, message) => {
    expect(
      refusalOf(() => decodeAll(`apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: x}`)),
    ).toContain(message);
  });
});
