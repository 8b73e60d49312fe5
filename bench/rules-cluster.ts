/**
 * Prints the manifest of a large cluster:
 *
 *     npx rolldown bench/rules-cluster.ts --platform node --dir /tmp/bench
 *     node /tmp/bench/rules-cluster.js 10000 3 > /tmp/cluster.yaml
 */
import { once } from 'node:events';
import { clusterDocuments } from './rules-manifest.ts';

const [services = 10_000, endpoints = 3] = process.argv.slice(2).map(Number);

for (const document of clusterDocuments(services, endpoints)) {
  if (!process.stdout.write(`---\n${document}`)) await once(process.stdout, 'drain');
}
