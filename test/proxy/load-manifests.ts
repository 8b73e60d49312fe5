/** Manifests as given, nothing derived: what a test hands to the proxy. */
import { rootCursor } from '../../src/kube/decode/cursor.ts';
import { decodeKubeProxyConfiguration } from '../../src/kube/decode/kube-proxy-configuration.ts';
import { decodeObject } from '../../src/kube/kinds.ts';
import {
  DEFAULT_KUBE_PROXY_CONFIGURATION,
  type KubeProxyConfiguration,
} from '../../src/kube/kube-proxy-configuration.ts';
import { parseManifests } from '../../src/kube/manifest/manifest.ts';
import type { EndpointSlice, KubeObject, Node, Service } from '../../src/kube/objects.ts';
import { generateIptablesRules } from '../../src/proxy/iptables/generate.ts';
import type { IpFamily } from '../../src/wire/ip-address.ts';

export interface Loaded {
  readonly configuration: KubeProxyConfiguration;
  readonly nodes: readonly Node[];
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
}

/** Decodes the objects of `text`. */
export function loadManifests(text: string, file = 'test.yaml'): Loaded {
  let configuration = DEFAULT_KUBE_PROXY_CONFIGURATION;
  const objects: KubeObject[] = [];
  for (const manifest of parseManifests(text, file)) {
    if (manifest.kind === 'KubeProxyConfiguration')
      configuration = decodeKubeProxyConfiguration(rootCursor(manifest));
    else objects.push(decodeObject(manifest));
  }
  return {
    configuration,
    nodes: objects.filter((object) => object.kind === 'Node'),
    services: objects.filter((object) => object.kind === 'Service'),
    endpointSlices: objects.filter((object) => object.kind === 'EndpointSlice'),
  };
}

/** The rules of the node that the configuration names, else of the first. */
export function rulesOf(loaded: Loaded, family: IpFamily): string {
  const { configuration, nodes } = loaded;
  const wanted = configuration.hostnameOverride ?? nodes[0]?.metadata.name;
  const node = nodes.find(({ metadata }) => metadata.name === wanted);
  if (node === undefined) throw new Error(`no node ${wanted}`);
  return generateIptablesRules({ ...loaded, node, family });
}
