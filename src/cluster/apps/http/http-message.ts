/** HTTP/1.1 messages (RFC 9112): heads as values, and a parser that is fed whatever a connection brings. */

export type Headers = readonly (readonly [name: string, value: string])[];

/** The first line and the headers of a message. */
export interface HttpHead {
  readonly startLine: string;
  readonly headers: Headers;
}

/** The value of the first header called `name` (lower case). */
export function headerOf(headers: Headers, name: string): string | undefined {
  return headers.find(([key]) => key.toLowerCase() === name)?.[1];
}

const ENCODER = new TextEncoder();
const LATIN1 = new TextDecoder('latin1');

/** `text` as bytes, UTF-8. */
export function encodeText(text: string): Uint8Array {
  return ENCODER.encode(text);
}

/** `bytes` as text, each byte a character: headers are not UTF-8. */
export function decodeLatin1(bytes: Uint8Array): string {
  return LATIN1.decode(bytes);
}

/** A head as it goes on the wire, with the empty line behind it. */
export function emitHead({ startLine, headers }: HttpHead): string {
  let text = `${startLine}\r\n`;
  for (const [name, value] of headers) text += `${name}: ${value}\r\n`;
  return `${text}\r\n`;
}

const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** The head in `text`, which ends before the empty line; undefined when it is malformed. */
export function parseHead(text: string): HttpHead | undefined {
  const lines = text.split(/\r?\n/);
  const [startLine = '', ...rest] = lines;
  if (startLine === '') return undefined;
  const headers: [string, string][] = [];
  for (const line of rest) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    if (colon <= 0 || !FIELD_NAME.test(name)) return undefined;
    headers.push([name, line.slice(colon + 1).trim()]);
  }
  return { startLine, headers };
}

/** How long the body of a message is (RFC 9112 §6). */
export type Framing =
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  /** Until the peer closes. */
  | { readonly kind: 'close' };

export const NO_BODY: Framing = { kind: 'length', length: 0 };

/**
 * How the body behind `headers` is framed; `otherwise`: when they do not say. Undefined when they contradict
 * themselves.
 */
export function framingOf(headers: Headers, otherwise: Framing): Framing | undefined {
  const coding = headerOf(headers, 'transfer-encoding');
  if (coding !== undefined) return /(^|,)\s*chunked$/i.test(coding) ? { kind: 'chunked' } : undefined;
  const lengths = new Set(
    headers.filter(([name]) => name.toLowerCase() === 'content-length').map(([, value]) => value),
  );
  if (lengths.size === 0) return otherwise;
  const [length = ''] = lengths;
  if (lengths.size > 1 || !/^\d{1,15}$/.test(length)) return undefined;
  return { kind: 'length', length: Number(length) };
}

/** Whether the connection stays open behind a message of `version` (`HTTP/1.1`) with these headers. */
export function keepsAlive(version: string, headers: Headers): boolean {
  const options = (headerOf(headers, 'connection') ?? '').toLowerCase().split(/\s*,\s*/);
  if (options.includes('close')) return false;
  return version === 'HTTP/1.1' || options.includes('keep-alive');
}
