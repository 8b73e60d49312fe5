/** `kubewire trace`: one connection attempt through the whole emulated cluster, and the answer back. */
import type { Command } from 'commander';
import type { TraceProtocol } from '../cluster/trace/request.ts';
import type { TraceReport } from '../cluster/trace/trace.ts';
import type { IpFamily } from '../wire/ip-address.ts';
import { repeatable, seedNumber, wholeNumber } from './options.ts';

interface TraceFlags {
  readonly filename: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly proto?: TraceProtocol;
  readonly family?: IpFamily;
  readonly sport: number;
  readonly reply?: boolean;
  readonly explore?: boolean;
  readonly output: 'text' | 'json' | 'mermaid';
  readonly pcap?: string;
  readonly seed: number;
}

const EXAMPLES = `
WHO is pod/NAMESPACE/NAME, node/NAME, host/NAME or external/ADDRESS;
--to also takes svc/NAMESPACE/NAME, each with :PORT or without, and ADDRESS:PORT.
Exits 1 when the packet does not arrive, or is refused.

Examples:
  kubewire trace -f topologies/three-nodes.yaml --from pod/default/client --to svc/default/web --reply
  kubewire trace -f cluster.yaml --from external/203.0.113.9 --to svc/shop/cart:https --explore
  kubewire trace -f cluster.yaml --from node/worker-1 --to 10.96.0.10:81 -o mermaid
`;

const FAILED = 1;

async function render(report: TraceReport, output: TraceFlags['output']): Promise<string> {
  switch (output) {
    case 'text': {
      const { renderText } = await import('./trace/render-text.ts');
      const colour = process.stdout.isTTY === true && !process.env.NO_COLOR;
      return renderText(report, { colour });
    }
    case 'json':
      return (await import('./trace/render-json.ts')).renderJson(report);
    case 'mermaid':
      return (await import('./trace/render-mermaid.ts')).renderMermaid(report);
  }
}

async function runTrace(flags: TraceFlags): Promise<void> {
  const [{ parseFrom, parseTo }, { readInputs }, { loadCluster }, { traceCluster }] = await Promise.all([
    import('../cluster/trace/who.ts'),
    import('./read-inputs.ts'),
    import('../cluster/load.ts'),
    import('../cluster/trace/trace.ts'),
  ]);
  const from = parseFrom(flags.from);
  const to = parseTo(flags.to);
  const cluster = loadCluster(await readInputs(flags.filename));
  const { isPcapng, writeCapture } = await import('./trace/capture.ts');
  const report = traceCluster(cluster, {
    capture: flags.pcap !== undefined && isPcapng(flags.pcap),
    from,
    to,
    sport: flags.sport,
    seed: flags.seed,
    reply: flags.reply === true,
    explore: flags.explore === true,
    ...(flags.proto === undefined ? {} : { protocol: flags.proto }),
    ...(flags.family === undefined ? {} : { family: flags.family }),
  });
  const text = await render(report, flags.output);
  if (flags.pcap !== undefined) writeCapture(flags.pcap, report);
  process.stdout.write(text);
  if (!report.success) process.exitCode = FAILED;
}

/** Adds the command to `program`. */
export function registerTrace(program: Command): void {
  const command = program.command('trace');
  command
    .description('follow one connection attempt through the whole emulated cluster')
    .requiredOption(
      '-f, --filename <path>',
      'manifests: a file, a directory or - for standard input; repeatable',
      repeatable,
    )
    .requiredOption('--from <who>', 'who sends')
    .requiredOption('--to <who>', 'whom to reach')
    .addOption(
      command
        .createOption('--proto <protocol>', "by default that of the Service's port, else tcp")
        .choices(['tcp', 'udp', 'sctp', 'icmp']),
    )
    .option('--sport <port>', 'the source port (icmp: the identifier)', wholeNumber(0, 65_535), 40_000)
    .option('--reply', 'follow the answer too')
    .option('--explore', 'add every outcome of random choices with its exact probability')
    .addOption(
      command
        .createOption('--family <family>', 'by default IPv4 where both ends have it')
        .choices(['ipv4', 'ipv6']),
    )
    .addOption(
      command
        .createOption('-o, --output <format>', 'how to print it')
        .choices(['text', 'json', 'mermaid'])
        .default('text'),
    )
    .option('--pcap <file>', 'also write a capture file: FILE.pcapng holds every frame, with comments')
    .option('--seed <number>', 'the seed of random choices', seedNumber, 1)
    .addHelpText('after', EXAMPLES)
    .action(runTrace);
}
