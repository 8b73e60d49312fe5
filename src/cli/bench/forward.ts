/**
 * `bench forward`: packets to Services through a whole node: bytes read, all hooks, conntrack, NAT, routing.
 * New flows walk the nat rules, established ones do not.
 */
import { buildHost, type HostRun } from '../../cluster/single-host/build-host.ts';
import { ConntrackTable } from '../../netfilter/conntrack/table.ts';
import type { RuleSet } from '../../netfilter/rule-set.ts';
import { DEFAULT_DEVICE_SYSCTLS, type Device } from '../../netstack/device.ts';
import { toRuleSet } from '../../ruletext/load-rules.ts';
import { parseRules } from '../../ruletext/parse-rules.ts';
import { Random } from '../../sim/random.ts';
import { emitPacket, parsePacket } from '../../wire/headers.ts';
import { parseInterfaceAddress, parseIpPrefix } from '../../wire/ip-prefix.ts';
import { NO_BYTES } from '../../wire/packet.ts';
import { TCP_FLAG } from '../../wire/protocol.ts';
import { interleave, samplesFor } from './measure.ts';
import { podAddress, rulesText, SERVICE_PORT, type Size, serviceAddress } from './workload.ts';

/** How the host finds rules; the flat engine is no part of it, as it keeps no state. */
export const HOST_ENGINES = ['linear', 'compiled'] as const;
export type HostEngine = (typeof HOST_ENGINES)[number];

export interface ForwardResult extends Size {
  readonly engine: HostEngine;
  /** Packets a second, from the median round: first packets of flows, and later ones. */
  readonly newFlows: number;
  readonly established: number;
  readonly packets: number;
  readonly rounds: number;
}

const POD_DEVICE: Device = {
  ...DEFAULT_DEVICE_SYSCTLS,
  name: 'cni0',
  addresses: ['100.64.0.1/10', 'fd64::1/16'].map(parseInterfaceAddress),
};
const UPLINK: Device = {
  ...DEFAULT_DEVICE_SYSCTLS,
  name: 'eth0',
  addresses: ['172.18.0.2/16', 'fd18::2/64'].map(parseInterfaceAddress),
};

function nodeOf(ruleSet: RuleSet, engine: HostEngine): HostRun {
  const routes = [
    { prefix: parseIpPrefix('0.0.0.0/0'), gateway: 0xac120001, device: 'eth0', type: 'unicast', metric: 0 },
  ] as const;
  const spec = { devices: [POD_DEVICE, UPLINK], routes, tcpLoose: true, tcpBeLiberal: false };
  return buildHost({ ...spec, conntrackMax: 2 ** 30 }, { rules: [ruleSet], seed: 1, backend: 'nft', engine });
}

/** The bytes of SYNs from pods to Services, each a flow of its own. */
function synBytes({ services, endpoints, family }: Size, count: number): readonly Uint8Array[] {
  const random = new Random(1);
  const fixed = { ttl: 64, tos: 0, id: 0, dontFragment: true };
  const tcp = { kind: 'tcp', seq: 1, ack: 0, flags: TCP_FLAG.SYN, window: 65_535 } as const;
  return Array.from({ length: count }, (_, flow) => {
    const sport = 1024 + (flow % 60_000);
    const transport = { ...tcp, sport, dport: SERVICE_PORT, options: NO_BYTES, data: NO_BYTES };
    // Flows with the same port come from other pods.
    const pod = 2 + ((Math.floor(flow / 60_000) * 7919) % Math.max(1, services * endpoints));
    const src = podAddress(pod, family);
    return emitPacket({ ...fixed, src, dst: serviceAddress(random.below(services), family), transport });
  });
}

/** Packets of a round, fewer where every one of them walks thousands of rules. */
function packetsFor(engine: HostEngine, services: number): number {
  return engine === 'linear' ? Math.max(50, Math.min(2000, Math.floor(2e6 / services))) : 2000;
}

/** Measures a node with the rules of a cluster of `size` by each of `engines`. */
export async function benchForward(
  size: Size,
  { engines, rounds }: { readonly engines: readonly HostEngine[]; readonly rounds: number },
): Promise<readonly ForwardResult[]> {
  const ruleSet = toRuleSet(parseRules(rulesText(size), { family: size.family }));
  const results: ForwardResult[] = [];
  for (const engine of engines) {
    const packets = packetsFor(engine, size.services);
    const bytes = synBytes(size, packets);
    const play = ({ host }: HostRun) => {
      for (const each of bytes) host.receive(parsePacket(each), POD_DEVICE);
    };
    const run = nodeOf(ruleSet, engine);
    const { netfilter } = run.host;
    play(run);
    const established = netfilter.conntrack;
    const { fate } = run.host.receive(parsePacket(bytes[0] ?? NO_BYTES), POD_DEVICE);
    if (fate.kind !== 'forwarded') throw new Error(`the packets are ${fate.kind}, expected forwarded`);
    if (established.size !== packets) throw new Error(`${established.size} flows, expected ${packets}`);
    const measured = await interleave(
      [
        {
          name: 'new',
          prepare: () => {
            netfilter.conntrack = new ConntrackTable();
          },
          run: () => play(run),
        },
        {
          name: 'established',
          prepare: () => {
            netfilter.conntrack = established;
          },
          run: () => play(run),
        },
      ],
      { rounds, warmUp: 3 },
    );
    const perSecond = (name: 'new' | 'established') =>
      Math.round((packets * 1e9) / samplesFor(measured, name).median);
    results.push({
      ...size,
      engine,
      newFlows: perSecond('new'),
      established: perSecond('established'),
      packets,
      rounds,
    });
  }
  return results;
}
