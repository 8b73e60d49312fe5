/**
 * Whole dialogues, segment by segment, as tcpdump showed them between two network namespaces of Linux 6.18
 * (Reno, segmentation offload off).
 */
import { describe, expect, it } from 'vitest';
import type { TcpConnection } from '../../../src/netstack/sockets/tcp/connection.ts';
import { line, Pair } from './pair.ts';

const bytes = (length: number) => new Uint8Array(length);
const DELAY = 0.0001;

interface Programs {
  readonly server: (connection: TcpConnection, pair: Pair) => void;
  readonly client: (connection: TcpConnection, pair: Pair) => void;
}

function dialogue({ server, client }: Programs): { readonly lines: string[]; readonly pair: Pair } {
  const pair = new Pair({ fate: () => [DELAY] });
  pair.b.listen({ port: 8080, onConnection: (connection) => server(connection, pair) });
  pair.a.connect({
    dst: pair.addressB,
    port: 8080,
    noDelay: true,
    onConnect: (connection) => client(connection, pair),
    onEnd: (connection) => connection.close(),
  });
  pair.scheduler.runUntilIdle();
  return { pair, lines: pair.sent.slice(3).map(line) };
}

describe('Linux and we say the same', () => {
  it('about a request and an answer that ends the connection', () => {
    const { lines } = dialogue({
      client: (connection) => void connection.send(bytes(3)),
      server: (connection) => {
        connection.callbacks = {
          onData: () => {
            connection.send(bytes(2000));
            connection.close();
          },
        };
      },
    });
    expect(lines).toEqual([
      'a P. 3',
      'b . 0',
      'b . 1448',
      'b P. 552',
      'b F. 0',
      'a . 0',
      'a . 0',
      'a F. 0',
      'b . 0',
    ]);
  });

  it('about small messages to and fro: the first are acknowledged at once, then ACKs ride along or wait 40 ms', () => {
    const { lines, pair } = dialogue({
      client: (connection) => {
        let rounds = 1;
        connection.callbacks = {
          onData: () => void connection.send(bytes(rounds++ < 4 ? 10 : 20)),
          onEnd: () => connection.close(),
        };
        connection.send(bytes(10));
      },
      server: (connection, { scheduler }) => {
        connection.callbacks = {
          onData: (data) => {
            if (data.length === 10) connection.send(bytes(5));
            else scheduler.after(0.3, () => connection.close());
          },
        };
      },
    });
    expect(lines).toEqual([
      'a P. 10',
      'b . 0',
      'b P. 5',
      'a . 0',
      'a P. 10',
      'b P. 5',
      'a P. 10',
      'b P. 5',
      'a P. 10',
      'b P. 5',
      'a P. 20',
      'b . 0',
      'b F. 0',
      'a F. 0',
      'b . 0',
    ]);
    const [last, ack] = pair.sent.slice(13, 15);
    expect((ack?.at ?? 0) - (last?.at ?? 0)).toBeCloseTo(0.04 + DELAY, 6);
  });

  it('about a program that closes without having read', () => {
    const { lines } = dialogue({
      client: (connection) => void connection.send(bytes(10)),
      server: (connection, { scheduler }) => {
        connection.pause();
        scheduler.after(0.3, () => connection.close());
      },
    });
    expect(lines).toEqual(['a P. 10', 'b . 0', 'b R. 0']);
  });

  it('about data for a program that has closed', () => {
    const { lines } = dialogue({
      client: (connection) => connection.close(),
      server: (connection, { scheduler }) => {
        scheduler.after(0.3, () => void connection.send(bytes(5)));
      },
    });
    expect(lines).toEqual(['a F. 0', 'b . 0', 'b P. 5', 'a R 0']);
  });

  it('about a peer that does not read: probes at doubling intervals', () => {
    const { pair } = dialogue({
      client: (connection) => {
        connection.send(bytes(100_000));
        connection.close();
      },
      server: (connection, { scheduler }) => {
        connection.pause();
        scheduler.after(4, () => {
          connection.callbacks = { onEnd: () => connection.close() };
          connection.resume();
        });
      },
    });
    const probes = pair.sent
      .filter(
        ({ at, by, packet: { transport } }) =>
          by === 'a' && transport.kind === 'tcp' && at > 0.1 && at < 4 && transport.data.length === 0,
      )
      .map(({ at }) => at);
    // Measured: 0.312, 0.760, 1.620, 3.352 s, each 1.9 to 2 times as long after the one before.
    const gaps = probes.slice(1).map((at, index) => at - (probes[index] ?? 0));
    expect(gaps.length).toBeGreaterThanOrEqual(2);
    for (const [index, gap] of gaps.entries())
      if (index > 0) expect(gap / (gaps[index - 1] ?? 1)).toBeCloseTo(2, 1);
    expect(pair.sent.map(line).at(-1)).toBe('a . 0');
  });
});
