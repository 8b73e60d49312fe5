/** Forms of option values, for extensions whose text is kept but whose meaning is not modelled. */
import type { IpFamily } from '../../../wire/ip-address.ts';
import { tryParseFamilyAddress } from '../../address-text.ts';
import { tryParseNumber } from '../../numbers.ts';
import { servicePort } from '../../service-ports.ts';

/** What a value may be: `accepts` says whether a text is one, `expected` what to write. */
export interface ValueForm {
  readonly expected: string;
  readonly accepts: (text: string, family: IpFamily) => boolean;
}

const MAX_U32 = 0xffffffff;

function form(expected: string, accepts: ValueForm['accepts']): ValueForm {
  return { expected, accepts };
}

/** A number in any base (xtables_strtoul). */
export function number(max: number, min = 0): ValueForm {
  return form(`a number from ${min} to ${max}`, (text) => tryParseNumber(text, min, max) !== undefined);
}

/** `N`, `LOW:HIGH`, `LOW:` or `:HIGH`; the order is not looked at (xtopt_parse_mint). */
export function numberRange(max: number): ValueForm {
  return form(`N or LOW:HIGH up to ${max}`, (text) => {
    const parts = text.split(':');
    return (
      parts.length <= 2 &&
      parts.every((part) => (part === '' && parts.length === 2) || tryParseNumber(part, 0, max) !== undefined)
    );
  });
}

/** `N` or `LOW:HIGH`, LOW no higher than HIGH. */
export function orderedRange(max: number): ValueForm {
  return form(`N or LOW:HIGH up to ${max}, the lower first`, (value) => {
    const parts = value.split(':').map((part) => tryParseNumber(part, 0, max));
    const [low, high = low] = parts;
    return parts.length <= 2 && low !== undefined && high !== undefined && low <= high;
  });
}

/** One of `words`, exactly. */
export function oneOf(...words: readonly string[]): ValueForm {
  return form(`one of ${words.join(', ')}`, (text) => words.includes(text));
}

/** Text of `min` to `max` characters. */
export function text(max = Number.POSITIVE_INFINITY, min = 0): ValueForm {
  const limit =
    max === Number.POSITIVE_INFINITY ? `${min} characters or more` : `${min} to ${max} characters`;
  return form(limit, (value) => value.length >= min && value.length <= max);
}

/** A comma list of what `item` accepts. */
export function listOf(item: ValueForm): ValueForm {
  return form(`a comma list, each ${item.expected}`, (value, family) =>
    value.split(',').every((part) => item.accepts(part, family)),
  );
}

/** Whatever matches `pattern` as a whole. */
export function pattern(expected: string, expression: RegExp): ValueForm {
  const whole = new RegExp(`^(?:${expression.source})$`, expression.flags);
  return form(expected, (value) => whole.test(value));
}

/** A number that 64 bits hold. */
export const U64 = form('a number of 64 bits', (value) => {
  if (!/^(0[xX][0-9a-fA-F]+|[0-9]+)$/.test(value)) return false;
  const octal = /^0[0-7]+$/.test(value) ? `0o${value.slice(1)}` : value;
  return BigInt(octal) < 1n << 64n;
});

export const U8 = number(0xff);
export const U16 = number(0xffff);
export const U32 = number(MAX_U32);
export const U32_RANGE = numberRange(MAX_U32);

/** `VALUE[/MASK]`. */
export const VALUE_MASK = form('VALUE or VALUE/MASK', (value) => {
  const parts = value.split('/');
  return parts.length <= 2 && parts.every((part) => tryParseNumber(part, 0, MAX_U32) !== undefined);
});

/** One address of the file's family. */
export const HOST = form('an address', (value, family) => tryParseFamilyAddress(family, value) !== undefined);

/** `ADDRESS[/MASK]` of the file's family. */
export const HOST_MASK = form('ADDRESS or ADDRESS/MASK', (value, family) => {
  const slash = value.indexOf('/');
  if (slash < 0) return HOST.accepts(value, family);
  const mask = value.slice(slash + 1);
  const dotted = tryParseFamilyAddress(family, mask);
  return (
    HOST.accepts(value.slice(0, slash), family) &&
    (dotted !== undefined || tryParseNumber(mask, 0, family === 'ipv4' ? 32 : 128) !== undefined)
  );
});

export const PREFIX_LENGTH = form(
  'a prefix length',
  (value, family) =>
    tryParseNumber(value, 0, family === 'ipv4' ? 32 : 128) !== undefined || HOST.accepts(value, family),
);

/** A port number, of which more than 16 bits are cut off as getaddrinfo does, or the name of a service. */
export const PORT = form(
  'a port number or a service name',
  (value) => /^\d+$/.test(value) || servicePort(value) !== undefined,
);

/** `xx:xx:xx:xx:xx:xx`. */
export const MAC = pattern('a MAC address', /[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}/i);
