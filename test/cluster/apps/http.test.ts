/** HTTP over emulated TCP: the pages of a pod, several requests on one connection, failures by name. */
import { describe, expect, it } from 'vitest';
import {
  type ClientRequest,
  type ClientResult,
  HttpClient,
} from '../../../src/cluster/apps/http/http-client.ts';
import { framingOf, type HttpHead, NO_BODY } from '../../../src/cluster/apps/http/http-message.ts';
import { HttpParser } from '../../../src/cluster/apps/http/http-parser.ts';
import { startHttpServer } from '../../../src/cluster/apps/http/http-server.ts';
import { patternBytes, podPages } from '../../../src/cluster/apps/http/pod-pages.ts';
import { Random } from '../../../src/sim/random.ts';
import { Pair, type PairOptions } from '../../netstack/sockets/pair.ts';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function server(options: PairOptions = {}): Pair {
  const pair = new Pair(options);
  startHttpServer(pair.b, { port: 80, handler: podPages('web-7d9f') });
  return pair;
}

/** What `requests`, all on one connection of one client, come to. */
function ask(pair: Pair, ...requests: readonly Partial<ClientRequest>[]): ClientResult[] {
  const client = new HttpClient(pair.a, { dst: pair.addressB, port: 80 });
  const results: ClientResult[] = [];
  for (const request of requests) {
    client.request({ target: '/', host: 'web', ...request }, (result) => results.push(result));
  }
  pair.scheduler.runUntilIdle({ until: 1000 });
  return results;
}

const bodyOf = (result: ClientResult | undefined) =>
  result?.kind === 'response' ? text(result.body) : result?.reason;

describe('a pod', () => {
  const pages: readonly (readonly [string, Partial<ClientRequest>, number, string | RegExp])[] = [
    ['its name', { target: '/' }, 200, 'web-7d9f\n'],
    ['its host name', { target: '/hostname' }, 200, 'web-7d9f'],
    ['who asks', { target: '/clientip' }, 200, /^10\.0\.0\.1:\d+$/],
    ['what was said', { target: '/echo?msg=hello%20you' }, 200, 'hello you'],
    [
      'what was posted',
      { method: 'POST', target: '/echo', body: new TextEncoder().encode('body') },
      200,
      'body',
    ],
    [
      'the whole request',
      { target: '/whoami?x=1', headers: [['X-Test', 'yes']] },
      200,
      /^Hostname: web-7d9f\nIP: 10\.0\.0\.2:80\nRemoteAddr: 10\.0\.0\.1:\d+\nGET \/whoami\?x=1 HTTP\/1\.1\nHost: web\nX-Test: yes\n$/,
    ],
    ['that it is well', { target: '/healthz' }, 200, 'ok'],
    ['that there is no such page', { target: '/nothing' }, 404, '/nothing: not found\n'],
    ['that so many bytes are too many', { target: '/bytes/999999999' }, 400, /^expected at most/],
  ];
  it.each(pages)('tells %s', (_, request, status, body) => {
    const [result] = ask(server(), request);
    expect(result).toMatchObject({ kind: 'response', status });
    if (typeof body === 'string') expect(bodyOf(result)).toBe(body);
    else expect(bodyOf(result)).toMatch(body);
  });

  it.each([0, 1, 1447, 100_000])('sends %i bytes when asked to', (length) => {
    const [result] = ask(server(), { target: `/bytes/${length}` });
    expect(result?.kind === 'response' && Buffer.compare(result.body, patternBytes(length))).toBe(0);
  });

  it('answers HEAD without a body, and the next request after it', () => {
    const results = ask(server(), { method: 'HEAD', target: '/' }, { target: '/' });
    expect(results.map(bodyOf)).toEqual(['', 'web-7d9f\n']);
  });
});

