/** The rule sets of other programs in rules/foreign, with the hosts that they are for. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeHostSpec, type HostSpec } from '../../src/cluster/single-host/host-spec.ts';
import type { IpSet } from '../../src/netfilter/ip-set.ts';
import { parseIpsetSave } from '../../src/ruletext/ipset-save.ts';
import type { IpFamily } from '../../src/wire/ip-address.ts';

const FOREIGN = join(import.meta.dirname, '../../rules/foreign');
const SAVE: Readonly<Record<IpFamily, string>> = { ipv4: 'iptables.save', ipv6: 'ip6tables.save' };

export interface ForeignDump {
  readonly program: string;
  readonly family: IpFamily;
  readonly file: string;
  readonly text: string;
  readonly host: HostSpec;
  /** `ipset save` text. */
  readonly setsText: string | undefined;
  readonly sets: ReadonlyMap<string, IpSet>;
}

function read(program: string, name: string): string | undefined {
  const path = join(FOREIGN, program, name);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function dumpsOf(program: string): readonly ForeignDump[] {
  const host = decodeHostSpec(read(program, 'host.yaml') ?? '', `${program}/host.yaml`);
  const setsText = read(program, 'ipset.save');
  const sets = setsText === undefined ? new Map<string, IpSet>() : parseIpsetSave(setsText);
  return (['ipv4', 'ipv6'] as const).flatMap((family) => {
    const text = read(program, SAVE[family]);
    if (text === undefined) return [];
    return [{ program, family, file: `${program}/${SAVE[family]}`, text, host, setsText, sets }];
  });
}

/** Every dump, by program. */
export const FOREIGN_DUMPS: readonly ForeignDump[] = readdirSync(FOREIGN, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort()
  .flatMap(dumpsOf);
