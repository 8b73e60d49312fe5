/** Tools run one after the other in one live cluster, each where it is told to. */
import { InputError } from '../../sim/input-error.ts';
import { tryParseIpAddress } from '../../wire/ip-address.ts';
import { EMPTY_RESOLV_CONF, podResolvConf, type ResolvConf, reachable } from '../apps/dns/resolv-conf.ts';
import { Resolver } from '../apps/dns/resolver.ts';
import type { ClusterNetwork } from '../network/cluster-network.ts';
import type { AnyHostPlan } from '../network/network-plan.ts';
import { ToolExit } from './tool.ts';
import { TOOLS } from './tools.ts';

/** One command: where, which tool, and its arguments. */
export interface ToolCommand {
  /** `pod/NAMESPACE/NAME`, `node/NAME`, `host/NAME`, `external/ADDRESS` or `router`. */
  readonly who: string;
  readonly tool: string;
  readonly args: readonly string[];
}

export interface ToolOutput {
  readonly print: (text: string) => void;
  readonly complain: (text: string) => void;
}

/** What a shell says of a command that is not there. */
const NOT_FOUND = 127;
const CLUSTER_DOMAIN = 'cluster.local';
/** The Service that kubelets give to pods, by the names people install it under. */
const DNS_SERVICES: ReadonlySet<string> = new Set(['kube-dns', 'coredns', 'rke2-coredns-rke2-coredns']);

function resolvConfOf({ plan: network }: ClusterNetwork, plan: AnyHostPlan): ResolvConf {
  if (plan.kind !== 'pod') return EMPTY_RESOLV_CONF;
  const { cluster } = network;
  const [, , podNamespace = ''] = /^(pod)\/([^/]+)\//.exec(plan.label) ?? [];
  const service = cluster.services.find(
    ({ metadata }) => metadata.namespace === 'kube-system' && DNS_SERVICES.has(metadata.name),
  );
  const pod = cluster.pods.find(
    ({ metadata }) => metadata.namespace === podNamespace && metadata.name === plan.pod.name,
  );
  const offered = (service?.spec.clusterIPs ?? []).flatMap((text) => tryParseIpAddress(text) ?? []);
  const servers = reachable(offered, plan.ownAddresses);
  return podResolvConf(
    {
      namespace: podNamespace,
      hostNetwork: false,
      dnsPolicy: pod?.spec.dnsPolicy,
      dnsConfig: pod?.spec.dnsConfig,
    },
    { servers, domain: CLUSTER_DOMAIN, node: EMPTY_RESOLV_CONF },
  );
}

/**
 * Runs `commands` in `network`, in order; what one does to connections and neighbours the next one sees.
 * Returns the exit code of the last one. Throws InputError for places and tools there are not.
 */
export function runTools(
  network: ClusterNetwork,
  commands: readonly ToolCommand[],
  output: ToolOutput,
): number {
  for (const { who, tool } of commands) {
    network.planOf(who);
    if (TOOLS[tool] === undefined) {
      throw new InputError(`there is no tool '${tool}', expected one of ${Object.keys(TOOLS).join(', ')}`);
    }
  }
  const endings: (() => void)[] = [];
  let code = 0;
  for (const { who, tool, args } of commands) {
    const namespace = network.namespace(who);
    const resolver = new Resolver({
      sockets: namespace.sockets,
      conf: resolvConfOf(network, network.planOf(who)),
    });
    const context = {
      namespace,
      scheduler: network.scheduler,
      resolver,
      ...output,
      atEnd: (action: () => void) => endings.push(action),
    };
    try {
      code = TOOLS[tool]?.(args, context) ?? NOT_FOUND;
    } catch (error) {
      if (!(error instanceof ToolExit)) throw error;
      if (error.message !== '') output.complain(`${error.message}\n`);
      code = error.code;
    }
    // Until the next command connections are closed and answers arrive: those who watch see them, too.
    network.scheduler.runUntil(network.scheduler.now() + SETTLE);
  }
  for (const end of endings) end();
  return code;
}

/** Virtual seconds between two commands. */
const SETTLE = 1;
