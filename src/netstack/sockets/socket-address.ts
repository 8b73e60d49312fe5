/** An address and a port: one end of a conversation. */
import { formatIpAddress, type IpAddress, sameAddress } from '../../wire/ip-address.ts';

export interface SocketAddress {
  readonly address: IpAddress;
  readonly port: number;
}

/** True when both address and port are the same. */
export function sameSocketAddress(a: SocketAddress, b: SocketAddress): boolean {
  return a.port === b.port && sameAddress(a.address, b.address);
}

/** `10.0.0.1:80`, `[fd00::1]:80`. */
export function formatSocketAddress({ address, port }: SocketAddress): string {
  const text = formatIpAddress(address);
  return typeof address === 'number' ? `${text}:${port}` : `[${text}]:${port}`;
}
