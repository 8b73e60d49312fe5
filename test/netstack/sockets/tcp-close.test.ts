/** Ending connections: in good order, halfway, and with resets. */
import { describe, expect, it } from 'vitest';
import type { SocketErrorCode } from '../../../src/netstack/sockets/socket-error.ts';
import type { TcpConnection } from '../../../src/netstack/sockets/tcp/connection.ts';
import { TimeWait } from '../../../src/netstack/sockets/tcp/time-wait.ts';
import { TCP_FLAG } from '../../../src/wire/protocol.ts';
import { line, Pair, type PairOptions } from './pair.ts';

interface Connected {
  readonly pair: Pair;
  readonly a: TcpConnection;
  readonly b: TcpConnection;
  /** What both programs heard, in order. */
  readonly heard: string[];
}

const HELLO = new TextEncoder().encode('hello');

/** An established connection whose programs only take notes. */
function connected(options: PairOptions = {}): Connected {
  const pair = new Pair(options);
  const heard: string[] = [];
  const notes = (who: string) => ({
    onData: (data: Uint8Array) => heard.push(`${who} data ${data.length}`),
    onEnd: () => heard.push(`${who} end`),
    onClose: (error: SocketErrorCode | undefined) => heard.push(`${who} close${error ? ` ${error}` : ''}`),
  });
  let b: TcpConnection | undefined;
  pair.b.listen({
    port: 80,
    onConnection: (connection) => {
      b = connection;
      connection.callbacks = notes('b');
    },
  });
  const a = pair.a.connect({ dst: pair.addressB, port: 80, ...notes('a') });
  pair.scheduler.runUntil(0.1);
  if (b === undefined) throw new Error('not connected');
  pair.sent.length = 0;
  return { pair, a, b, heard };
}

const lines = ({ pair }: Connected) => pair.sent.map(line);

describe('closing', () => {
  it('takes four segments when the other side answers later', () => {
    const c = connected();
    c.a.close();
    c.pair.scheduler.runUntil(0.2);
    expect([c.a.state, c.b.state]).toEqual(['FIN_WAIT2', 'CLOSE_WAIT']);
    c.b.close();
    c.pair.scheduler.runUntil(0.3);
    expect(lines(c)).toEqual(['a F. 0', 'b . 0', 'b F. 0', 'a . 0']);
    expect(c.heard).toEqual(['b end', 'a close', 'b close']);
    expect([c.a.state, c.b.state]).toEqual(['TIME_WAIT', 'CLOSE']);
  });

  it('goes on being able to receive after a shutdown', () => {
    const c = connected();
    c.a.shutdown();
    c.pair.scheduler.runUntil(0.2);
    expect(c.a.send(HELLO)).toBe('EPIPE');
    c.b.send(HELLO);
    c.b.close();
    c.pair.scheduler.runUntil(0.3);
    expect(c.heard).toEqual(['b end', 'a data 5', 'a end', 'a close', 'b close']);
  });

  it('at the same time passes through CLOSING to TIME_WAIT on both sides', () => {
    const c = connected();
    c.a.close();
    c.b.close();
    c.pair.scheduler.runUntil(0.2);
    expect(lines(c)).toEqual(['a F. 0', 'b F. 0', 'b . 0', 'a . 0']);
    expect([c.a.state, c.b.state]).toEqual(['TIME_WAIT', 'TIME_WAIT']);
  });

  it('sends what is queued first, and the FIN with the last of it', () => {
    const c = connected();
    c.a.block.sndWnd = 3;
    c.a.send(HELLO);
    c.a.close();
    c.pair.scheduler.runUntil(5);
    expect(c.heard.filter((each) => each.startsWith('b data')).join()).toMatch(/^b data 3,b data 2$/);
    expect(lines(c).some((each) => each === 'a FP. 2')).toBe(true);
  });

  it('repeats a lost FIN until it is acknowledged', () => {
    const c = connected();
    let lost = 2;
    c.pair.fate = () => (lost-- > 0 ? [] : [0.001]);
    c.a.close();
    c.pair.scheduler.runUntil(5);
    expect(lines(c).filter((each) => each === 'a F. 0').length).toBe(3);
    expect(c.b.state).toBe('CLOSE_WAIT');
  });

  it('waits a minute for the FIN of the other side, then forgets', () => {
    const c = connected();
    c.a.close();
    c.pair.scheduler.runUntil(60);
    expect(c.a.state).toBe('FIN_WAIT2');
    c.pair.scheduler.runUntil(61);
    expect(c.a.state).toBe('CLOSE');
    expect([...c.pair.a.tcp.connections]).toEqual([]);
  });
});

