import { readFileSync } from 'node:fs';
import {
  buildHost,
  decodeHostSpec,
  decodePackets,
  evaluate,
  generateIptablesRules,
  HttpClient,
  liveCluster,
  loadCluster,
  parseFrom,
  parseIpAddress,
  parseRules,
  parseTo,
  toRuleSet,
  traceCluster,
} from 'kubewire';

const file = 'topologies/three-nodes.yaml';
const cluster = loadCluster([{ file, text: readFileSync(file, 'utf8') }]);

// The rules of one node, as text; the same text could come from a real node's iptables-save.
const node = cluster.nodes.find(({ metadata }) => metadata.name === 'demo-worker');
if (node === undefined) throw new Error('no such node');
const text = generateIptablesRules({
  configuration: cluster.config,
  node,
  services: cluster.services,
  endpointSlices: cluster.endpointSlices,
  family: 'ipv4',
});

// What one host with these rules does with a packet.
const rules = toRuleSet(parseRules(text, { file: 'demo-worker', family: 'ipv4' }));
const host = decodeHostSpec('interfaces: [{name: eth0, addresses: [172.18.0.3/16]}]', 'host.yaml');
const packets = decodePackets(
  '{"id":1,"in":"eth0","src":"172.18.0.9","dst":"172.18.0.3","proto":"tcp","sport":40000,"dport":31000}',
  'packets.jsonl',
);
const run = buildHost(host, { rules: [rules], seed: 1, backend: 'nft' });
for (const { verdict } of evaluate(run, packets, { explore: false })) console.log(verdict);

// One connection attempt through the whole cluster.
const trace = traceCluster(cluster, {
  from: parseFrom('pod/default/client'),
  to: parseTo('svc/default/web'),
  sport: 40000,
  seed: 1,
  reply: true,
  explore: false,
});
console.log(trace.explanation);

// The same cluster alive, on a virtual clock: HTTP through the Service.
const live = liveCluster(cluster, { seed: 1 });
const { sockets } = live.namespace('pod/default/client');
const client = new HttpClient(sockets, { dst: parseIpAddress('10.96.0.10'), port: 80 });
client.request({ target: '/', host: 'web' }, (result) => console.log(result.kind));
live.scheduler.runUntilIdle();
