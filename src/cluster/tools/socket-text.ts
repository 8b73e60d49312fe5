/** Sockets in the columns of `ss`, as wide as their contents (what it prints when nobody looks at a terminal). */
import { formatIpAddress, type IpAddress, type IpFamily, ipv6, sameAddress } from '../../wire/ip-address.ts';
import { serviceName } from './services.ts';

export type SocketState =
  | 'ESTAB'
  | 'SYN-SENT'
  | 'SYN-RECV'
  | 'FIN-WAIT-1'
  | 'FIN-WAIT-2'
  | 'TIME-WAIT'
  | 'UNCONN'
  | 'CLOSE-WAIT'
  | 'LAST-ACK'
  | 'LISTEN'
  | 'CLOSING';

/** One end of a socket; port 0 is printed as `*`. */
export interface SocketEnd {
  readonly address: IpAddress;
  readonly port: number;
}

export interface SocketLine {
  readonly protocol: 'tcp' | 'udp' | 'icmp' | 'raw';
  readonly state: SocketState;
  /** Bytes that wait to be read; of a listener, connections that wait to be accepted. */
  readonly receiveQueue: number;
  /** Bytes that wait to be acknowledged; of a listener, how many may wait. */
  readonly sendQueue: number;
  readonly local: SocketEnd;
  readonly peer: SocketEnd;
  /** An IPv6 socket that takes IPv4 too. */
  readonly dualStack?: boolean;
}

export interface SocketTextOptions {
  /** Leave the protocol out, as `ss` does when only one is asked for. */
  readonly oneProtocol: boolean;
  readonly header: boolean;
  /** Numbers instead of the names of services. */
  readonly numeric: boolean;
}

interface Column {
  readonly header: string;
  readonly delimiter: string;
  readonly right: boolean;
}

const PROTOCOL_COLUMN: Column = { header: 'Netid', delimiter: ' ', right: false };

const COLUMNS: readonly Column[] = [
  { header: 'State', delimiter: ' ', right: false },
  { header: 'Recv-Q', delimiter: ' ', right: false },
  { header: 'Send-Q', delimiter: ' ', right: false },
  { header: 'Local Address:', delimiter: ' ', right: true },
  { header: 'Port', delimiter: '', right: false },
  { header: 'Peer Address:', delimiter: ' ', right: true },
  { header: 'Port', delimiter: '', right: false },
  { header: 'Process', delimiter: '', right: false },
];

const ANY_V6 = ipv6(0, 0, 0, 0);

/** The family whose sockets this one is listed with. */
export function familyOfSocket({ local }: SocketLine): IpFamily {
  return typeof local.address === 'number' ? 'ipv4' : 'ipv6';
}

function addressText({ address }: SocketEnd, dualStack: boolean): string {
  if (typeof address === 'number') return `${formatIpAddress(address)}:`;
  if (dualStack && sameAddress(address, ANY_V6)) return '*:';
  return `[${formatIpAddress(address)}]:`;
}

function portText({ port }: SocketEnd, protocol: SocketLine['protocol'], numeric: boolean): string {
  if (port === 0) return '*';
  const named = protocol === 'tcp' || protocol === 'udp';
  return (!numeric && named ? serviceName(protocol, port) : undefined) ?? String(port);
}

function cells(line: SocketLine, { oneProtocol, numeric }: SocketTextOptions): string[] {
  const { protocol, state, receiveQueue, sendQueue, local, peer, dualStack = false } = line;
  return [
    ...(oneProtocol ? [] : [protocol]),
    state,
    String(receiveQueue).padEnd(6),
    String(sendQueue).padEnd(6),
    addressText(local, dualStack),
    portText(local, protocol, numeric),
    addressText(peer, dualStack),
    portText(peer, protocol, numeric),
    '',
  ];
}

/** The whole output for `lines`, in their order. */
export function formatSockets(lines: readonly SocketLine[], options: SocketTextOptions): string {
  const columns = options.oneProtocol ? COLUMNS : [PROTOCOL_COLUMN, ...COLUMNS];
  const rows = lines.map((line) => cells(line, options));
  if (options.header) rows.unshift(columns.map(({ header }) => header));
  const widths = columns.map((_, index) => Math.max(0, ...rows.map((row) => row[index]?.length ?? 0)));
  const text = (row: readonly string[]) =>
    columns
      .map(({ delimiter, right }, index) => {
        const cell = row[index] ?? '';
        const width = widths[index] ?? 0;
        const padded = right ? cell.padStart(width) : cell.padEnd(width);
        return `${index === 0 || width === 0 ? '' : delimiter}${padded}`;
      })
      .join('');
  return rows.map((row) => `${text(row)}\n`).join('');
}
