/**
 * One question or two to one name server, over UDP from one socket or over TCP: the part of a resolver that
 * knows sockets (glibc resolv/res_send.c send_dg and send_vc).
 */
import type { SocketErrorCode } from '../../../netstack/sockets/socket-error.ts';
import { SocketError } from '../../../netstack/sockets/socket-error.ts';
import type { Sockets } from '../../../netstack/sockets/sockets.ts';
import type { UdpSocket } from '../../../netstack/sockets/udp-socket.ts';
import type { Timer } from '../../../sim/scheduler.ts';
import type { IpAddress } from '../../../wire/ip-address.ts';
import { type DnsMessage, decodeDns, encodeDns } from './message.ts';
import { StreamReader, withLength } from './stream.ts';

export interface ExchangeOptions {
  readonly server: IpAddress;
  /** By default 53. */
  readonly port?: number;
  /** Seconds until it is given up, counted from the last question sent. */
  readonly timeout: number;
  /** Ask one after the other. */
  readonly oneByOne?: boolean;
  /** With `oneByOne`: from a new port each. */
  readonly reopen?: boolean;
}

/** What became of the questions; `answers` in their order, undefined where there is none. */
export interface ExchangeResult {
  readonly answers: readonly (DnsMessage | undefined)[];
  /** Why answers are missing. */
  readonly failure: 'timeout' | SocketErrorCode | undefined;
  /** Virtual seconds. */
  readonly after: number;
}

const DNS_PORT = 53;

function isAnswerTo(query: DnsMessage, answer: DnsMessage): boolean {
  const [asked] = query.questions;
  const [told] = answer.questions;
  return (
    answer.response &&
    answer.id === query.id &&
    told?.type === asked?.type &&
    told?.name.toLowerCase() === asked?.name.toLowerCase()
  );
}

/** A query for `name`. */
export function queryFor(name: string, type: string, id: number): DnsMessage {
  return {
    id,
    response: false,
    rcode: 'NOERROR',
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: false,
    questions: [{ name, type }],
    answers: [],
    authorities: [],
    additionals: [],
  };
}

/** Asks over UDP; `done` is called once. */
export function askOverUdp(
  sockets: Sockets,
  queries: readonly DnsMessage[],
  { options, done }: { readonly options: ExchangeOptions; readonly done: (result: ExchangeResult) => void },
): void {
  const { scheduler } = sockets.network;
  const { server, port = DNS_PORT, timeout, oneByOne = false, reopen = false } = options;
  const started = scheduler.now();
  const answers: (DnsMessage | undefined)[] = queries.map(() => undefined);
  let socket: UdpSocket | undefined;
  let timer: Timer | undefined;
  let sent = 0;
  let over = false;
  const finish = (failure: ExchangeResult['failure']) => {
    if (over) return;
    over = true;
    timer?.cancel();
    socket?.close();
    done({ answers, failure, after: scheduler.now() - started });
  };
  const open = (): boolean => {
    socket?.close();
    try {
      socket = sockets.udp({
        onMessage: ({ data }) => take(data),
        onError: ({ code }) => finish(code),
      });
      socket.connect({ address: server, port });
      return true;
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      finish(error.code);
      return false;
    }
  };
  const ask = () => {
    const query = queries[sent];
    if (query === undefined || socket === undefined) return;
    sent++;
    const error = socket.send(encodeDns(query));
    if (error !== undefined) {
      finish(error);
      return;
    }
    timer?.cancel();
    timer = scheduler.after(timeout, () => finish('timeout'));
    if (!oneByOne) ask();
  };
  const take = (data: Uint8Array) => {
    const answer = decodeDns(data);
    const index = answer === undefined ? -1 : queries.findIndex((query) => isAnswerTo(query, answer));
    if (index < 0 || answers[index] !== undefined) return;
    answers[index] = answer;
    if (answers.every((each) => each !== undefined)) finish(undefined);
    else if (oneByOne && sent < queries.length && (!reopen || open())) ask();
  };
  if (open()) ask();
}

/** Asks over TCP, all on one connection; `done` is called once. */
export function askOverTcp(
  sockets: Sockets,
  queries: readonly DnsMessage[],
  { options, done }: { readonly options: ExchangeOptions; readonly done: (result: ExchangeResult) => void },
): void {
  const { scheduler } = sockets.network;
  const { server, port = DNS_PORT, timeout } = options;
  const started = scheduler.now();
  const answers: (DnsMessage | undefined)[] = queries.map(() => undefined);
  let over = false;
  let timer: Timer | undefined;
  const finish = (failure: ExchangeResult['failure'], close: () => void) => {
    if (over) return;
    over = true;
    timer?.cancel();
    close();
    done({ answers, failure, after: scheduler.now() - started });
  };
  const nothing = () => {};
  try {
    const connection = sockets.connect({
      dst: server,
      port,
      noDelay: true,
      onConnect: (made) => {
        for (const query of queries) made.send(withLength(encodeDns(query)));
      },
      onData: (data) => reader.feed(data),
      onEnd: () => finish('ECONNRESET', close),
      onClose: (error) => finish(error ?? 'ECONNRESET', nothing),
    });
    const close = () => connection.close();
    const reader = new StreamReader((bytes) => {
      const answer = decodeDns(bytes);
      const index = answer === undefined ? -1 : queries.findIndex((query) => isAnswerTo(query, answer));
      if (index < 0) return;
      answers[index] = answer;
      if (answers.every((each) => each !== undefined)) finish(undefined, close);
    });
    timer = scheduler.after(timeout, () => finish('timeout', close));
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
    finish(error.code, nothing);
  }
}
