/** What one of the two back ends loads and the other does not. */
import type { Match } from '../../../netfilter/match.ts';
import type { Rule } from '../../../netfilter/rule-set.ts';
import type { Target } from '../../../netfilter/target.ts';
import { TCP_FLAG } from '../../../wire/protocol.ts';
import { isZeroAddress } from '../analysis/bit-tests.ts';
import type { BackEnd } from './refusal.ts';
import type { CheckedTable } from './tables-in-hand.ts';

interface Where {
  readonly rule: Rule;
  readonly table: CheckedTable;
  readonly backEnd: BackEnd;
}

function nftProblem(use: Match | Target): string | undefined {
  if ((use.kind === 'source' || use.kind === 'destination') && use.negate && isZeroAddress(use.mask)) {
    return "'!' before an address with a mask of zero never matches, and iptables-nft refuses it; delete the rule";
  }
  if (use.kind === 'unknown' && use.name === 'QUEUE') return 'iptables-nft has no -j QUEUE; use -j NFQUEUE';
  return undefined;
}

/** xt_TCPMSS wants to see that only SYN segments come to it; it cannot through the nft back end. */
function matchesSyn({ matches }: Rule): boolean {
  return matches.some(
    (match) =>
      match.kind === 'tcp' &&
      match.flags !== undefined &&
      !match.flags.negate &&
      (match.flags.set & TCP_FLAG.SYN) !== 0,
  );
}

function legacyProblem(use: Match | Target, { rule, table }: Where): string | undefined {
  if (use.kind === 'limit' && use.burst === 0) {
    return 'iptables-legacy refuses --limit-burst 0; write 1 or more';
  }
  if (use.kind === 'log' && use.name === 'TRACE' && table.name !== 'raw') {
    return 'with iptables-legacy -j TRACE stands only in *raw; move the rule there';
  }
  if (use.kind === 'tcpmss' && !matchesSyn(rule)) {
    return 'with iptables-legacy -j TCPMSS needs --tcp-flags SYN,RST SYN in the same rule; add it';
  }
  return undefined;
}

/** What `backEnd` alone has against `use`, a match or target of `rule`; undefined: nothing. */
export function backEndProblem(use: Match | Target, where: Where): string | undefined {
  return where.backEnd === 'nft' ? nftProblem(use) : legacyProblem(use, where);
}
