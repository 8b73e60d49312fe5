/** `kubewire exec`: a tool inside the emulated cluster, printing what the real one would print. */
import type { Command } from 'commander';
import type { ToolCommand } from '../cluster/tools/run-tools.ts';
import { InputError } from '../sim/input-error.ts';
import { repeatable, seedNumber } from './options.ts';

interface ExecFlags {
  readonly filename: readonly string[];
  readonly then?: readonly string[];
  readonly seed: number;
}

const EXAMPLES = `
WHO is pod/NAMESPACE/NAME, node/NAME, host/NAME, external/ADDRESS or router.
TOOL is ping, ping6, traceroute, traceroute6, curl, dig, nc, tcpdump, ip, ss, conntrack, sysctl,
iptables-save, ip6tables-save, nft, or cat /etc/resolv.conf.

Everything happens on the virtual clock: a ping that waits ten seconds takes none. Standard input is empty,
and there is nobody to press Ctrl-C: ping without -c stops after 4, and tcpdump when everything else is done.
With --then more tools are run in the same cluster afterwards, each given as one word: 'WHO TOOL ...'. They
see the connections and neighbours that the ones before them have left; tcpdump and nc -l go on beside them.

The exit code is that of the (last) tool; 2 may also mean a usage or input error, as with every command.

Examples:
  kubewire exec -f cluster.yaml pod/default/client -- curl -sv http://web.default/
  kubewire exec -f cluster.yaml node/worker-1 -- ip route
  kubewire exec -f cluster.yaml node/worker-1 --then 'pod/default/client curl -s web' -- tcpdump -ni eth0 tcp
  kubewire exec -f cluster.yaml pod/default/client --then 'node/worker-1 conntrack -L' -- curl -s web
`;

/** Splits a command as a shell does: blanks separate, quotes and backslashes keep together. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const letter = text[at] ?? '';
    if (quote === '' && /\s/.test(letter)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (quote === '' && (letter === '"' || letter === "'")) {
      quote = letter;
      word ??= '';
    } else if (letter === quote) quote = '';
    else if (letter === '\\' && quote !== "'" && at + 1 < text.length) {
      at++;
      word = `${word ?? ''}${text[at]}`;
    } else word = `${word ?? ''}${letter}`;
  }
  if (quote !== '') throw new InputError(`--then '${text}': a quote ${quote} is not closed`);
  if (word !== undefined) words.push(word);
  return words;
}

function commandOf(words: readonly string[], origin: string): ToolCommand {
  const [who, tool, ...args] = words.filter((word, index) => !(index === 1 && word === '--'));
  if (who === undefined || tool === undefined) {
    throw new InputError(`${origin}: expected WHO -- TOOL [ARGUMENTS], as in pod/default/client -- curl web`);
  }
  return { who, tool, args };
}

async function runExec(who: string, words: readonly string[], flags: ExecFlags): Promise<void> {
  const [{ readInputs }, { loadCluster }, { liveCluster }, { runTools }, { strangersIn }] = await Promise.all(
    [
      import('./read-inputs.ts'),
      import('../cluster/load.ts'),
      import('../cluster/live-cluster.ts'),
      import('../cluster/tools/run-tools.ts'),
      import('../cluster/tools/strangers.ts'),
    ],
  );
  const commands = [
    commandOf([who, ...words], 'exec'),
    ...(flags.then ?? []).map((text) => commandOf(splitWords(text), `--then '${text}'`)),
  ];
  const cluster = loadCluster(await readInputs(flags.filename));
  const strangers = strangersIn(commands.map((command) => command.who));
  const network = liveCluster(cluster, { seed: flags.seed, strangers });
  process.exitCode = runTools(network, commands, {
    print: (text) => process.stdout.write(text),
    complain: (text) => process.stderr.write(text),
  });
}

/** Adds the command to `program`. */
export function registerExec(program: Command): void {
  program
    .command('exec')
    .description('run a tool (ping, curl, dig, ip, ss, conntrack, tcpdump, …) inside the emulated cluster')
    .argument('<who>', 'where: a pod, a node, or a host outside')
    .argument('<tool...>', 'what to run there, behind --')
    .requiredOption(
      '-f, --filename <path>',
      'manifests: a file, a directory or - for standard input; repeatable',
      repeatable,
    )
    .option('--then <command>', "run 'WHO TOOL ...' afterwards in the same cluster; repeatable", repeatable)
    .option('--seed <number>', 'the seed of random choices', seedNumber, 1)
    .addHelpText('after', EXAMPLES)
    .action(runExec);
}
