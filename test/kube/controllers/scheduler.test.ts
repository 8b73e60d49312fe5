import { describe, expect, it } from 'vitest';
import { isEligible, tolerates } from '../../../src/kube/controllers/node-eligibility.ts';
import { schedule } from '../../../src/kube/controllers/scheduler.ts';
import type { Node, Pod, PodSpec } from '../../../src/kube/objects.ts';
import { decodeOne, refusalOf } from '../manifest-text.ts';

const node = (name: string, rest = ''): Node =>
  decodeOne(
    'Node',
    `apiVersion: v1\nkind: Node\nmetadata: {name: ${name}, labels: {disk: ssd, cpus: "8"}}\n${rest}`,
  );

const pod = (name: string, spec = '{}', rest = ''): Pod =>
  decodeOne('Pod', `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec: ${spec}\n${rest}`);

const places = (pods: readonly Pod[]) => pods.map(({ spec }) => spec.nodeName);

const TAINTED = 'spec: {taints: [{key: dedicated, value: db, effect: NoSchedule}]}';

describe('tolerations', () => {
  const taint = { key: 'dedicated', value: 'db', effect: 'NoSchedule' };
  it.each<[string, PodSpec['tolerations'][number], boolean]>([
    ['the same key and value', { key: 'dedicated', value: 'db', effect: 'NoSchedule' }, true],
    ['Equal, written out', { key: 'dedicated', operator: 'Equal', value: 'db' }, true],
    ['any effect', { key: 'dedicated', value: 'db' }, true],
    ['another effect', { key: 'dedicated', value: 'db', effect: 'NoExecute' }, false],
    ['another value', { key: 'dedicated', value: 'web' }, false],
    ['no value', { key: 'dedicated' }, false],
    ['Exists', { key: 'dedicated', operator: 'Exists' }, true],
    ['Exists for another key', { key: 'other', operator: 'Exists' }, false],
    ['Exists for every key', { operator: 'Exists' }, true],
    ['Exists for every key, one effect', { operator: 'Exists', effect: 'NoExecute' }, false],
    ['an empty effect', { key: 'dedicated', operator: 'Exists', effect: '' }, true],
  ])('%s', (_, toleration, expected) => {
    expect(tolerates(toleration, taint)).toBe(expected);
  });

  it('compare an absent value with an empty one', () => {
    expect(tolerates({ key: 'a' }, { key: 'a', effect: 'NoSchedule' })).toBe(true);
  });
});

describe('eligibility', () => {
  const affinity = (...requirements: string[]) =>
    `{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [${requirements.join(', ')}]}}}}`;
  it.each<[string, string, string, boolean]>([
    ['a plain node', '', '{}', true],
    ['a taint', TAINTED, '{}', false],
    ['a tolerated taint', TAINTED, '{tolerations: [{key: dedicated, operator: Exists}]}', true],
    ['PreferNoSchedule', 'spec: {taints: [{key: a, effect: PreferNoSchedule}]}', '{}', true],
    ['NoExecute', 'spec: {taints: [{key: a, effect: NoExecute}]}', '{}', false],
    ['a cordoned node', 'spec: {unschedulable: true}', '{}', false],
    [
      'a cordoned node, tolerated',
      'spec: {unschedulable: true}',
      '{tolerations: [{key: node.kubernetes.io/unschedulable, operator: Exists}]}',
      true,
    ],
    ['a node that is not ready', "status: {conditions: [{type: Ready, status: 'False'}]}", '{}', false],
    ['nodeSelector', '', '{nodeSelector: {disk: ssd}}', true],
    ['nodeSelector of another value', '', '{nodeSelector: {disk: hdd}}', false],
    ['nodeSelector of a missing label', '', '{nodeSelector: {constructor: x}}', false],
    [
      'affinity In',
      '',
      affinity('{matchExpressions: [{key: disk, operator: In, values: [hdd, ssd]}]}'),
      true,
    ],
    [
      'affinity NotIn',
      '',
      affinity('{matchExpressions: [{key: disk, operator: NotIn, values: [ssd]}]}'),
      false,
    ],
    ['affinity Gt', '', affinity('{matchExpressions: [{key: cpus, operator: Gt, values: ["4"]}]}'), true],
    ['affinity Lt', '', affinity('{matchExpressions: [{key: cpus, operator: Lt, values: ["4"]}]}'), false],
    [
      'affinity Gt of text',
      '',
      affinity('{matchExpressions: [{key: disk, operator: Gt, values: ["4"]}]}'),
      false,
    ],
    [
      'all expressions of a term',
      '',
      affinity('{matchExpressions: [{key: disk, operator: Exists}, {key: gpu, operator: Exists}]}'),
      false,
    ],
    [
      'one of the terms',
      '',
      affinity(
        '{matchExpressions: [{key: gpu, operator: Exists}]}',
        '{matchExpressions: [{key: gpu, operator: DoesNotExist}]}',
      ),
      true,
    ],
    ['a field', '', affinity('{matchFields: [{key: metadata.name, operator: In, values: [n1]}]}'), true],
    [
      'another field',
      '',
      affinity('{matchFields: [{key: metadata.name, operator: In, values: [n2]}]}'),
      false,
    ],
    ['an empty term', '', affinity('{}'), false],
  ])('%s', (_, rest, spec, expected) => {
    expect(isEligible(pod('p', spec).spec, node('n1', rest))).toBe(expected);
  });
});

describe('schedule', () => {
  const nodes = [node('cp', TAINTED), node('n1'), node('n2'), node('n3')];

  it('goes round the nodes that may run a pod', () => {
    const pods = Array.from({ length: 5 }, (_, i) => pod(`p${i}`));
    expect(places(schedule(pods, nodes))).toEqual(['n1', 'n2', 'n3', 'n1', 'n2']);
  });

  it('leaves pods that have a node, tainted or not, and they do not count', () => {
    const pods = [pod('a', '{nodeName: cp}'), pod('b'), pod('c', '{nodeName: n1}'), pod('d')];
    expect(places(schedule(pods, nodes))).toEqual(['cp', 'n1', 'n1', 'n2']);
  });

  it('leaves a pod pending that no node may run', () => {
    const [pending] = schedule([pod('p', '{nodeSelector: {gpu: x}}')], nodes);
    expect(pending).toMatchObject({ status: { phase: 'Pending', ready: false, podIPs: [] } });
    expect(pending?.spec).not.toHaveProperty('nodeName');
  });

  it('does not place what has finished', () => {
    expect(places(schedule([pod('p', '{}', 'status: {phase: Succeeded}')], nodes))).toEqual([undefined]);
  });

  it('refuses an unknown node and names those there are', () => {
    const run = () => schedule([pod('p', '\n  nodeName: n9')], nodes);
    expect(refusalOf(run)).toBe(
      'in.yaml:5: Pod default/p: spec.nodeName: there is no Node n9; the nodes are cp, n1, n2, n3',
    );
  });
});
