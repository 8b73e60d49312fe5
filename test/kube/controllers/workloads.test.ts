import { describe, expect, it } from 'vitest';
import { fnv1a, generateName, templateHash } from '../../../src/kube/controllers/stable-name.ts';
import { growWorkloads, type WorkloadObjects } from '../../../src/kube/controllers/workloads.ts';
import type { Node, Pod, Workload } from '../../../src/kube/objects.ts';
import { decodeAll } from '../manifest-text.ts';

const NODES = ['n1', 'n2', 'n3']
  .map((name) => `apiVersion: v1\nkind: Node\nmetadata: {name: ${name}, labels: {name: ${name}}}\n`)
  .join('---\n')
  .concat('spec: {taints: [{key: a, effect: NoSchedule}]}\n');

function grow(...documents: string[]): WorkloadObjects {
  const objects = decodeAll([NODES, ...documents].join('\n---\n'));
  const nodes = objects.filter((object): object is Node => object.kind === 'Node');
  const pods = objects.filter((object): object is Pod => object.kind === 'Pod');
  const workloads = objects.filter(
    (object): object is Workload => 'spec' in object && 'template' in object.spec,
  );
  return growWorkloads({ workloads, pods }, nodes);
}

const names = ({ pods }: WorkloadObjects) => pods.map(({ metadata }) => metadata.name);

function workload(kind: string, name: string, extra = ''): string {
  return `apiVersion: apps/v1
kind: ${kind}
metadata: {name: ${name}, namespace: prod}
spec:
  ${extra}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}, annotations: {note: x}}
    spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
`;
}

function pod(name: string, { labels = '{app: web}', owner = '', status = '{}' } = {}): string {
  const references =
    owner === '' ? '' : `, ownerReferences: [{kind: ReplicaSet, name: ${owner}, controller: true}]`;
  return `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: prod, labels: ${labels}${references}}\nstatus: ${status}\n`;
}

/** What the control plane names pods of a ReplicaSet. */
const POD_NAME = /^web-[bcdf-hj-np-tv-xz24-9]{8,10}-[bcdf-hj-np-tv-xz24-9]{5}$/;

describe('Deployment', () => {
  it('makes a ReplicaSet, and that pods like the template', () => {
    const { workloads, pods } = grow(workload('Deployment', 'web', 'replicas: 3'));
    const replicaSet = workloads[1];
    expect(workloads.map(({ kind }) => kind)).toEqual(['Deployment', 'ReplicaSet']);
    const hash = replicaSet?.spec.template.labels['pod-template-hash'];
    expect(replicaSet?.metadata).toMatchObject({
      name: `web-${hash}`,
      controller: { kind: 'Deployment', name: 'web' },
    });
    expect(new Set(pods.map(({ metadata }) => metadata.name)).size).toBe(3);
    for (const { metadata, spec } of pods) {
      expect(metadata.name).toMatch(POD_NAME);
      expect(metadata).toMatchObject({
        namespace: 'prod',
        labels: { app: 'web', 'pod-template-hash': hash },
        annotations: { note: 'x' },
        controller: { kind: 'ReplicaSet', name: `web-${hash}` },
      });
      expect(spec.ports).toEqual([{ name: 'http', containerPort: 8080, protocol: 'TCP' }]);
    }
  });

  it('names pods alike in every run, and otherwise for another template', () => {
    expect(names(grow(workload('Deployment', 'web')))).toEqual(names(grow(workload('Deployment', 'web'))));
    const other = workload('Deployment', 'web').replace('8080', '8081');
    expect(names(grow(other))).not.toEqual(names(grow(workload('Deployment', 'web'))));
  });

  it('makes no pod for 0 replicas', () => {
    expect(names(grow(workload('Deployment', 'web', 'replicas: 0')))).toEqual([]);
  });

  it('leaves the numbers to ReplicaSets that are given', () => {
    const replicaSet = workload('ReplicaSet', 'web', 'replicas: 2').replace(
      '{name: web,',
      '{name: web-old, ownerReferences: [{kind: Deployment, name: web, controller: true}],',
    );
    const { workloads, pods } = grow(workload('Deployment', 'web', 'replicas: 5'), replicaSet);
    expect(workloads.length).toBe(2);
    expect(pods.map(({ metadata }) => metadata.name.startsWith('web-old-'))).toEqual([true, true]);
  });

  it('counts pods whose ReplicaSet was left out of the file', () => {
    const given = ['aaaaa', 'bbbbb'].map((suffix) =>
      pod(`web-7d9f-${suffix}`, { labels: '{app: web, pod-template-hash: 7d9f}', owner: 'web-7d9f' }),
    );
    const grown = grow(workload('Deployment', 'web', 'replicas: 3'), ...given);
    expect(grown.workloads[1]?.metadata.name).toBe('web-7d9f');
    expect(names(grown).length).toBe(3);
    expect(names(grown).every((name) => name.startsWith('web-7d9f-'))).toBe(true);
  });
});