describe('a client', () => {
  const syns = (pair: Pair) =>
    pair.sent.filter(({ packet }) => packet.transport.kind === 'tcp' && packet.transport.flags === 2);

  it('keeps its connection for several requests', () => {
    const pair = server();
    expect(ask(pair, {}, { target: '/hostname' }, {}).map(bodyOf)).toEqual([
      'web-7d9f\n',
      'web-7d9f',
      'web-7d9f\n',
    ]);
    expect(syns(pair).length).toBe(1);
  });

  it('opens another when it was to be closed', () => {
    const pair = server();
    expect(ask(pair, { headers: [['Connection', 'close']] }, {}).map(bodyOf)).toEqual([
      'web-7d9f\n',
      'web-7d9f\n',
    ]);
    expect(syns(pair).length).toBe(2);
  });

  it('tells how long it took, in virtual seconds', () => {
    const [result] = ask(server({ fate: () => [0.05] }), {});
    expect(result).toMatchObject({ connectedAfter: 0.1, firstByteAfter: 0.2, doneAfter: 0.2 });
  });

  const failures: readonly (readonly [string, (pair: Pair) => void, object])[] = [
    ['a closed port', (pair) => void pair, { reason: 'ECONNREFUSED', phase: 'connect' }],
    [
      'a silent host',
      (pair) => {
        pair.fate = () => [];
      },
      { reason: 'timeout', phase: 'connect', after: 3 },
    ],
    [
      'a server that says nothing',
      (pair) => void pair.b.listen({ port: 80, onConnection: () => {} }),
      { reason: 'timeout', phase: 'transfer', after: 3 },
    ],
    [
      'a server that hangs up',
      (pair) => void pair.b.listen({ port: 80, onConnection: (made) => made.close() }),
      { reason: 'empty', phase: 'transfer' },
    ],
    [
      'a server that resets',
      (pair) =>
        void pair.b.listen({
          port: 80,
          onConnection: (made) => {
            made.callbacks = { onData: () => made.abort() };
          },
        }),
      { reason: 'ECONNRESET', phase: 'transfer' },
    ],
    [
      'half an answer',
      (pair) =>
        void pair.b.listen({
          port: 80,
          onConnection: (made) => {
            made.send(new TextEncoder().encode('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'));
            made.close();
          },
        }),
      { reason: 'cut', phase: 'transfer' },
    ],
    [
      'something else than HTTP',
      (pair) =>
        void pair.b.listen({
          port: 80,
          onConnection: (made) => void made.send(new TextEncoder().encode('SSH-2.0-dropbear\r\n\r\n')),
        }),
      { reason: 'malformed', phase: 'transfer' },
    ],
  ];
  it.each(failures)('meets %s', (_, prepare, expected) => {
    const pair = new Pair();
    prepare(pair);
    const [result, ...more] = ask(pair, { timeout: 3 });
    expect(result).toMatchObject({ kind: 'failure', ...expected });
    expect(more).toEqual([]);
  });
});

describe('a server', () => {
  it('refuses what is no HTTP and hangs up', () => {
    const pair = server();
    const heard: string[] = [];
    pair.a.connect({
      dst: pair.addressB,
      port: 80,
      onConnect: (made) => void made.send(new TextEncoder().encode('hello there\r\n\r\n')),
      onData: (data) => heard.push(text(data)),
      onEnd: (made) => {
        heard.push('end');
        made.close();
      },
    });
    pair.scheduler.runUntilIdle();
    expect(heard[0]).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(heard.at(-1)).toBe('end');
  });
});

describe('the parser', () => {
  const messages =
    'A / x\r\nH: 1\r\nContent-Length: 5\r\n\r\n12345\r\nB / x\n\nC / x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\na;e=1\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\nD / x\r\n\r\n';
  const expected = ['A / x:12345', 'B / x:', 'C / x:abc0123456789', 'D / x:'];

  it('does not care how the bytes are cut up', () => {
    const seed = Number(process.env.SEED ?? 1);
    const bytes = new TextEncoder().encode(messages);
    for (let round = 0; round < 200; round++) {
      const random = new Random(seed + round);
      const found: string[] = [];
      const parser = new HttpParser({
        onHead: ({ headers }: HttpHead) => framingOf(headers, NO_BODY),
        onMessage: ({ startLine }, body) => found.push(`${startLine}:${text(body)}`),
        onMalformed: () => found.push('malformed'),
      });
      for (let at = 0; at < bytes.length; ) {
        const next = at + 1 + random.below(9);
        parser.feed(bytes.subarray(at, next));
        at = next;
      }
      expect(found, `seed ${seed + round}`).toEqual(expected);
    }
  });

  it.each([
    ['a header without a name', 'GET / x\r\n: v\r\n\r\n'],
    ['two lengths', 'GET / x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    ['a length that is no number', 'GET / x\r\nContent-Length: +1\r\n\r\n'],
    ['a chunk size that is no number', 'GET / x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'],
  ])('refuses %s', (_, message) => {
    const found: string[] = [];
    const parser = new HttpParser({
      onHead: ({ headers }) => framingOf(headers, NO_BODY),
      onMessage: () => found.push('message'),
      onMalformed: () => found.push('malformed'),
    });
    parser.feed(new TextEncoder().encode(message));
    expect(found).toEqual(['malformed']);
  });
});
