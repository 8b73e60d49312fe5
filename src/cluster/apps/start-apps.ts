/**
 * What runs in a pod follows from the ports that its containers declare: 53 is a DNS server, other TCP ports
 * an HTTP server that answers with the pod's name, UDP ports echo. A pod that declares nothing listens on
 * every port.
 */
import type { ContainerPort } from '../../kube/objects.ts';
import type { Namespace } from '../../netstack/namespace.ts';
import type { Sockets } from '../../netstack/sockets/sockets.ts';
import { type ClusterView, ClusterZone } from './dns/cluster-zone.ts';
import { type OutsideNames, startDnsServer } from './dns/dns-server.ts';
import { startTcpEcho, startUdpEcho } from './echo.ts';
import { startHttpServer } from './http/http-server.ts';
import { podPages } from './http/pod-pages.ts';

/** Something that runs in a pod. */
export type App =
  | { readonly kind: 'http' | 'tcp-echo' | 'udp-echo'; readonly port: number | 'any' }
  | { readonly kind: 'dns'; readonly port: number };

/** The pod, as far as its programs care. */
export interface AppPod {
  readonly name: string;
  readonly ports: readonly ContainerPort[];
  /** What runs in it, when that does not follow from its ports. */
  readonly apps?: readonly App[];
}

export interface AppCluster {
  /** Asked for anew at every DNS question. */
  readonly view: () => ClusterView;
  readonly domain?: string;
  readonly outside?: OutsideNames;
}

const DNS_PORT = 53;

const EVERYTHING: readonly App[] = [
  { kind: 'http', port: 'any' },
  { kind: 'udp-echo', port: 'any' },
];

/** What runs in a pod with these ports. Ports that are declared twice are served once. */
export function appsOf(ports: readonly ContainerPort[]): readonly App[] {
  if (ports.length === 0) return EVERYTHING;
  const apps = new Map<string, App>();
  for (const { containerPort: port, protocol } of ports) {
    if (protocol === 'SCTP') continue;
    if (port === DNS_PORT) apps.set('dns', { kind: 'dns', port });
    else apps.set(`${protocol} ${port}`, { kind: protocol === 'TCP' ? 'http' : 'udp-echo', port });
  }
  return [...apps.values()];
}

function start(app: App, sockets: Sockets, pod: AppPod, cluster: AppCluster): void {
  switch (app.kind) {
    case 'http':
      startHttpServer(sockets, { port: app.port, handler: podPages(pod.name) });
      return;
    case 'tcp-echo':
      startTcpEcho(sockets, app.port);
      return;
    case 'udp-echo':
      startUdpEcho(sockets, app.port);
      return;
    case 'dns': {
      const { view, domain, outside } = cluster;
      const zone = new ClusterZone(view, domain === undefined ? {} : { domain });
      startDnsServer(sockets, { zone, port: app.port, ...(outside === undefined ? {} : { outside }) });
      return;
    }
  }
}

/** Starts what runs in `pod`. Throws SocketError when two of its programs want one port. */
export function startApps(sockets: Sockets, pod: AppPod, cluster: AppCluster): void {
  for (const app of pod.apps ?? appsOf(pod.ports)) start(app, sockets, pod, cluster);
}

/**
 * Lets `pod`'s programs start when the first packet is delivered to `namespace`, or somebody uses its sockets
 * before: most pods of a large cluster never see one.
 */
export function startAppsLater(namespace: Namespace, pod: AppPod, cluster: AppCluster): void {
  namespace.whenSocketsOpen((sockets) => startApps(sockets, pod, cluster));
}
