/** The TOS octet and its DSCP part as `-m tos`, `-m dscp`, `-j TOS` and `-j DSCP` write them. */
import type { OptionSpec, OptionUse } from './match-module.ts';
import { parseNumber, tryParseNumber } from './numbers.ts';

const TOS_NAMES: ReadonlyMap<string, number> = new Map([
  ['minimize-delay', 0x10],
  ['maximize-throughput', 0x08],
  ['maximize-reliability', 0x04],
  ['minimize-cost', 0x02],
  ['normal-service', 0x00],
]);
/** What a symbolic name compares or sets (libxt_tos.c, revision 1). */
const TOS_NAME_MASK = 0x3f;

/** RFC 2474, 2597, 3246. A name may be followed by anything, as in iptables. */
const DSCP_CLASSES: readonly (readonly [string, number])[] = [
  ...Array.from({ length: 8 }, (_, n) => [`CS${n}`, n * 8] as const),
  ['BE', 0],
  ...[1, 2, 3, 4].flatMap((n) => [1, 2, 3].map((drop) => [`AF${n}${drop}`, n * 8 + drop * 2] as const)),
  ['EF', 0x2e],
];

/** `VALUE[/MASK]` or a symbolic name. */
export function readTos(use: OptionUse): { readonly value: number; readonly mask: number } {
  const slash = use.text.indexOf('/');
  const named = TOS_NAMES.get(use.text.toLowerCase());
  if (named !== undefined) return { value: named, mask: TOS_NAME_MASK };
  const value = tryParseNumber(slash < 0 ? use.text : use.text.slice(0, slash), 0, 0xff);
  const mask = slash < 0 ? 0xff : tryParseNumber(use.text.slice(slash + 1), 0, 0xff);
  if (value === undefined || mask === undefined) {
    throw use.context.error(
      `bad value '${use.text}' for --${use.option}; expected VALUE[/MASK] up to 0xff or one of ${[...TOS_NAMES.keys()].join(', ')}`,
    );
  }
  return { value, mask };
}

function readClass(use: OptionUse): number {
  const text = use.text.toUpperCase();
  const found = DSCP_CLASSES.find(([name]) => text.startsWith(name));
  return (
    found?.[1] ?? use.context.fail(`bad DSCP class '${use.text}'; expected BE, EF, CS0-CS7 or AF11-AF43`)
  );
}

/** The options `NAME` (a number) and `NAME-class`, of which one may be given; `store` keeps the value. */
export function dscpOption<Draft>(
  name: string,
  invert: boolean,
  store: (draft: Draft, value: number, use: OptionUse) => void,
): Readonly<Record<string, OptionSpec<Draft>>> {
  return {
    [name]: {
      values: 1,
      invert,
      read: (draft, use) => {
        store(draft, parseNumber(use.context, use.option, use.text, { max: 0x3f }), use);
      },
    },
    [`${name}-class`]: { values: 1, invert, read: (draft, use) => store(draft, readClass(use), use) },
  };
}

/** `0x` and two hexadecimal digits. */
export function formatByte(value: number): string {
  return `0x${value.toString(16).padStart(2, '0')}`;
}
