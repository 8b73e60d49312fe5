/** `kubewire eval`: an iptables-save dump, a host and packets in; each packet's fate out, a JSON line each. */
import type { Command } from 'commander';
import type { Backend } from '../netfilter/hooks.ts';
import type { IpFamily } from '../wire/ip-address.ts';
import { repeatable, seedNumber } from './options.ts';

interface EvalOptions {
  readonly rules: readonly string[];
  readonly host: string;
  readonly packets: string;
  readonly family: IpFamily;
  readonly explore?: boolean;
  readonly seed: number;
  readonly engine: 'linear' | 'compiled';
  readonly backend: Backend;
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

Packets (one JSON object a line; without "in" the host itself sends it):
  {"id":1,"in":"veth1","src":"10.244.1.5","dst":"10.96.0.10","proto":"tcp","sport":40000,"dport":80,"flags":"S"}

Example:
  kubewire eval --rules node.save --host host.yaml --packets packets.jsonl --explore
`;

async function runEval(options: EvalOptions): Promise<void> {
  const [{ readText }, { parseRules }, { mergeRuleSets }, spec, packets, build, evaluation] =
    await Promise.all([
      import('./read-inputs.ts'),
      import('../ruletext/parse-rules.ts'),
      import('../ruletext/load-rules.ts'),
      import('../cluster/single-host/host-spec.ts'),
      import('../cluster/single-host/packet-lines.ts'),
      import('../cluster/single-host/build-host.ts'),
      import('../cluster/single-host/evaluate.ts'),
    ]);
  const saved = [];
  for (const path of options.rules) {
    const { file, text } = await readText(path);
    saved.push(parseRules(text, { file, family: options.family }));
  }
  const rules = [mergeRuleSets(saved)];
  const hostText = await readText(options.host);
  const host = spec.decodeHostSpec(hostText.text, hostText.file);
  const packetText = await readText(options.packets);
  const lines = packets.decodePackets(packetText.text, packetText.file);
  const run = build.buildHost(host, {
    rules,
    seed: options.seed,
    backend: options.backend,
    engine: options.engine,
  });
  // Everything is checked before the first line is printed, so that bad input leaves nothing half-done.
  evaluation.checkDevices(run.host, lines);
  for (const result of evaluation.evaluate(run, lines, { explore: options.explore === true })) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
}

/** Adds the command to `program`. */
export function registerEval(program: Command): void {
  const command = program.command('eval');
  command
    .description('what one host does with packets under an iptables-save dump')
    .requiredOption('--rules <file>', 'iptables-save text; repeatable, loaded one after another', repeatable)
    .requiredOption('--host <file>', 'the host: interfaces, routes, sysctls (YAML)')
    .requiredOption('--packets <file>', 'packets as JSON lines, - for standard input')
    .addOption(
      command
        .createOption('--family <family>', 'the family of the dump')
        .choices(['ipv4', 'ipv6'])
        .default('ipv4'),
    )
    .option('--explore', 'add every outcome of random choices with its exact probability')
    .option('--seed <number>', 'the seed of random choices', seedNumber, 1)
    .addOption(
      command
        .createOption('--engine <engine>', 'how rules are looked up')
        .choices(['linear', 'compiled'])
        .default('linear'),
    )
    .addOption(
      command
        .createOption('--backend <backend>', 'whose order of tables: iptables-nft or iptables-legacy')
        .choices(['nft', 'legacy'])
        .default('nft'),
    )
    .addHelpText('after', EXAMPLES)
    .action(runEval);
}