describe('ReplicaSet', () => {
  const replicaSet = workload('ReplicaSet', 'web', 'replicas: 2');
  it.each<[string, string[], number]>([
    ['no pods yet', [], 2],
    ['one of its own', [pod('p', { owner: 'web' })], 1],
    ['an orphan that it adopts', [pod('p')], 1],
    ['more than enough', [pod('p'), pod('q'), pod('r')], 0],
    ['a finished pod does not count', [pod('p', { owner: 'web', status: '{phase: Failed}' })], 2],
    [
      'a pod that is being deleted does not count',
      [pod('p', { owner: 'web' }).replace('{name: p,', '{name: p, deletionTimestamp: 2024-01-01T00:00:00Z,')],
      2,
    ],
    ['a pod with other labels does not count', [pod('p', { labels: '{app: db}' })], 2],
    ['nor one in another namespace', [pod('p').replace('prod', 'test')], 2],
  ])('%s', (_, pods, expected) => {
    expect(names(grow(replicaSet, ...pods)).length - pods.length).toBe(expected);
  });

  it('does not count a pod of another workload', () => {
    const other = workload('ReplicaSet', 'web', 'replicas: 0').replace('name: web,', 'name: other,');
    expect(names(grow(replicaSet, other, pod('p', { owner: 'other' }))).length).toBe(3);
  });
});

describe('StatefulSet', () => {
  it('numbers its pods from 0 and fills gaps', () => {
    expect(names(grow(workload('StatefulSet', 'web', 'replicas: 3')))).toEqual(['web-0', 'web-1', 'web-2']);
    expect(names(grow(workload('StatefulSet', 'web', 'replicas: 3'), pod('web-1')))).toEqual([
      'web-1',
      'web-0',
      'web-2',
    ]);
  });

  it('labels each with its name and number', () => {
    const { pods } = grow(workload('StatefulSet', 'web', 'replicas: 2'));
    expect(pods[1]?.metadata.labels).toMatchObject({
      app: 'web',
      'statefulset.kubernetes.io/pod-name': 'web-1',
      'apps.kubernetes.io/pod-index': '1',
    });
  });
});

describe('DaemonSet', () => {
  const placed = ({ pods }: WorkloadObjects) => pods.map(({ spec }) => spec.nodeName);

  it('runs on every node that its pods tolerate', () => {
    expect(placed(grow(workload('DaemonSet', 'agent')))).toEqual(['n1', 'n2']);
    const tolerant = workload('DaemonSet', 'agent').replace(
      '{containers',
      '{tolerations: [{operator: Exists}], containers',
    );
    expect(placed(grow(tolerant))).toEqual(['n1', 'n2', 'n3']);
  });

  it('runs on cordoned nodes and on those that are not ready', () => {
    const cordoned = 'apiVersion: v1\nkind: Node\nmetadata: {name: n4}\nspec: {unschedulable: true}\n';
    const notReady =
      "apiVersion: v1\nkind: Node\nmetadata: {name: n5}\nstatus: {conditions: [{type: Ready, status: 'False'}]}\n";
    // The lifecycle controller's NoSchedule taint of a node that is not ready is not among those tolerated.
    expect(placed(grow(cordoned, notReady, workload('DaemonSet', 'agent')))).toEqual(['n1', 'n2', 'n4']);
  });

  it('respects a node selector', () => {
    const picky = workload('DaemonSet', 'agent').replace(
      '{containers',
      '{nodeSelector: {name: n2}, containers',
    );
    expect(placed(grow(picky))).toEqual(['n2']);
  });

  it('passes over nodes that have its pod', () => {
    const there =
      'apiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: prod, labels: {app: agent}}\nspec: {nodeName: n1}\n';
    expect(placed(grow(workload('DaemonSet', 'agent'), there))).toEqual(['n1', 'n2']);
  });
});

describe('names', () => {
  it('hash as FNV-1a does', () => {
    // The test vectors of draft-eastlake-fnv, 32 bits.
    expect([fnv1a(''), fnv1a('a'), fnv1a('foobar')]).toEqual([0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
  });

  it('do not depend on the order of keys', () => {
    expect(templateHash({ a: 1, b: { c: [1, 2], d: 2 } })).toBe(
      templateHash({ b: { d: 2, c: [1, 2] }, a: 1 }),
    );
    expect(templateHash({ a: [1, 2] })).not.toBe(templateHash({ a: [2, 1] }));
  });

  it('avoid those taken and stay within 63 characters', () => {
    const taken = new Set<string>();
    for (let i = 0; i < 1000; i++) taken.add(generateName('web-', 'seed', taken));
    expect(taken.size).toBe(1000);
    expect(generateName('x'.repeat(80), 's', taken).length).toBe(63);
  });
});
