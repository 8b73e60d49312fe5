/** `kubewire verify`: the packets of `eval` through this machine's own kernel, and where the engine differs. */
import type { Command } from 'commander';
import type { PacketLine } from '../cluster/single-host/packet-lines.ts';
import { InputError } from '../sim/input-error.ts';
import { addHostOptions, type HostFlags, readHostInputs } from './host-inputs.ts';
import type { KernelPlan } from './kernel/host-plan.ts';
import type { VerifyPacket } from './kernel/verify-packets.ts';

interface VerifyFlags extends HostFlags {
  readonly output: 'text' | 'json';
}

const EXAMPLES = `
Builds the host in a private network namespace, loads the rules with this machine's iptables-restore, lets
each packet in and compares what the kernel does with what the engine says: the verdict, every packet that
leaves, conntrack's table. Random choices of the kernel are followed. Pauses ("wait") take real time.

Needs Linux, root, the programs ip, nft, iptables and conntrack, and the optional package koffi. Nothing
outside the namespace is touched and nothing is left behind. Exits 1 when anything differs.

Example:
  sudo kubewire verify --rules node.save --host host.yaml --packets packets.jsonl
`;

const DIFFERENT = 1;

function toVerify({ packet, inDevice, wait }: PacketLine): VerifyPacket {
  return { packet, wait, ...(inDevice === undefined ? {} : { device: inDevice }) };
}

/** The inputs of `eval`, read and checked, in the shape of a kernel's plan. */
async function readPlan(flags: VerifyFlags) {
  const { family, backend } = flags;
  const [inputs, { buildHost }, { checkDevices }] = await Promise.all([
    readHostInputs(flags),
    import('../cluster/single-host/build-host.ts'),
    import('../cluster/single-host/evaluate.ts'),
  ]);
  const { ruleTexts, rules, packets, sets } = inputs;
  const { conntrackMax, ...host } = inputs.host;
  if (conntrackMax !== undefined) {
    process.stderr.write(
      'kubewire: verify: conntrackMax belongs to the whole machine and is left as it is\n',
    );
  }
  const run = buildHost(host, { rules: [rules], seed: 1, backend });
  checkDevices(run.host, packets);
  const plan: KernelPlan = {
    host: {
      devices: host.devices,
      routes: host.routes,
      conntrack: run.host.netfilter.sysctls,
      ...(sets === undefined ? {} : { sets: sets.text }),
    },
    rules: ruleTexts.map(({ file, text }) => ({ file, text, family })),
    backend,
  };
  return { plan, rules, packets, ...(sets === undefined ? {} : { sets: sets.sets }) };
}

async function runVerify(flags: VerifyFlags): Promise<void> {
  const { rules, packets, ...inputs } = await readPlan(flags);
  const { verifyPackets } = await import('./kernel/verify-packets.ts');
  const report = await import('./verify-report.ts');
  const colour = report.paint(process.stdout.isTTY === true && !process.env.NO_COLOR);
  let different = 0;
  let index = 0;
  const verifications = verifyPackets(packets.map(toVerify), {
    ...inputs,
    rules: [rules],
    engine: flags.engine,
    onPause: (seconds) => {
      if (process.stderr.isTTY) process.stderr.write(`waiting ${seconds.toFixed(1)} s\n`);
    },
  });
  for (const verification of verifications) {
    const id = packets[index++]?.id ?? index;
    if (verification.differences.length > 0) different++;
    process.stdout.write(
      flags.output === 'json'
        ? `${JSON.stringify(report.verifyResult(id, verification))}\n`
        : report.verifyText(id, verification, colour),
    );
  }
  if (flags.output === 'text') process.stdout.write(report.verifySummary(packets.length, different));
  if (different > 0) process.exitCode = DIFFERENT;
}

/** What this machine lacks, or what its programs refuse, is a matter of the input: one line, exit 2. */
async function verifyOrExplain(flags: VerifyFlags): Promise<void> {
  const { KernelUnavailable } = await import('./kernel/libc.ts');
  const { ProgramFailed } = await import('./kernel/programs.ts');
  try {
    await runVerify(flags);
  } catch (error) {
    if (error instanceof KernelUnavailable) throw new InputError(`verify: ${error.message}`);
    if (error instanceof ProgramFailed) {
      const [file] = flags.rules;
      throw new InputError(
        error.message,
        error.program.endsWith('-restore') && flags.rules.length === 1 ? { file } : {},
      );
    }
    throw error;
  }
}

/** Adds the command to `program`. */
export function registerVerify(program: Command): void {
  const command = addHostOptions(program.command('verify'));
  command
    .description('the packets of eval through the kernel of this machine, compared with the engine')
    .addOption(
      command
        .createOption('-o, --output <format>', 'text for people, or a JSON line a packet')
        .choices(['text', 'json'])
        .default('text'),
    )
    .addHelpText('after', EXAMPLES)
    .action(verifyOrExplain);
}
