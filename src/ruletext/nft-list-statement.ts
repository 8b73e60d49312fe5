/**
 * The pieces that a line of `nft list` is put together from. nft 1.0.6 prints them with one blank between each two,
 * also around a piece without text.
 */

export interface NftStatement {
  readonly text: string;
  /**
   * nft's own comparison. Anything else between `meta l4proto tcp` and `tcp dport 80` keeps both on the line
   * (netlink_delinearize.c, rule_maybe_reset_payload_deps).
   */
  readonly expression: boolean;
}

/** A comparison of nft's own. */
export function expression(text: string): NftStatement {
  return { text, expression: true };
}

/** Anything else: extensions of xtables, limits, counters, verdicts. */
export function statement(text: string): NftStatement {
  return { text, expression: false };
}

/** `!= ` for what is negated. */
export function unequal(negate: boolean): string {
  return negate ? '!= ' : '';
}

/** `FROM-TO`, or the one number. */
export function numberOrRange(range: { readonly from: number; readonly to: number }): string {
  return range.from === range.to ? String(range.from) : `${range.from}-${range.to}`;
}
