/** `-m icmp`, `-m icmp6`. */
import type { IcmpMatch, NumberRange } from '../../netfilter/match.ts';
import type { IpFamily } from '../../wire/ip-address.ts';
import { PROTOCOL } from '../../wire/protocol.ts';
import { ICMP_TYPE_NAMES, ICMPV6_TYPE_NAMES, type IcmpTypeName } from '../icmp-types.ts';
import { defineExtension, type MatchModule, type OptionUse } from '../match-module.ts';
import { bang, tryParseNumber } from '../numbers.ts';

type IcmpTest = NonNullable<IcmpMatch['test']>;

const ANY_TYPE = 255;
const ANY_CODE: NumberRange = { from: 0, to: 255 };

function readNumbers(use: OptionUse): Omit<IcmpTest, 'negate'> {
  const slash = use.text.indexOf('/');
  const type = tryParseNumber(slash < 0 ? use.text : use.text.slice(0, slash), 0, 255);
  const codes = slash < 0 ? undefined : use.text.slice(slash + 1).split(':');
  const from = codes === undefined ? 0 : tryParseNumber(codes[0] ?? '', 0, 255);
  const to = codes === undefined ? 255 : codes.length === 1 ? from : tryParseNumber(codes[1] ?? '', 0, 255);
  if (type === undefined || from === undefined || to === undefined || (codes?.length ?? 0) > 2) {
    throw use.context.error(
      `bad value '${use.text}' for --${use.option}; expected a type name, TYPE or TYPE/CODE`,
    );
  }
  return { type, code: { from, to } };
}

/** A name, also cut short if only one begins so; else numbers (libxt_icmp.h, __parse_icmp). */
function readTest(use: OptionUse, names: readonly IcmpTypeName[]): IcmpTest {
  const wanted = use.text.toLowerCase();
  const found = names.filter(({ name }) => name.toLowerCase().startsWith(wanted));
  const [only] = found;
  if (only === undefined) return { negate: use.negate, ...readNumbers(use) };
  if (found.length > 1) {
    throw use.context.error(
      `--${use.option} '${use.text}' may be ${found.map(({ name }) => name).join(' or ')}; expected one of them`,
    );
  }
  return { negate: use.negate, type: only.type, code: only.code };
}

function icmpModule(
  kind: IcmpMatch['kind'],
  family: IpFamily,
  option: string,
  names: readonly IcmpTypeName[],
): MatchModule {
  return defineExtension<{ test?: IcmpTest }, IcmpMatch>({
    name: kind,
    family,
    protocol: family === 'ipv4' ? PROTOCOL.icmp : PROTOCOL.icmpv6,
    options: {
      [option]: {
        values: 1,
        invert: true,
        read: (draft, use) => {
          draft.test = readTest(use, names);
        },
      },
    },
    draft: () => ({}),
    finish: ({ test }, context) => {
      if (test === undefined) throw context.error(`-m ${kind} needs --${option}`);
      return { kind, test };
    },
  });
}

export const ICMP_MATCH_MODULES: readonly MatchModule[] = [
  icmpModule('icmp', 'ipv4', 'icmp-type', ICMP_TYPE_NAMES),
  icmpModule('icmp6', 'ipv6', 'icmpv6-type', ICMPV6_TYPE_NAMES),
];

/** `-m icmp --icmp-type …`, `-m icmp6 --icmpv6-type …`; numbers, except IPv4's `any`. */
export function formatIcmp(match: IcmpMatch): string {
  const { test } = match;
  if (test === undefined) return `-m ${match.kind}`;
  const option = match.kind === 'icmp' ? '--icmp-type' : '--icmpv6-type';
  const head = `-m ${match.kind} ${bang(test.negate)}${option}`;
  const { from, to } = test.code;
  const anyCode = from === ANY_CODE.from && to === ANY_CODE.to;
  if (match.kind === 'icmp' && test.type === ANY_TYPE && anyCode) return `${head} any`;
  if (anyCode) return `${head} ${test.type}`;
  return `${head} ${test.type}/${from === to ? from : `${from}:${to}`}`;
}
