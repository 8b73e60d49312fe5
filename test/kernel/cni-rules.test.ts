/**
 * The rules of NetworkPolicies, cluster networks and plugins: taken by the real ipset and iptables-restore, saved
 * again as they were, and NetworkPolicies in the kernel let through what the engine lets through.
 */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { verifyPackets } from '../../src/cli/kernel/verify-packets.ts';
import { CLUSTER_NETWORKS } from '../../src/cni/networks/network.ts';
import { planNodeNetwork } from '../../src/cni/networks/plan-network.ts';
import { parseConflist } from '../../src/cni/plugins/configuration.ts';
import { CniHost } from '../../src/cni/plugins/plugin.ts';
import { CniRuntime } from '../../src/cni/plugins/runtime.ts';
import { PolicyIndex } from '../../src/cni/policy/policy-index.ts';
import { DEFAULT_CONNTRACK } from '../../src/netfilter/conntrack/timeouts.ts';
import { Namespace } from '../../src/netstack/namespace.ts';
import { parseIpsetSave } from '../../src/ruletext/ipset-save.ts';
import { mergeRuleSets, toRuleSet } from '../../src/ruletext/load-rules.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { printRuleSet } from '../../src/ruletext/print-rules.ts';
import { Random } from '../../src/sim/random.ts';
import { Scheduler } from '../../src/sim/scheduler.ts';
import { formatIpAddress, type IpFamily, sameAddress } from '../../src/wire/ip-address.ts';
import { networkInput } from '../cni/network-world.ts';
import { PolicyDice } from '../cni/policy-random.ts';
import { type addressOf, guestsOf, NODES, nodeDevices, openingPacket, World } from '../cni/policy-world.ts';
import { loadManifests, rulesOf } from '../proxy/load-manifests.ts';
import { manifestOf, randomCluster } from '../proxy/random-cluster.ts';

const SEED = Number(process.env.KUBEWIRE_SEED ?? Math.floor(Math.random() * 2 ** 32));
const FAMILIES = ['ipv4', 'ipv6'] as const;
const PROGRAM: Readonly<Record<IpFamily, string>> = { ipv4: 'iptables', ipv6: 'ip6tables' };
const BACK_ENDS = ['nft', 'legacy'] as const;
/** Somebody's Services. */
const PROXY_MANIFEST = manifestOf(randomCluster(SEED));

/** The rules, table by table, in an order of their own. */
function saying(text: string): string[] {
  return text
    .split('COMMIT\n')
    .map((table) =>
      table
        .split('\n')
        .filter((line) => /^[*:-]/.test(line))
        .join('\n'),
    )
    .filter((table) => table !== '')
    .sort();
}

interface Loaded {
  readonly sets?: string;
  /** Loaded one after the other; the second and later ones with --noflush. */
  readonly texts: readonly string[];
}

/** What the kernel holds after `--test`, and then loading in earnest, in a namespace of its own. */
function throughKernel({ sets = '', texts }: Loaded, family: IpFamily, backEnd: string): string {
  const program = `${PROGRAM[family]}-${backEnd}`;
  const steps = texts.map((_, index) => {
    const flush = index === 0 ? '' : '--noflush';
    const text = `printf '%s' "$RULES${index}"`;
    return `${text} | ${program}-restore ${flush} --test && ${text} | ${program}-restore ${flush}`;
  });
  const script = [`printf '%s' "$SETS" | ipset restore`, ...steps, `${program}-save`].join(' && ');
  const variables = Object.fromEntries(texts.map((text, index) => [`RULES${index}`, text]));
  const run = spawnSync('unshare', ['-n', 'sh', '-c', script], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, LC_ALL: 'C', XTABLES_LOCKFILE: '/dev/null', SETS: sets, ...variables },
  });
  return run.status === 0 ? run.stdout : `exit ${run.status}: ${run.stderr}`;
}

function expectKept(loaded: Loaded, family: IpFamily): void {
  const merged = mergeRuleSets(loaded.texts.map((text) => parseRules(text, { family })));
  for (const backEnd of BACK_ENDS) {
    expect(saying(throughKernel(loaded, family, backEnd))).toEqual(saying(printRuleSet(merged)));
  }
}