describe('a reset', () => {
  it('answers data for a program that has closed', () => {
    const c = connected();
    c.a.close();
    c.pair.scheduler.runUntil(0.2);
    c.b.send(HELLO);
    c.pair.scheduler.runUntil(0.3);
    expect(lines(c)).toEqual(['a F. 0', 'b . 0', 'b P. 5', 'a R 0']);
    expect(c.heard).toEqual(['b end', 'a close', 'b close EPIPE']);
  });

  it('says that something was not read', () => {
    const c = connected();
    c.b.pause();
    c.a.send(HELLO);
    c.pair.scheduler.runUntil(0.2);
    c.b.close();
    c.pair.scheduler.runUntil(0.3);
    expect(lines(c).at(-1)).toBe('b R. 0');
    expect(c.heard).toEqual(['b close', 'a close ECONNRESET']);
  });

  it('is what abort sends', () => {
    const c = connected();
    c.a.abort();
    c.pair.scheduler.runUntil(0.2);
    expect(lines(c)).toEqual(['a R. 0']);
    expect(c.heard).toEqual(['a close', 'b close ECONNRESET']);
  });

  it('answers data to a connection that is gone', () => {
    const c = connected();
    c.b.discard();
    c.a.send(HELLO);
    c.pair.scheduler.runUntil(0.2);
    expect(lines(c)).toEqual(['a P. 5', 'b R 0']);
    expect(c.heard).toEqual(['a close ECONNRESET']);
  });

  const forged: readonly (readonly [string, number, readonly string[], string])[] = [
    ['exactly in place is believed', 0, [], 'CLOSE'],
    ['elsewhere in the window is questioned', 100, ['b . 0'], 'ESTABLISHED'],
    ['outside the window is passed over', -100, [], 'ESTABLISHED'],
  ];
  // RFC 5961 §3.2.
  it.each(forged)('%s', (_, offset, answers, state) => {
    const c = connected();
    const { block, local, remote } = c.b;
    c.pair.deliver('b', {
      src: remote.address,
      dst: local.address,
      ttl: 64,
      tos: 0,
      id: 0,
      dontFragment: true,
      transport: {
        kind: 'tcp',
        sport: remote.port,
        dport: local.port,
        seq: (block.rcvNxt + offset) >>> 0,
        ack: 0,
        flags: TCP_FLAG.RST,
        window: 0,
        options: new Uint8Array(0),
        data: new Uint8Array(0),
      },
    });
    expect(lines(c)).toEqual(answers);
    expect(c.b.state).toBe(state);
  });
});

describe('TIME_WAIT', () => {
  function lingering(): Connected {
    const c = connected();
    c.a.close();
    c.pair.scheduler.runUntil(0.2);
    c.b.close();
    c.pair.scheduler.runUntil(0.3);
    c.pair.sent.length = 0;
    return c;
  }
  const waiting = ({ pair }: Connected) =>
    [...pair.a.tcp.connections].filter((each) => each instanceof TimeWait);

  it('lasts a minute and keeps nobody busy', () => {
    const c = lingering();
    expect(waiting(c).length).toBe(1);
    expect(c.pair.scheduler.idle).toBe(true);
    c.pair.scheduler.runUntil(60);
    expect(waiting(c).length).toBe(1);
    c.pair.scheduler.runUntil(62);
    expect(waiting(c).length).toBe(0);
  });

  it('acknowledges a repeated FIN again', () => {
    let dropped = false;
    const c = connected();
    c.a.close();
    c.pair.scheduler.runUntil(0.2);
    c.pair.fate = ({ transport }, by) => {
      const last = by === 'a' && transport.kind === 'tcp' && transport.flags === TCP_FLAG.ACK && !dropped;
      if (last) dropped = true;
      return last ? [] : [0.001];
    };
    c.b.close();
    c.pair.scheduler.runUntil(2);
    expect(lines(c).slice(2)).toEqual(['b F. 0', 'a . 0', 'b F. 0', 'a . 0']);
    expect(c.b.state).toBe('CLOSE');
  });

  it('keeps the address of a client, and gives way to a newer SYN at a server', () => {
    const c = connected();
    c.b.close();
    c.pair.scheduler.runUntil(0.2);
    c.a.close();
    c.pair.scheduler.runUntil(0.3);
    expect([...c.pair.b.tcp.connections].length).toBe(1);
    const again = c.pair.a.connect({ dst: c.pair.addressB, port: 80, sport: c.a.local.port });
    c.pair.scheduler.runUntil(0.4);
    expect(again.state).toBe('ESTABLISHED');
    expect(() => c.pair.a.connect({ dst: c.pair.addressB, port: 80, sport: c.a.local.port })).toThrow(
      'Address already in use',
    );
  });
});
