import { describe, expect, test } from 'vitest';
import type { Endpoint as SliceEndpoint } from '../../src/kube/objects.ts';
import { collectEndpoints } from '../../src/proxy/endpoints.ts';
import { type ServicePort, servicePortsOf } from '../../src/proxy/service-port.ts';
import { type HintsUse, selectEndpoints, type TopologyContext } from '../../src/proxy/topology.ts';
import { endpoint, type ServiceFields, service, slice } from './objects.ts';

const NO_HINTS: TopologyContext = { zone: 'zone-a', hintsUse: 'by-annotation' };

function portOf(given: ServiceFields): ServicePort {
  const [port] = servicePortsOf(service(given), 'ipv4');
  if (port === undefined) throw new Error('skipped');
  return port;
}

/** Selects among endpoints 10.244.0.LETTER; lists come back as letters. */
function select(
  given: ServiceFields,
  endpoints: Readonly<Record<string, Partial<SliceEndpoint>>>,
  context = NO_HINTS,
) {
  const list = Object.entries(endpoints).map(([letter, fields]) =>
    endpoint(`10.244.0.${letter.charCodeAt(0)}`, fields),
  );
  const table = collectEndpoints([slice(list)], { family: 'ipv4', proxyNode: 'worker-1' });
  const port = portOf(given);
  const { cluster, local, reachable, hasEndpoints } = selectEndpoints(
    port,
    table.get(port.key) ?? [],
    context,
  );
  const letters = (some: typeof cluster) =>
    some
      .map(({ address }) => String.fromCharCode(Number(address.split('.')[3])))
      .sort()
      .join('');
  return { cluster: letters(cluster), local: letters(local), reachable: letters(reachable), hasEndpoints };
}

const HERE = { nodeName: 'worker-1' };
const AWAY = { nodeName: 'worker-2' };
const READY = { conditions: { ready: true, serving: true, terminating: false } };
const DRAINING = { conditions: { ready: false, serving: true, terminating: true } };
const ENDED = { conditions: { ready: false, serving: false, terminating: true } };
const UNREADY = { conditions: { ready: false, serving: true, terminating: false } };

const CLUSTER: ServiceFields = {};
const INTERNAL_LOCAL: ServiceFields = { internalTrafficPolicy: 'Local' };
const EXTERNAL_LOCAL: ServiceFields = { externalIPs: ['198.51.100.1'], externalTrafficPolicy: 'Local' };
const BOTH_LOCAL: ServiceFields = { ...EXTERNAL_LOCAL, ...INTERNAL_LOCAL };

describe('which endpoints', () => {
  test.each([
    { what: 'ready', given: CLUSTER, endpoints: { a: { ...HERE, ...READY }, b: AWAY }, cluster: 'ab' },
    { what: 'none', given: CLUSTER, endpoints: {}, hasEndpoints: false },
    { what: 'not ready', given: CLUSTER, endpoints: { a: UNREADY, b: ENDED }, hasEndpoints: false },
    {
      what: 'not ready but serving is no fallback',
      given: CLUSTER,
      endpoints: { a: UNREADY, b: DRAINING },
      cluster: 'b',
    },
    { what: 'no node name: usable, not local', given: EXTERNAL_LOCAL, endpoints: { a: READY }, cluster: 'a' },
    {
      what: 'ready, though not serving and terminating',
      given: CLUSTER,
      endpoints: { a: { conditions: { ready: true, serving: false, terminating: true } }, b: DRAINING },
      cluster: 'a',
    },
    {
      what: 'draining while any is ready',
      given: CLUSTER,
      endpoints: { a: DRAINING, b: READY },
      cluster: 'b',
    },
    {
      what: 'draining when none is ready',
      given: CLUSTER,
      endpoints: { a: DRAINING, b: UNREADY, c: ENDED },
      cluster: 'a',
    },
    { what: 'internal Local', given: INTERNAL_LOCAL, endpoints: { a: HERE, b: AWAY }, local: 'a' },
    { what: 'internal Local, none here', given: INTERNAL_LOCAL, endpoints: { b: AWAY } },
    {
      what: 'internal Local, only draining away',
      given: INTERNAL_LOCAL,
      endpoints: { b: { ...AWAY, ...DRAINING } },
    },
    {
      what: 'internal Local, only unready away',
      given: INTERNAL_LOCAL,
      endpoints: { b: { ...AWAY, ...UNREADY } },
      hasEndpoints: false,
    },
    {
      what: 'external Local',
      given: EXTERNAL_LOCAL,
      endpoints: { a: HERE, b: AWAY },
      cluster: 'ab',
      local: 'a',
    },
    { what: 'external Local, none here', given: EXTERNAL_LOCAL, endpoints: { b: AWAY }, cluster: 'b' },
    {
      what: 'draining here, ready away: each list for itself',
      given: EXTERNAL_LOCAL,
      endpoints: { a: { ...HERE, ...DRAINING }, b: AWAY },
      cluster: 'b',
      local: 'a',
    },
    {
      what: 'draining here and away',
      given: EXTERNAL_LOCAL,
      endpoints: { a: { ...HERE, ...DRAINING }, b: { ...AWAY, ...DRAINING } },
      cluster: 'ab',
      local: 'a',
    },
    {
      what: 'ready and draining here',
      given: EXTERNAL_LOCAL,
      endpoints: { a: HERE, b: { ...HERE, ...DRAINING } },
      cluster: 'a',
      local: 'a',
    },
    {
      what: 'both Local and open to outside',
      given: BOTH_LOCAL,
      endpoints: { a: HERE, b: AWAY },
      cluster: 'ab',
      local: 'a',
    },
    {
      what: 'external Local of a Service nobody reaches from outside',
      given: { type: 'LoadBalancer', externalTrafficPolicy: 'Local' },
      endpoints: { a: HERE, b: AWAY },
      cluster: 'ab',
    },
  ] satisfies {
    what: string;
    given: ServiceFields;
    endpoints: Record<string, Partial<SliceEndpoint>>;
    cluster?: string;
    local?: string;
    hasEndpoints?: boolean;
  }[])('$what', ({ given, endpoints, ...expected }) => {
    const { cluster = '', local = '', hasEndpoints = true } = { ...expected };
    const reachable = [...new Set(cluster + local)].sort().join('');
    expect(select(given, endpoints)).toEqual({ cluster, local, reachable, hasEndpoints });
  });
});