describe('NetworkPolicies', () => {
  const clusterOf = (index: number) => {
    const dice = new PolicyDice(new Random(SEED + index));
    return { dice, cluster: { pods: dice.pods(), namespaces: dice.namespaces(), policies: dice.policies() } };
  };

  test.each(Array.from({ length: 12 }, (_, index) => index))(
    `are kept as written (SEED=${SEED} + %i)`,
    (index) => {
      const policies = new PolicyIndex(clusterOf(index).cluster);
      for (const { name } of NODES) {
        for (const family of FAMILIES) {
          const { rules, sets } = policies.nodeRules(name, family);
          if (rules !== '') expectKept({ sets, texts: [rules] }, family);
        }
      }
    },
  );

  test.each(FAMILIES)('stand beside the rules of kube-proxy, %s', (family) => {
    const proxy = rulesOf(loadManifests(PROXY_MANIFEST), family);
    const { dice: _, cluster } = clusterOf(0);
    const open = cluster.policies.map((policy) => ({
      ...policy,
      spec: { ...policy.spec, podSelector: { matchLabels: {}, matchExpressions: [] } },
    }));
    const policies = new PolicyIndex({ ...cluster, policies: open });
    for (const { name } of NODES) {
      const { rules, sets } = policies.nodeRules(name, family);
      if (rules !== '') expectKept({ sets, texts: [proxy, rules] }, family);
    }
  });

  test.each(Array.from({ length: 6 }, (_, index) => index))(
    `let through in the kernel what they let through here (SEED=${SEED} + %i)`,
    (index) => {
      const { dice, cluster } = clusterOf(index);
      const { pods } = cluster;
      const node = dice.one(NODES);
      const { index: policies } = new World(cluster);
      const written = FAMILIES.map((family) => ({ family, ...policies.nodeRules(node.name, family) }));
      const texts = written
        .filter(({ rules }) => rules !== '')
        .map(({ family, rules }) => ({ family, text: rules, file: `policies, ${family}` }));
      const sets = written.map((each) => each.sets).join('');
      const packets = Array.from({ length: 60 }, (_, count) => ({
        ...dice.attempt(pods),
        sport: 20_000 + count,
      })).flatMap((attempt) => {
        const packet = openingPacket(attempt);
        if (packet === undefined || sameAddress(packet.src, packet.dst)) return [];
        const device = entrance(attempt.from, node, pods);
        const leads = [...node.addresses, ...guestsOf(node, pods).flatMap(({ addresses }) => addresses)];
        const isHere = leads.some((own) => sameAddress(own, packet.dst)) || device !== 'eth0';
        return device === undefined || !isHere ? [] : [{ packet, device, wait: 0 }];
      });
      const verified = verifyPackets(packets, {
        plan: {
          host: {
            ...nodeDevices(node, pods),
            conntrack: DEFAULT_CONNTRACK,
            ...(sets === '' ? {} : { sets }),
          },
          rules: texts,
          backend: 'nft',
        },
        rules: texts.map(({ text, family, file }) => toRuleSet(parseRules(text, { family, file }))),
        sets: parseIpsetSave(sets),
      });
      const differences = [...verified].flatMap(({ differences: found, injection: { packet } }) =>
        found.map((line) => `${formatIpAddress(packet.src)} > ${formatIpAddress(packet.dst)}: ${line}`),
      );
      expect(differences).toEqual([]);
    },
  );
});

/** By which device of `node` a packet from `from` comes in; undefined: it is made there. */
function entrance(
  from: Parameters<typeof addressOf>[0],
  node: (typeof NODES)[number],
  pods: Parameters<typeof guestsOf>[1],
): string | undefined {
  if (from.kind === 'outside') return 'eth0';
  if (from.kind === 'node') return from.node.name === node.name ? undefined : 'eth0';
  if (from.pod.node !== node.name) return 'eth0';
  const guest = guestsOf(node, pods).indexOf(from.pod);
  return guest < 0 ? undefined : `veth${guest}`;
}

describe('cluster networks', () => {
  test.each(CLUSTER_NETWORKS.flatMap((network) => FAMILIES.map((family) => [network, family] as const)))(
    '%s, %s, beside kube-proxy',
    (network, family) => {
      const { rules, sets } = planNodeNetwork(networkInput(network));
      const proxy = rulesOf(loadManifests(PROXY_MANIFEST), family);
      expectKept({ sets, texts: [proxy, rules[family]] }, family);
    },
  );
});

describe('plugins', () => {
  test.each(FAMILIES)('bridge and portmap, %s', (family) => {
    const host = new CniHost(new Namespace({ name: 'machine', scheduler: new Scheduler(), seed: 1 }));
    const ranges = [[{ subnet: '10.88.0.0/16' }], [{ subnet: 'fd00:88::/64' }]];
    const conflist = {
      cniVersion: '1.0.0',
      name: 'podnet',
      plugins: [
        { type: 'bridge', isGateway: true, ipMasq: true, ipam: { type: 'host-local', ranges } },
        {
          type: 'portmap',
          capabilities: { portMappings: true },
          conditionsV4: ['!', '-d', '192.0.2.0/24'],
          conditionsV6: ['-m', 'comment', '--comment', 'a "quoted" word'],
        },
      ],
    };
    const runtime = new CniRuntime(host, parseConflist(JSON.stringify(conflist), 'conflist'));
    for (const containerId of ['one', 'x'.repeat(250)]) {
      const namespace = new Namespace({ name: containerId, scheduler: host.namespace.scheduler, seed: 1 });
      const portMappings = Array.from({ length: 20 }, (_, index) => ({
        hostPort: 8000 + index,
        containerPort: 80,
        protocol: (['tcp', 'udp', 'sctp'] as const)[index % 3] ?? 'tcp',
      }));
      runtime.add({
        containerId,
        ifName: 'eth0',
        sandbox: { path: '/n', namespace },
        runtimeConfig: { portMappings },
      });
    }
    expectKept({ texts: [host.rules.text(family)] }, family);
  });
});
