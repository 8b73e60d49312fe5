/** An address and a port: one end of a conversation. */
import { formatIpAddress, type IpAddress } from '../../wire/ip-address.ts';

export interface SocketAddress {
  readonly address: IpAddress;
  readonly port: number;
}

/** `10.0.0.1:80`, `[fd00::1]:80`. */
export function formatSocketAddress({ address, port }: SocketAddress): string {
  const text = formatIpAddress(address);
  return typeof address === 'number' ? `${text}:${port}` : `[${text}]:${port}`;
}