describe('zone hints', () => {
  const AUTO = { annotations: { 'service.kubernetes.io/topology-mode': 'Auto' } };
  const annotated = (value: string): ServiceFields => ({
    annotations: { 'service.kubernetes.io/topology-mode': value },
  });
  const hint = (...zoneHints: string[]) => ({ zoneHints });
  const TWO = { a: hint('zone-a'), b: hint('zone-b') };
  const context = (zone: string, hintsUse: HintsUse = 'by-annotation') => ({ zone, hintsUse });

  test.each<{
    what: string;
    given?: ServiceFields;
    endpoints?: Record<string, Partial<SliceEndpoint>>;
    context?: TopologyContext;
    cluster: string;
  }>([
    { what: 'for this zone', cluster: 'a' },
    { what: 'no annotation', given: {}, cluster: 'ab' },
    { what: 'annotation empty', given: annotated(''), cluster: 'ab' },
    { what: 'annotation disabled', given: annotated('disabled'), cluster: 'ab' },
    { what: 'annotation Disabled', given: annotated('Disabled'), cluster: 'ab' },
    { what: 'annotation DISABLED', given: annotated('DISABLED'), cluster: 'a' },
    { what: 'annotation AUTO', given: annotated('AUTO'), cluster: 'a' },
    { what: 'annotation x', given: annotated('x'), cluster: 'a' },
    { what: 'the node has no zone', context: context(''), cluster: 'ab' },
    { what: 'nothing for this zone', context: context('zone-c'), cluster: 'ab' },
    { what: 'one ready endpoint without hint', endpoints: { ...TWO, c: {} }, cluster: 'abc' },
    { what: 'one unready endpoint without hint', endpoints: { ...TWO, c: UNREADY }, cluster: 'a' },
    { what: 'one draining endpoint without hint', endpoints: { ...TWO, c: DRAINING }, cluster: 'a' },
    {
      what: 'the only one for this zone is not ready',
      endpoints: { a: { ...hint('zone-a'), ...UNREADY }, b: hint('zone-b') },
      cluster: 'b',
    },
    { what: 'several zones', endpoints: { a: hint('zone-b'), b: hint('zone-c', 'zone-a') }, cluster: 'b' },
    {
      what: 'draining ones are taken whatever their hints',
      endpoints: { a: { ...hint('zone-a'), ...DRAINING }, b: { ...hint('zone-b'), ...DRAINING } },
      cluster: 'ab',
    },
    {
      what: 'gate ServiceTrafficDistribution: no annotation needed',
      given: {},
      context: context('zone-a', 'always'),
      cluster: 'a',
    },
    {
      what: 'gate ServiceTrafficDistribution: annotation ignored',
      given: annotated('Disabled'),
      context: context('zone-a', 'always'),
      cluster: 'a',
    },
    { what: 'gate TopologyAwareHints off', context: context('zone-a', 'never'), cluster: 'ab' },
  ])('$what', ({ given = AUTO, endpoints = TWO, context = NO_HINTS, cluster }) => {
    expect(select(given, endpoints, context)).toEqual({
      cluster,
      local: '',
      reachable: cluster,
      hasEndpoints: true,
    });
  });

  test('never concern the Local list', () => {
    const endpoints = { a: { ...hint('zone-b'), ...HERE }, b: { ...hint('zone-a'), ...AWAY } };
    expect(select({ ...EXTERNAL_LOCAL, ...AUTO }, endpoints)).toMatchObject({
      cluster: 'b',
      local: 'a',
      reachable: 'ab',
    });
  });
});
