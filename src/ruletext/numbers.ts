/** Numbers as iptables reads them: strtoul with base 0, so `0x10`, `020` and `16` are one number. */
import type { NumberRange } from '../netfilter/match.ts';
import type { RuleContext } from './rule-context.ts';
import { servicePort } from './service-ports.ts';

const NUMBER = /^[ \t\n\v\f\r]*\+?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/;

/**
 * The value of `text`, or undefined when it is no number between `min` and `max` (inclusive).
 * Source: libxtables/xtables.c, xtables_strtoul.
 */
export function tryParseNumber(text: string, min: number, max: number): number | undefined {
  const length = text.length;
  // Plain decimal of up to nine digits, by far the commonest form.
  if (length > 0 && length < 10) {
    let value = 0;
    let i = 0;
    for (; i < length; i++) {
      const digit = text.charCodeAt(i) - 48;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (i === length && (length === 1 || text.charCodeAt(0) !== 48)) {
      return value >= min && value <= max ? value : undefined;
    }
  }
  const found = NUMBER.exec(text)?.[1];
  if (found === undefined) return undefined;
  const octal = found.length > 1 && found[0] === '0' && found[1] !== 'x' && found[1] !== 'X';
  const value = octal ? Number.parseInt(found, 8) : Number(found);
  return value >= min && value <= max ? value : undefined;
}

/** The decimal digits that `text` begins with, as atoi reads them; undefined when there are none. */
export function tryParseLeadingNumber(text: string): number | undefined {
  const digits = /^[ \t\n\v\f\r]*\+?(\d+)/.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The value of `text`; complains about `--option` when it is no number from `min` to `max`. */
export function parseNumber(
  context: RuleContext,
  option: string,
  text: string,
  range: { readonly min?: number; readonly max: number },
): number {
  const { min = 0, max } = range;
  return (
    tryParseNumber(text, min, max) ??
    context.fail(`bad value '${text}' for --${option}; expected a number from ${min} to ${max}`)
  );
}

/**
 * How an option reads ports: with strtoul and the service names of one protocol (xtables_parse_port), or
 * as getaddrinfo does, decimal or a service of any protocol (xtopt_parse_port).
 */
export type PortDialect = { readonly services: string } | 'getaddrinfo';

const DECIMAL_PORT = /^[0-9]{1,5}$/;

/** A port number or the name of a service. Complains about `--option` otherwise. */
export function parsePort(
  context: RuleContext,
  option: string,
  text: string,
  dialect: PortDialect = 'getaddrinfo',
): number {
  let port: number | undefined;
  if (dialect !== 'getaddrinfo') {
    port = tryParseNumber(text, 0, 0xffff) ?? servicePort(text, dialect.services);
  } else if (DECIMAL_PORT.test(text)) {
    port = Number(text);
  } else {
    port = servicePort(text);
  }
  if (port === undefined || port > 0xffff) {
    throw context.error(
      `bad port '${text}' for --${option}; expected a number from 0 to 65535 or a service name`,
    );
  }
  return port;
}

/** `PORT`, `LOW:HIGH`, `LOW:` or `:HIGH`. */
export function parsePortRange(
  context: RuleContext,
  option: string,
  text: string,
  dialect: PortDialect = 'getaddrinfo',
): NumberRange {
  const colon = text.indexOf(':');
  if (colon < 0) {
    const port = parsePort(context, option, text, dialect);
    return { from: port, to: port };
  }
  const low = text.slice(0, colon);
  const high = text.slice(colon + 1);
  const from = low === '' ? 0 : parsePort(context, option, low, dialect);
  const to = high === '' ? 0xffff : parsePort(context, option, high, dialect);
  // A range upside down passes the other dialect, and then matches nothing.
  if (from > to && dialect !== 'getaddrinfo') {
    throw context.error(`bad port range '${text}' for --${option}; expected the lower port first`);
  }
  return { from, to };
}

/** `VALUE[/MASK]` in any base, both unsigned 32-bit; the mask defaults to all ones. */
export function parseValueMask(
  context: RuleContext,
  option: string,
  text: string,
): { readonly value: number; readonly mask: number } {
  const slash = text.indexOf('/');
  const value = tryParseNumber(slash < 0 ? text : text.slice(0, slash), 0, 0xffffffff);
  const mask = slash < 0 ? 0xffffffff : tryParseNumber(text.slice(slash + 1), 0, 0xffffffff);
  if (value === undefined || mask === undefined) {
    throw context.error(
      `bad value '${text}' for --${option}; expected VALUE or VALUE/MASK, each up to 0xffffffff`,
    );
  }
  return { value, mask };
}

/** `0x` and lower-case hexadecimal without leading zeros. */
export function formatHex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** `N`, or `LOW:HIGH` when they differ. */
export function formatRange(range: NumberRange): string {
  return range.from === range.to ? String(range.from) : `${range.from}:${range.to}`;
}

/** `! ` when negated. */
export function bang(negate: boolean): string {
  return negate ? '! ' : '';
}
