/** Why a socket operation failed, by the names of errno(3). */

import { ICMP, ICMPV6 } from '../../wire/icmp.ts';
import type { IpFamily } from '../../wire/ip-address.ts';
import type { IcmpMessage } from '../../wire/packet.ts';

/** Each code with what programs print for it (strerror). */
export const SOCKET_ERRORS = {
  EACCES: 'Permission denied',
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  ECONNABORTED: 'Software caused connection abort',
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EHOSTDOWN: 'Host is down',
  EHOSTUNREACH: 'No route to host',
  EINVAL: 'Invalid argument',
  EMSGSIZE: 'Message too long',
  ENETUNREACH: 'Network is unreachable',
  ENONET: 'Machine is not on the network',
  ENOPROTOOPT: 'Protocol not available',
  ENOTCONN: 'Transport endpoint is not connected',
  EOPNOTSUPP: 'Operation not supported',
  EPERM: 'Operation not permitted',
  EPIPE: 'Broken pipe',
  EPROTO: 'Protocol error',
  ETIMEDOUT: 'Connection timed out',
} as const;

export type SocketErrorCode = keyof typeof SOCKET_ERRORS;

/** A socket that could not be had: its port is taken, its address is not this host's, there is no way to go. */
export class SocketError extends Error {
  override readonly name = 'SocketError';
  readonly code: SocketErrorCode;

  constructor(code: SocketErrorCode, context: string) {
    super(`${context}: ${SOCKET_ERRORS[code]}`);
    this.code = code;
  }
}

export interface IcmpFailure {
  readonly code: SocketErrorCode;
  /** Ends connections that are being made; others are told when they time out (icmp_err_convert.fatal). */
  readonly fatal: boolean;
}

const failure = (code: SocketErrorCode, fatal: boolean): IcmpFailure => ({ code, fatal });

/** Destination unreachable by code (icmp.c icmp_err_convert). */
const UNREACHABLE_V4: readonly IcmpFailure[] = [
  failure('ENETUNREACH', false),
  failure('EHOSTUNREACH', false),
  failure('ENOPROTOOPT', true),
  failure('ECONNREFUSED', true),
  failure('EMSGSIZE', false),
  failure('EOPNOTSUPP', false),
  failure('ENETUNREACH', true),
  failure('EHOSTDOWN', true),
  failure('ENONET', true),
  failure('ENETUNREACH', true),
  failure('EHOSTUNREACH', true),
  failure('ENETUNREACH', false),
  failure('EHOSTUNREACH', false),
  failure('EHOSTUNREACH', true),
  failure('EHOSTUNREACH', true),
  failure('EHOSTUNREACH', true),
];

/** net/ipv6/icmp.c tab_unreach. */
const UNREACHABLE_V6: readonly IcmpFailure[] = [
  failure('ENETUNREACH', false),
  failure('EACCES', true),
  failure('EHOSTUNREACH', false),
  failure('EHOSTUNREACH', false),
  failure('ECONNREFUSED', true),
  failure('EACCES', true),
  failure('EACCES', true),
];

/** What an ICMP error means to the socket whose packet it is about; undefined for messages that are no errors. */
export function failureOf(message: IcmpMessage, family: IpFamily): IcmpFailure | undefined {
  if (family === 'ipv4') {
    switch (message.type) {
      case ICMP.destinationUnreachable:
        return UNREACHABLE_V4[message.code];
      case ICMP.timeExceeded:
        return failure('EHOSTUNREACH', false);
      case ICMP.parameterProblem:
        return failure('EPROTO', true);
      default:
        return undefined;
    }
  }
  switch (message.type) {
    case ICMPV6.destinationUnreachable:
      return UNREACHABLE_V6[message.code] ?? failure('EPROTO', true);
    case ICMPV6.packetTooBig:
      return failure('EMSGSIZE', false);
    case ICMPV6.timeExceeded:
      return failure('EHOSTUNREACH', false);
    case ICMPV6.parameterProblem:
      return failure('EPROTO', true);
    default:
      return undefined;
  }
}

/** The path MTU that "fragmentation needed" or "packet too big" tells of; undefined for anything else. */
export function toldMtu(message: IcmpMessage, family: IpFamily): number | undefined {
  if (family === 'ipv4') {
    const needed = message.type === ICMP.destinationUnreachable && message.code === 4;
    return needed ? message.sequence : undefined;
  }
  if (message.type !== ICMPV6.packetTooBig) return undefined;
  return message.id * 0x10000 + message.sequence;
}
