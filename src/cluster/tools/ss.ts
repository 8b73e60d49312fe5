/** `ss`: the sockets of the namespace. */
import type { IpAddress } from '../../wire/ip-address.ts';
import { ipv6 } from '../../wire/ip-address.ts';
import { readOptions } from './options.ts';
import { familyOfSocket, formatSockets, type SocketLine, type SocketState } from './socket-text.ts';
import { type Tool, type ToolContext, ToolExit } from './tool.ts';

const ANY_V4 = 0;
const ANY_V6 = ipv6(0, 0, 0, 0);

/** The kernel's TCP states as `ss` names them. */
const STATES: Readonly<Record<string, SocketState>> = {
  ESTABLISHED: 'ESTAB',
  SYN_SENT: 'SYN-SENT',
  SYN_RECV: 'SYN-RECV',
  FIN_WAIT1: 'FIN-WAIT-1',
  FIN_WAIT2: 'FIN-WAIT-2',
  FIN_WAIT_1: 'FIN-WAIT-1',
  FIN_WAIT_2: 'FIN-WAIT-2',
  TIME_WAIT: 'TIME-WAIT',
  CLOSE: 'UNCONN',
  CLOSED: 'UNCONN',
  CLOSE_WAIT: 'CLOSE-WAIT',
  LAST_ACK: 'LAST-ACK',
  LISTEN: 'LISTEN',
  CLOSING: 'CLOSING',
};

const anyOf = (address: IpAddress | undefined) =>
  address === undefined || typeof address === 'number' ? ANY_V4 : ANY_V6;

/** A socket without an address is one of IPv6 that takes IPv4 too. */
function bound(
  address: IpAddress | undefined,
  port: number | 'any',
): Pick<SocketLine, 'local' | 'peer' | 'dualStack'> {
  const number = port === 'any' ? 0 : port;
  if (address === undefined) {
    return { local: { address: ANY_V6, port: number }, peer: { address: ANY_V6, port: 0 }, dualStack: true };
  }
  return { local: { address, port: number }, peer: { address: anyOf(address), port: 0 } };
}

function tcpLines({ namespace }: ToolContext): SocketLine[] {
  const { tcp } = namespace.sockets;
  const listeners = [...tcp.listeners].map((listener): SocketLine => {
    const { address, port, waiting, backlog } = listener;
    return {
      protocol: 'tcp',
      state: 'LISTEN',
      receiveQueue: waiting,
      sendQueue: backlog,
      ...bound(address, port),
    };
  });
  const connections = [...tcp.connections].map((connection): SocketLine => {
    const { local, remote } = connection;
    const state =
      'state' in connection ? STATES[connection.state.toUpperCase().replaceAll('-', '_')] : 'TIME-WAIT';
    return { protocol: 'tcp', state: state ?? 'ESTAB', receiveQueue: 0, sendQueue: 0, local, peer: remote };
  });
  return [...listeners, ...connections];
}

function udpLines({ namespace }: ToolContext): SocketLine[] {
  return [...namespace.sockets.datagrams.all].map(({ localAddress, port, peer }): SocketLine => {
    const ends = bound(localAddress, port);
    if (peer === undefined)
      return { protocol: 'udp', state: 'UNCONN', receiveQueue: 0, sendQueue: 0, ...ends };
    return { protocol: 'udp', state: 'ESTAB', receiveQueue: 0, sendQueue: 0, ...ends, peer };
  });
}

const LISTENING: ReadonlySet<SocketState> = new Set(['LISTEN', 'UNCONN']);

/** What is shown: with neither -a nor -l, connections only (and no TIME-WAIT). */
function isShown({ state }: SocketLine, all: boolean, listening: boolean): boolean {
  if (all) return true;
  return listening
    ? LISTENING.has(state)
    : !LISTENING.has(state) && state !== 'TIME-WAIT' && state !== 'SYN-RECV';
}

/** `ss` with `args`. */
export const ss: Tool = (args, context) => {
  const fail = (option: string) =>
    new ToolExit(255, `ss: invalid option -- '${option}' (not supported here)`);
  const { has, words } = readOptions(args, {
    flags: 'tuwnalpHr46eimo',
    values: '',
    long: {
      tcp: 't',
      udp: 'u',
      numeric: 'n',
      all: 'a',
      listening: 'l',
      processes: 'p',
      'no-header': 'H',
      ipv4: '4',
      ipv6: '6',
    },
    unknown: fail,
    missing: fail,
  });
  if (words.length > 0) throw new ToolExit(255, `ss: filters (${words.join(' ')}) are not supported here`);
  const both = !has('t') && !has('u');
  const lines = [
    ...(has('u') || both ? udpLines(context) : []),
    ...(has('t') || both ? tcpLines(context) : []),
  ];
  const family = has('4') === has('6') ? undefined : has('4') ? 'ipv4' : 'ipv6';
  const shown = lines.filter(
    (line) => isShown(line, has('a'), has('l')) && (family === undefined || familyOfSocket(line) === family),
  );
  const oneProtocol = !both && has('t') !== has('u');
  context.print(formatSockets(shown, { oneProtocol, header: !has('H'), numeric: has('n') }));
  return 0;
};
