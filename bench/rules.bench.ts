import { bench, describe } from 'vitest';
import { decodeObject } from '../src/kube/kinds.ts';
import { DEFAULT_KUBE_PROXY_CONFIGURATION } from '../src/kube/kube-proxy-configuration.ts';
import { parseManifests } from '../src/kube/manifest/manifest.ts';
import { generateIptablesRules } from '../src/proxy/iptables/generate.ts';
import { clusterDocuments } from './rules-manifest.ts';

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
