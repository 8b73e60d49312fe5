/** `kubewire eval`: an iptables-save dump, a host and packets in; each packet's fate out, a JSON line each. */
import type { Command } from 'commander';
import { addHostOptions, type HostFlags, readHostInputs } from './host-inputs.ts';
import { seedNumber } from './options.ts';

interface EvalFlags extends HostFlags {
  readonly explore?: boolean;
  readonly seed: number;
}

const EXAMPLES = `
Host file (YAML):
  interfaces:
  - {name: eth0, addresses: [172.18.0.2/16]}
  - {name: veth1, addresses: [169.254.1.1/32]}
  routes:
  - {dst: default, via: 172.18.0.1, dev: eth0}
  - {dst: 10.244.1.5/32, dev: veth1}
  rpFilter: 0          # also routeLocalnet, ipForward, tcpLoose, tcpBeLiberal, conntrackMax
  sets: ipset.save     # optional: \`ipset save\` text, for -m set

Packets (one JSON object a line; without "in" the host itself sends it):
  {"id":1,"in":"veth1","src":"10.244.1.5","dst":"10.96.0.10","proto":"tcp","sport":40000,"dport":80,"flags":"S"}

Example:
  kubewire eval --rules node.save --host host.yaml --packets packets.jsonl --explore
`;

async function runEval({ explore, seed, backend, engine, ...flags }: EvalFlags): Promise<void> {
  const [{ rules, host, sets, packets }, { buildHost }, { checkDevices, evaluate }] = await Promise.all([
    readHostInputs({ ...flags, backend, engine }),
    import('../cluster/single-host/build-host.ts'),
    import('../cluster/single-host/evaluate.ts'),
  ]);
  const run = buildHost(host, { rules: [rules], seed, backend, engine });
  if (sets !== undefined) run.host.netfilter.loadSets(sets.sets);
  // Everything is checked before the first line is printed, so that bad input leaves nothing half-done.
  checkDevices(run.host, packets);
  for (const result of evaluate(run, packets, { explore: explore === true })) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
}

/** Adds the command to `program`. */
export function registerEval(program: Command): void {
  addHostOptions(program.command('eval'))
    .description('what one host does with packets under an iptables-save dump')
    .option('--explore', 'add every outcome of random choices with its exact probability')
    .option('--seed <number>', 'the seed of random choices', seedNumber, 1)
    .addHelpText('after', EXAMPLES)
    .action(runEval);
}
