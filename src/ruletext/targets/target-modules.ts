/** All targets, by the name after `-j`. */
import type { Target } from '../../netfilter/target.ts';
import type { TargetModule } from '../target-module.ts';
import { unmodelledTargets } from '../unmodelled-extensions.ts';
import { CT_TARGET_MODULE } from './ct-target.ts';
import { LOG_TARGET_MODULES } from './log-targets.ts';
import { MARK_TARGET_MODULES } from './mark-targets.ts';
import { NAT_TARGET_MODULES } from './nat-targets.ts';
import { PACKET_TARGET_MODULES } from './packet-targets.ts';
import { VERDICT_TARGET_MODULES } from './verdict-targets.ts';

const MODULES: readonly TargetModule[] = [
  ...VERDICT_TARGET_MODULES,
  ...MARK_TARGET_MODULES,
  ...NAT_TARGET_MODULES,
  ...LOG_TARGET_MODULES,
  ...PACKET_TARGET_MODULES,
  CT_TARGET_MODULE,
  ...unmodelledTargets<Target>(),
];

const BY_NAME: ReadonlyMap<string, TargetModule> = new Map(MODULES.map((module) => [module.name, module]));

/** The target `name`, or undefined: then it is a chain, or something from elsewhere. */
export function findTargetModule(name: string): TargetModule | undefined {
  return BY_NAME.get(name);
}
