/** Names of chains, and the policies of the built-in ones. */
import type { RuleContext } from './rule-context.ts';
import { findTargetModule } from './targets/target-modules.ts';

/** XT_EXTENSION_MAXNAMELEN less the terminator: the longest chain or target name. */
export const MAX_CHAIN_NAME = 28;

/** Names that every program reads as a verdict. */
const VERDICTS: ReadonlySet<string> = new Set(['ACCEPT', 'DROP', 'RETURN', 'QUEUE']);

/** Complains about a name that cannot be a chain's, built in or not. */
export function checkChainName(context: RuleContext, name: string): void {
  if (name.length > MAX_CHAIN_NAME) {
    throw context.error(`chain name '${name}' is longer than ${MAX_CHAIN_NAME} characters`);
  }
  if (name === '' || name.startsWith('-') || name.startsWith('!') || /\s/.test(name)) {
    throw context.error(`bad chain name '${name}'; expected a name that does not begin with '-' or '!'`);
  }
  if (VERDICTS.has(name)) throw context.error(`chain name '${name}' is a verdict's; expected another name`);
}

/** Complains about a name that iptables refuses for a new chain of the user's. */
export function checkNewChainName(context: RuleContext, name: string): void {
  checkChainName(context, name);
  if (findTargetModule(name) !== undefined)
    throw context.error(`chain name '${name}' is the name of a target`);
}

/** ACCEPT or DROP. Complains about anything else. */
export function parsePolicy(context: RuleContext, text: string): 'ACCEPT' | 'DROP' {
  if (text !== 'ACCEPT' && text !== 'DROP') {
    throw context.error(`bad policy '${text}'; expected ACCEPT or DROP`);
  }
  return text;
}
