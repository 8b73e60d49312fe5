/** What the HTTP server in a pod answers: who it is, who asked, and as many bytes as wanted. */
import { formatSocketAddress } from '../../../netstack/sockets/socket-address.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from './http-server.ts';

/** The longest body that is served: 1 GiB would only fill memory. */
const MAX_BYTES = 64 * 1024 * 1024;

type Page = (request: HttpRequest, query: string) => HttpResponse;

const ok = (body: string | Uint8Array): HttpResponse => ({ status: 200, body });

/** Method, target and headers as they came. */
function requestText({ method, target, version, headers }: HttpRequest): string {
  return `${method} ${target} ${version}\n${headers.map(([name, value]) => `${name}: ${value}\n`).join('')}`;
}

/** Bytes that differ from their neighbours, so that a misplaced one shows. */
export function patternBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = (at ^ (at >>> 8) ^ (at >>> 16)) & 0xff;
  return bytes;
}

function bytesPage(length: string): HttpResponse {
  const count = /^\d{1,9}$/.test(length) ? Number(length) : Number.NaN;
  if (!(count <= MAX_BYTES)) return { status: 400, body: `expected at most ${MAX_BYTES} bytes\n` };
  return ok(patternBytes(count));
}

const queryValue = (query: string, key: string) => new URLSearchParams(query).get(key) ?? '';

/**
 * The pages of the pod called `name`: `/` and `/hostname` its name, `/clientip` who asks, `/echo?msg=` the
 * message, `/whoami` the whole request, `/bytes/N` N bytes, `/healthz`; POST: the body comes back.
 */
export function podPages(name: string): HttpHandler {
  const pages: ReadonlyMap<string, Page> = new Map<string, Page>([
    ['/', () => ok(`${name}\n`)],
    ['/hostname', () => ok(name)],
    ['/clientip', ({ client }) => ok(formatSocketAddress(client))],
    ['/echo', ({ body }, query) => (body.length > 0 ? ok(body) : ok(queryValue(query, 'msg')))],
    ['/healthz', () => ok('ok')],
    [
      '/whoami',
      (request) =>
        ok(
          `Hostname: ${name}\nIP: ${formatSocketAddress(request.server)}\n` +
            `RemoteAddr: ${formatSocketAddress(request.client)}\n${requestText(request)}`,
        ),
    ],
  ]);
  return (request) => {
    const [path = '/', query = ''] = request.target.split('?');
    const [, bytes] = /^\/bytes\/([^/]*)$/.exec(path) ?? [];
    if (bytes !== undefined) return bytesPage(bytes);
    const page = pages.get(path);
    return page === undefined ? { status: 404, body: `${path}: not found\n` } : page(request, query);
  };
}
