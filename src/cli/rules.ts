/** `kubewire rules`: manifests in, the rule set that kube-proxy holds on a node out. */
import type { Command } from 'commander';
import type { ClusterObjects } from '../cluster/derive.ts';
import type { Node } from '../kube/objects.ts';
import { InputError } from '../sim/input-error.ts';
import type { IpFamily } from '../wire/ip-address.ts';
import { repeatable } from './options.ts';
import type { OutputFile } from './write-files.ts';

export interface RulesOptions {
  /** Files, directories, `-`. */
  readonly filename: readonly string[];
  readonly node?: string;
  readonly mode?: 'iptables' | 'nftables';
  readonly family: IpFamily;
  readonly allNodes?: boolean;
  readonly dir?: string;
}

const EXAMPLES = `
Without --node the rules are those of the node that the KubeProxyConfiguration's
hostnameOverride names, else of the first Node.

Examples:
  kubewire rules -f topologies/three-nodes.yaml --node worker-1
  kubectl get nodes,services,endpointslices -A -o yaml | kubewire rules -f - --family ipv6
  kubewire rules -f cluster.yaml | iptables-restore --test
  kubewire rules -f cluster/ --all-nodes --dir rules/     (writes rules/NODE.iptables.save)
`;

/** How many node names an error message lists. */
const LISTED_NODES = 20;

function listNodes(nodes: readonly Node[]): string {
  const names = nodes.slice(0, LISTED_NODES).map(({ metadata }) => metadata.name);
  const more = nodes.length - names.length;
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ');
}

function findNode({ nodes, config }: ClusterObjects, asked: string | undefined): Node {
  const [first] = nodes;
  if (first === undefined)
    throw new InputError('the input holds no Node; the rules depend on the node they are for');
  const wanted = asked ?? config.hostnameOverride;
  const found = wanted === undefined ? first : nodes.find(({ metadata }) => metadata.name === wanted);
  if (found !== undefined) return found;
  const origin = asked === undefined ? ", which the KubeProxyConfiguration's hostnameOverride names" : '';
  throw new InputError(`no node '${wanted}'${origin}; the nodes are ${listNodes(nodes)}`);
}

const FILE_SUFFIX: Readonly<Record<IpFamily, string>> = {
  ipv4: 'iptables.save',
  ipv6: 'ip6tables.save',
};

function checkOptions({ allNodes, dir, node }: RulesOptions): void {
  if (allNodes && dir === undefined)
    throw new InputError('--all-nodes needs --dir DIR, the directory to write to');
  if (!allNodes && dir !== undefined) throw new InputError('--dir goes with --all-nodes');
  if (allNodes && node !== undefined) throw new InputError('--node and --all-nodes exclude each other');
}

/** Carries the command out. Throws InputError; writes nothing before all is well. */
export async function runRules(options: RulesOptions): Promise<void> {
  checkOptions(options);
  const { readInputs } = await import('./read-inputs.ts');
  const inputs = await readInputs(options.filename);
  const { loadCluster } = await import('../cluster/load.ts');
  const cluster = loadCluster(inputs);
  const mode = options.mode ?? cluster.config.mode;
  if (mode === 'nftables') throw new InputError('mode nftables is not supported yet; use --mode iptables');
  const { generateIptablesRules } = await import('../proxy/iptables/generate.ts');
  const { sysctlsOf } = await import('../cluster/topology.ts');
  const rulesOf = (node: Node) =>
    generateIptablesRules({
      configuration: cluster.config,
      node,
      services: cluster.services,
      endpointSlices: cluster.endpointSlices,
      family: options.family,
      sysctls: sysctlsOf(cluster.topology, node.metadata.name),
    });
  if (options.dir === undefined) {
    process.stdout.write(rulesOf(findNode(cluster, options.node)));
    return;
  }
  const { writeFiles } = await import('./write-files.ts');
  writeFiles(options.dir, allFiles(cluster, options.family, rulesOf));
}

/** One file a node, each made only when it is asked for; progress on a terminal's stderr. */
function* allFiles(
  { nodes }: ClusterObjects,
  family: IpFamily,
  rulesOf: (node: Node) => string,
): Generator<OutputFile> {
  if (nodes.length === 0) throw new InputError('the input holds no Node');
  for (const [index, node] of nodes.entries()) {
    const { name } = node.metadata;
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[Knode ${index + 1} of ${nodes.length}: ${name}`);
    yield { name: `${name}.${FILE_SUFFIX[family]}`, text: rulesOf(node) };
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}

/** Adds the command to `program`. */
export function registerRules(program: Command): void {
  const command = program.command('rules');
  command
    .description('print the rule set that kube-proxy holds on a node, as iptables-save text')
    .requiredOption(
      '-f, --filename <path>',
      'manifests: a file, a directory or - for standard input; repeatable',
      repeatable,
    )
    .option('--node <name>', 'the node whose rules to print')
    .addOption(
      command
        .createOption('--mode <mode>', "the proxy's mode; by default the configuration's, else iptables")
        .choices(['iptables', 'nftables']),
    )
    .addOption(
      command.createOption('--family <family>', 'the IP family').choices(['ipv4', 'ipv6']).default('ipv4'),
    )
    .option('--all-nodes', 'write a file for each node; needs --dir')
    .option('--dir <directory>', 'where --all-nodes writes')
    .addHelpText('after', EXAMPLES)
    .action(runRules);
}
