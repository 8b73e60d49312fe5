/** One rule that iptables-nft stored, as `nft list` prints it. */
import type { Match } from '../netfilter/match.ts';
import type { Rule } from '../netfilter/rule-set.ts';
import type { IpFamily } from '../wire/ip-address.ts';
import { nftXtMatch, type TranslationContext, type XtMatch } from './nft-list-matches.ts';
import { nftHead, nftLimit, nftMark, nftTransport } from './nft-list-native.ts';
import { type NftStatement, statement } from './nft-list-statement.ts';
import { type LoadedLibraries, nftTarget } from './nft-list-targets.ts';
import { untoldMatch, untoldTarget } from './nft-list-unmodelled.ts';

/** A rule and what it has counted. */
export interface CountedRule {
  readonly rule: Rule;
  readonly packets: number | bigint;
  readonly bytes: number | bigint;
}

/** A run of nft, at a table of `family`. */
export interface NftRun {
  readonly family: IpFamily;
  readonly loaded: LoadedLibraries;
  /** `-s`: without what counters say. */
  readonly stateless: boolean;
}

export interface NftRuleLine {
  readonly text: string;
  /** What nft says on its standard error meanwhile. */
  readonly complaints: readonly string[];
  /** The rule holds an extension of xtables. */
  readonly xtables: boolean;
}

interface MatchPieces {
  readonly statements: readonly NftStatement[];
  readonly xtables: boolean;
}

const own = (...statements: NftStatement[]): MatchPieces => ({ statements, xtables: false });
const extension = (match: XtMatch, context: TranslationContext): MatchPieces => ({
  statements: [statement(nftXtMatch(match, context))],
  xtables: true,
});

function matchPieces(match: Match, context: TranslationContext): MatchPieces {
  switch (match.kind) {
    case 'source':
    case 'destination':
    case 'in-device':
    case 'out-device':
    case 'protocol':
    case 'fragment':
      return own();
    case 'mark':
      return own(nftMark(match));
    case 'limit':
      return own(nftLimit(match));
    case 'tcp':
    case 'udp': {
      const statements = nftTransport(match);
      return statements === undefined ? extension(match, context) : own(...statements);
    }
    default:
      return extension(match, context);
  }
}

/**
 * Leaves out `meta l4proto tcp` before a comparison of tcp's own fields, which implies it, if nothing but
 * comparisons stand between (nft's payload_dependency_kill).
 */
function withoutImplied(statements: readonly NftStatement[]): readonly NftStatement[] {
  const at = statements.findIndex(({ text }) => text === 'meta l4proto tcp' || text === 'meta l4proto udp');
  const field = `${statements[at]?.text.slice(-3)} `;
  for (const { text, expression } of at < 0 ? [] : statements.slice(at + 1)) {
    if (!expression) break;
    if (text.startsWith(field)) return statements.filter((_statement, index) => index !== at);
  }
  return statements;
}

/** Extensions of which only the name is known here, and not whether nft has more to say. */
function untold({ matches, target }: Rule): string[] {
  const names = [
    ...matches.map((match) => (match.kind === 'unknown' ? untoldMatch(match) : undefined)),
    target.kind === 'unknown' ? untoldTarget(target.name) : undefined,
  ];
  return names.flatMap((name) =>
    name === undefined ? [] : [`# Note: ${name} is printed by its name; nft may know a translation.`],
  );
}

/** The line of `counted`; notes in `run` what nft loads for it. */
export function nftRuleLine(counted: CountedRule, run: NftRun): NftRuleLine {
  const { rule, packets, bytes } = counted;
  const { family, loaded, stateless } = run;
  let protocol = 0;
  for (const match of rule.matches) if (match.kind === 'protocol') protocol = match.protocol;
  const pieces = rule.matches.map((match) => matchPieces(match, { family, protocol }));
  const matches = [...nftHead(rule.matches), ...pieces.flatMap(({ statements }) => statements)];
  const target = nftTarget(rule.target, family, loaded);
  const texts = [
    ...withoutImplied(matches).map(({ text }) => text),
    stateless ? 'counter' : `counter packets ${packets} bytes ${bytes}`,
    ...(target.text === undefined ? [] : [target.text]),
  ];
  return {
    text: texts.join(' '),
    complaints: [...untold(rule), ...(target.complaint === undefined ? [] : [target.complaint])],
    xtables: target.xtables || pieces.some(({ xtables }) => xtables),
  };
}
