/** Values that are little programs: of `-m u32`, `-m bpf` and `-m string --hex-string`. */
import { tryParseNumber } from '../../numbers.ts';
import type { ValueForm } from './value-forms.ts';

/** XT_U32_MAXSIZE: tests, numbers of a location, values of a test. */
const U32_MAX = 10;

const NUMBER = '(?:0[xX][0-9a-fA-F]+|[0-9]+)';
const LOCATION = new RegExp(`^${NUMBER}(?:(?:&|<<|>>|@)${NUMBER})*$`);
const VALUES = new RegExp(`^${NUMBER}(?::${NUMBER})?(?:,${NUMBER}(?::${NUMBER})?)*$`);

function fits(part: string): boolean {
  const numbers = part.match(new RegExp(NUMBER, 'g')) ?? [];
  return numbers.every((number) => tryParseNumber(number, 0, 0xffffffff) !== undefined);
}

/** `LOCATION=VALUES && …` (libxt_u32.c, u32_parse); blanks may stand between the tokens. */
function isU32(text: string): boolean {
  const tests = text.replace(/\s+/g, '').split('&&');
  if (tests.length > U32_MAX) return false;
  return tests.every((test) => {
    const [location = '', values = '', ...more] = test.split('=');
    if (more.length > 0 || !LOCATION.test(location) || !VALUES.test(values)) return false;
    const operands = location.split(/&|<<|>>|@/).length;
    return operands <= U32_MAX && values.split(',').length <= U32_MAX && fits(location) && fits(values);
  });
}

export const U32_EXPRESSION: ValueForm = {
  expected: 'tests such as "0>>22&0x3C@0=0x1" joined by &&',
  accepts: isU32,
};

/** XT_STRING_MAX_PATTERN_SIZE. */
const MAX_PATTERN = 128;

/** Text with bytes in hexadecimal between bars, `\` before a literal character (libxt_string.c, parse_hex_string). */
function isHexString(text: string): boolean {
  if (text === '') return false;
  let length = 0;
  for (let i = 0; i < text.length; ) {
    const rest = text.slice(i);
    const block = /^\| *((?:[0-9a-fA-F]{2} ?)*)\|/.exec(rest);
    if (block !== null) {
      length += (block[1] ?? '').replaceAll(' ', '').length / 2;
      i += block[0].length;
    } else if (rest[0] === '|') {
      return false;
    } else {
      if (rest[0] === '\\' && rest.length === 1) return false;
      length++;
      i += rest[0] === '\\' ? 2 : 1;
    }
  }
  return length <= MAX_PATTERN;
}

export const HEX_STRING: ValueForm = {
  expected: 'text with bytes in hexadecimal between bars: "a|0d 0a|b"',
  accepts: isHexString,
};

/** XT_BPF_MAX_NUM_INSTR. */
const MAX_INSTRUCTIONS = 64;

/** What is wrong with `COUNT,CODE JT JF K,…` (libxt_bpf.c, bpf_parse_string). */
export function bpfProblem(program: string | undefined): string | undefined {
  if (program === undefined) return undefined;
  const [count = '', ...instructions] = program.split(',');
  if (instructions.at(-1) === '') instructions.pop();
  const expected = tryParseNumber(count, 1, MAX_INSTRUCTIONS);
  if (expected === undefined)
    return `--bytecode begins with the number of instructions, 1 to ${MAX_INSTRUCTIONS}`;
  if (instructions.length !== expected) {
    return `--bytecode announces ${expected} instructions and has ${instructions.length}`;
  }
  const wrong = instructions.find((instruction) => !/^\s*\d+\s+\d+\s+\d+\s+\d+/.test(instruction));
  return wrong === undefined ? undefined : `bad instruction '${wrong}' in --bytecode; expected CODE JT JF K`;
}
