/** `kubewire replay`: the packets of a capture sent into the emulated cluster, and what became of them. */
import type { Command } from 'commander';
import type { ReplayResult } from '../cluster/replay/replay.ts';
import { repeatable, seedNumber } from './options.ts';

interface ReplayFlags {
  readonly filename: readonly string[];
  readonly pcap: string;
  readonly at: string;
  readonly out?: string;
  readonly output: 'text' | 'json';
  readonly seed: number;
}

const EXAMPLES = `
--pcap takes pcap and pcapng files of Ethernet frames, raw IP packets or Linux cooked captures; a damaged one
is refused with the byte where it is wrong. Packets are sent at the pace of the capture, on the virtual clock.

--at WHO:DEVICE is where they appear; WHO is pod/NAMESPACE/NAME, node/NAME, host/NAME, external/ADDRESS or
router, and may be left out when only one host has the DEVICE. A packet whose source is an address of WHO is
sent by WHO, through its own output rules; any other is received by the device, in a frame addressed to it.
Sources that nobody in the cluster has become hosts outside. Answers are taken in silence where they arrive.

--out keeps every frame that passed any device because of it, with comments on what was decided (pcapng;
a name that ends in .pcap gives a classic file without comments).

Examples:
  kubewire replay -f cluster.yaml --pcap client.pcap --at pod/default/client:eth0
  kubewire replay -f cluster.yaml --pcap node.pcapng --at node/worker-1:eth0 --out what-happened.pcapng
  kubewire replay -f cluster.yaml --pcap node.pcapng --at node/worker-1:eth0 -o json
`;

async function render(
  result: ReplayResult,
  output: ReplayFlags['output'],
  details: Parameters<typeof import('./replay/replay-text.ts').renderReplayText>[1],
): Promise<string> {
  if (output === 'json') return (await import('./replay/replay-json.ts')).renderReplayJson(result, details);
  return (await import('./replay/replay-text.ts')).renderReplayText(result, details);
}

async function runReplay(flags: ReplayFlags): Promise<void> {
  const [{ readInputs }, { loadCluster }, { replay }, { replayPackets }, { parsePlace }, files] =
    await Promise.all([
      import('./read-inputs.ts'),
      import('../cluster/load.ts'),
      import('../cluster/replay/replay.ts'),
      import('../cluster/replay/replay-packets.ts'),
      import('../cluster/replay/replay-place.ts'),
      import('./replay/read-capture.ts'),
    ]);
  const at = parsePlace(flags.at);
  const format = flags.out === undefined ? undefined : files.captureFormat(flags.out);
  const { packets, skipped } = replayPackets(files.readCapture(flags.pcap));
  const cluster = loadCluster(await readInputs(flags.filename));
  const result = replay(cluster, packets, { at, seed: flags.seed, capture: format !== undefined });
  const text = await render(result, flags.output, { seed: flags.seed, skipped });
  const { capture } = result;
  if (flags.out !== undefined && capture !== undefined) {
    files.writeCapture(flags.out, format === 'pcap' ? capture.log.toPcap() : capture.toPcapng());
  }
  process.stdout.write(text);
}

/** Adds the command to `program`. */
export function registerReplay(program: Command): void {
  const command = program.command('replay');
  command
    .description('send the packets of a capture into the emulated cluster')
    .requiredOption(
      '-f, --filename <path>',
      'manifests: a file, a directory or - for standard input; repeatable',
      repeatable,
    )
    .requiredOption('--pcap <file>', 'the capture, pcap or pcapng')
    .requiredOption(
      '--at <device>',
      'where the packets appear: WHO:DEVICE, or DEVICE when only one host has it',
    )
    .option('--out <file>', 'write what happened to a capture file (.pcapng or .pcap)')
    .addOption(
      command
        .createOption('-o, --output <format>', 'how to print it')
        .choices(['text', 'json'])
        .default('text'),
    )
    .option('--seed <number>', 'the seed of random choices', seedNumber, 1)
    .addHelpText('after', EXAMPLES)
    .action(runReplay);
}
