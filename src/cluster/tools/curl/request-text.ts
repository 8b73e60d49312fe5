/** What curl asks for, as it goes on the wire: its own headers, replaced or taken away by -H, then the user's. */
import { encodeText } from '../../apps/http/http-message.ts';
import type { CurlOptions } from './options.ts';
import { type HttpUrl, hostHeader } from './url.ts';

/** The request's first line and headers, up to the empty line. */
export function requestText({ headers, data, userAgent }: CurlOptions, url: HttpUrl, method: string): string {
  const given = headers.map((line) => {
    const colon = line.indexOf(':');
    return { line, key: line.slice(0, colon).trim().toLowerCase(), value: line.slice(colon + 1).trim() };
  });
  const replaced = (name: string, value: string): string => {
    const own = given.find(({ key }) => key === name.toLowerCase());
    if (own === undefined) return `${name}: ${value}\r\n`;
    // `-H 'Host:'` takes the header away.
    return own.value === '' ? '' : `${own.line}\r\n`;
  };
  const standard = ['host', 'user-agent', 'accept', 'content-length', 'content-type'];
  const body =
    data === undefined
      ? []
      : [
          replaced('Content-Length', String(encodeText(data).length)),
          replaced('Content-Type', 'application/x-www-form-urlencoded'),
        ];
  const others = given.filter(({ key, value }) => value !== '' && !standard.includes(key));
  return [
    `${method} ${url.path} HTTP/1.1\r\n`,
    replaced('Host', hostHeader(url)),
    replaced('User-Agent', userAgent),
    replaced('Accept', '*/*'),
    ...others.map(({ line }) => `${line}\r\n`),
    ...body,
    '\r\n',
  ].join('');
}
