import { bench, describe } from 'vitest';
import type * as Kinds from '../src/kube/kinds.ts';
import type * as Configuration from '../src/kube/kube-proxy-configuration.ts';
import type * as Manifest from '../src/kube/manifest/manifest.ts';
import type * as Generate from '../src/proxy/iptables/generate.ts';
import { built } from './built.ts';
import { clusterDocuments } from './rules-manifest.ts';

const { decodeObject } = (await built('kube/kinds.ts')) as typeof Kinds;
const { DEFAULT_KUBE_PROXY_CONFIGURATION } = (await built(
  'kube/kube-proxy-configuration.ts',
)) as typeof Configuration;
const { parseManifests } = (await built('kube/manifest/manifest.ts')) as typeof Manifest;
const { generateIptablesRules } = (await built('proxy/iptables/generate.ts')) as typeof Generate;

describe.each([1000, 10_000])('%d Services of 3 endpoints', (count) => {
  const objects = [...clusterDocuments(count, 3)]
    .flatMap((document) => parseManifests(document, 'cluster.yaml'))
    .filter(({ kind }) => kind !== 'KubeProxyConfiguration')
    .map(decodeObject);
  const node = objects.find((object) => object.kind === 'Node');
  const services = objects.filter((object) => object.kind === 'Service');
  const endpointSlices = objects.filter((object) => object.kind === 'EndpointSlice');
  if (node === undefined) throw new Error('the manifest has no Node');

  bench(
    'iptables rules of one node',
    () => {
      const configuration = DEFAULT_KUBE_PROXY_CONFIGURATION;
      generateIptablesRules({ configuration, node, services, endpointSlices, family: 'ipv4' });
    },
    { iterations: 5, time: 0, warmupIterations: 1 },
  );
});
