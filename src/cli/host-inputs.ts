/** The inputs that `eval` and `verify` share: rules, a host, packets; their flags, read and checked. */
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import type { HostSpec } from '../cluster/single-host/host-spec.ts';
import type { PacketLine } from '../cluster/single-host/packet-lines.ts';
import type { Backend } from '../netfilter/hooks.ts';
import type { IpSet } from '../netfilter/ip-set.ts';
import type { RuleSet } from '../netfilter/rule-set.ts';
import type { IpFamily } from '../wire/ip-address.ts';
import { repeatable } from './options.ts';
import type { InputText } from './read-inputs.ts';

export interface HostFlags {
  readonly rules: readonly string[];
  readonly host: string;
  readonly packets: string;
  readonly family: IpFamily;
  readonly backend: Backend;
  readonly engine: 'linear' | 'compiled';
}

export interface HostInputs {
  readonly ruleTexts: readonly InputText[];
  readonly rules: RuleSet;
  readonly host: HostSpec;
  /** What the host file's `sets` names. */
  readonly sets?: { readonly text: string; readonly sets: ReadonlyMap<string, IpSet> };
  readonly packets: readonly PacketLine[];
}

/** Adds the flags of HostFlags to `command`. */
export function addHostOptions(command: Command): Command {
  const choice = (flags: string, description: string, values: readonly [string, ...string[]]) =>
    command.createOption(flags, description).choices(values).default(values[0]);
  return command
    .requiredOption('--rules <file>', 'iptables-save text; repeatable, loaded one after another', repeatable)
    .requiredOption('--host <file>', 'the host: interfaces, routes, sysctls (YAML)')
    .requiredOption('--packets <file>', 'packets as JSON lines, - for standard input')
    .addOption(choice('--family <family>', 'the family of the dump', ['ipv4', 'ipv6']))
    .addOption(
      choice('--backend <backend>', 'whose tables: iptables-nft or iptables-legacy', ['nft', 'legacy']),
    )
    .addOption(
      choice('--engine <engine>', 'how rules are looked up; the answers are equal', ['linear', 'compiled']),
    );
}

/** The path of a file that the host file names: beside it, unless absolute. */
function besideHost(hostFile: string, path: string): string {
  return hostFile === '-' ? path : resolve(dirname(hostFile), path);
}

/** Reads and checks everything that `flags` name. Throws InputError. */
export async function readHostInputs(flags: HostFlags): Promise<HostInputs> {
  const [{ readText }, { parseRules }, { mergeRuleSets }, { parseIpsetSave }, spec, lines] =
    await Promise.all([
      import('./read-inputs.ts'),
      import('../ruletext/parse-rules.ts'),
      import('../ruletext/load-rules.ts'),
      import('../ruletext/ipset-save.ts'),
      import('../cluster/single-host/host-spec.ts'),
      import('../cluster/single-host/packet-lines.ts'),
    ]);
  const { family } = flags;
  const ruleTexts: InputText[] = [];
  for (const path of flags.rules) ruleTexts.push(await readText(path));
  const rules = mergeRuleSets(ruleTexts.map(({ file, text }) => parseRules(text, { file, family })));
  const hostText = await readText(flags.host);
  const host = spec.decodeHostSpec(hostText.text, hostText.file);
  const setsText =
    host.setsFile === undefined ? undefined : await readText(besideHost(flags.host, host.setsFile));
  const sets = setsText && { text: setsText.text, sets: parseIpsetSave(setsText.text, setsText.file) };
  const packetText = await readText(flags.packets);
  const packets = lines.decodePackets(packetText.text, packetText.file);
  return { ruleTexts, rules, host, packets, ...(sets === undefined ? {} : { sets }) };
}
