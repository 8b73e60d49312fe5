/** The URLs that curl takes: `10.96.0.10:80/path`, `http://web.default`, `http://[fd00::1]:8080/`. */
import { ToolExit } from '../tool.ts';

export interface HttpUrl {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  /** The port was written out, or is not the scheme's own. */
  readonly portShown: boolean;
  readonly path: string;
  /** As -w %{url_effective} prints it. */
  readonly text: string;
}

const MAX_PORT = 65_535;

/** Parses `text`. Throws ToolExit with curl's exit codes (1 unsupported, 3 malformed). */
export function parseUrl(text: string): HttpUrl {
  const [, scheme = 'http', rest = ''] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(text) ?? [];
  if (scheme.toLowerCase() !== 'http') {
    throw new ToolExit(1, `curl: (1) Protocol "${scheme}" not supported or disabled in libcurl`);
  }
  const [, authority = '', path = ''] = /^([^/?#]*)([^#]*)/.exec(rest) ?? [];
  const parts = /^(?:[^@]*@)?(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(authority);
  const host = parts?.[1]?.replace(/^\[|\]$/g, '') ?? '';
  if (parts === null || host === '') {
    const port = /:[^:\]]*$/.test(authority) && host === '' && authority.replace(/:.*/, '') !== '';
    const why = port ? 'Port number was not a decimal number between 0 and 65535' : 'No host part in the URL';
    throw new ToolExit(3, `curl: (3) URL using bad/illegal format or missing URL: ${why}`);
  }
  const written = parts[2] ?? '';
  const port = written === '' ? 80 : Number(written);
  if (port > MAX_PORT) {
    throw new ToolExit(
      3,
      'curl: (3) URL using bad/illegal format or missing URL: Port number was not a decimal number between 0 and 65535',
    );
  }
  const full = path.startsWith('/') ? path : `/${path}`;
  return { host, port, portShown: port !== 80, path: full, text: `http://${authority}${full}` };
}

/** The value of a Host header. */
export function hostHeader({ host, port, portShown }: HttpUrl): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return portShown ? `${name}:${port}` : name;
}

/** Where a Location header leads from `base`. */
export function redirectUrl(base: HttpUrl, location: string): HttpUrl {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(location)) return parseUrl(location);
  if (location.startsWith('/')) return parseUrl(`http://${hostHeader(base)}${location}`);
  return parseUrl(`http://${hostHeader(base)}${base.path.replace(/[^/]*$/, '')}${location}`);
}
