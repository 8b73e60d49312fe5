/** The addresses a random case plays with, per family: the same places in IPv4 and IPv6. */
import {
  formatIpAddress,
  type IpAddress,
  type IpFamily,
  parseIpAddress,
} from '../../../src/wire/ip-address.ts';

export interface AddressPlan {
  readonly family: IpFamily;
  /** IPv6 asks for 1280 at least. */
  readonly mtus: readonly number[];
  /** The addresses that the device with this number may get: the main one first. */
  readonly mainTexts: (device: number) => readonly (readonly [weight: number, text: string])[];
  readonly moreTexts: (device: number) => readonly string[];
  /** Who lives behind the device with this number. */
  readonly peers: (device: number) => readonly IpAddress[];
  readonly gateway: (device: number) => IpAddress;
  /** Prefixes behind a device, more specific than its own. */
  readonly halves: (device: number) => string;
  readonly single: (device: number) => string;
  readonly everywhere: string;
  /** Prefixes of nobody's device, for routes through gateways. */
  readonly routed: readonly string[];
  /** Prefixes for routes that refuse. */
  readonly refused: readonly string[];
  /** Addresses that no device has. */
  readonly remote: readonly IpAddress[];
  /** Addresses that should not be seen on a wire, or only in special roles. */
  readonly odd: readonly IpAddress[];
  /** `address` as a match may spell it. */
  readonly matchTexts: (address: IpAddress) => readonly (readonly [weight: number, text: string])[];
  /** The address beside `address` with this last part. */
  readonly sibling: (address: IpAddress, last: number) => string;
  /** An address with a port, as NAT targets spell it. */
  readonly withPort: (text: string, ports: string) => string;
}

const all = (texts: readonly string[]) => texts.map(parseIpAddress);

const IPV4: AddressPlan = {
  family: 'ipv4',
  mtus: [576, 600, 1280, 1400],
  mainTexts: (n) => [
    [6, `10.0.${n}.1/24`],
    [1, `10.0.${n}.1/32`],
    [1, `10.0.${n}.1/28`],
  ],
  moreTexts: (n) => [`10.0.${n}.2/24`, `172.16.${n}.1/16`, `192.168.${n}.254/30`],
  peers: (n) => all([9, 10, 20, 200].map((last) => `10.0.${n}.${last}`)),
  gateway: (n) => parseIpAddress(`10.0.${n}.254`),
  halves: (n) => `10.0.${n}.0/25`,
  single: (n) => `10.0.${n}.9/32`,
  everywhere: '0.0.0.0/0',
  routed: ['10.244.1.0/24', '10.244.2.0/24', '10.244.0.0/16'],
  refused: [0, 1, 2, 3].map((n) => `198.18.${n}.0/24`),
  remote: all([
    '10.9.9.9',
    '10.9.9.10',
    '10.96.0.1',
    '10.96.0.10',
    '10.244.1.5',
    '10.244.1.6',
    '10.244.2.7',
    '8.8.8.8',
    '203.0.113.7',
    '198.18.0.1',
    '198.18.1.1',
    '198.18.2.2',
  ]),
  odd: all([
    '0.0.0.0',
    '255.255.255.255',
    '127.0.0.1',
    '127.3.2.1',
    '224.0.0.1',
    '224.0.0.5',
    '240.0.0.1',
    '0.1.2.3',
    '169.254.1.1',
    '10.0.1.255',
    '10.0.1.0',
  ]),
  matchTexts: (address) => {
    const text = formatIpAddress(address);
    const octets = text.split('.');
    return [
      [5, text],
      [3, `${octets.slice(0, 3).join('.')}.0/24`],
      [1, `${octets.slice(0, 2).join('.')}.0.0/16`],
      [1, '10.0.0.0/8'],
      [1, `0.0.0.${octets[3]}/0.0.0.255`],
      [1, '0.0.0.0/0'],
    ];
  },
  sibling: (address, last) => formatIpAddress(address).replace(/\d+$/, String(last)),
  withPort: (text, ports) => `${text}:${ports}`,
};

const IPV6: AddressPlan = {
  family: 'ipv6',
  mtus: [1280, 1281, 1400],
  mainTexts: (n) => [
    [6, `fd00:${n}::1/64`],
    [1, `fd00:${n}::1/128`],
  ],
  moreTexts: (n) => [`fd00:${n}::2/64`, `fd00:a${n}::1/48`],
  peers: (n) => all(['9', '10', '20', '200'].map((last) => `fd00:${n}::${last}`)),
  gateway: (n) => parseIpAddress(`fd00:${n}::254`),
  halves: (n) => `fd00:${n}::/96`,
  single: (n) => `fd00:${n}::9/128`,
  everywhere: '::/0',
  routed: ['fd00:10:244:1::/64', 'fd00:10:244:2::/64', 'fd00:10:244::/48'],
  refused: [0, 1, 2, 3].map((n) => `fd00:bad:${n}::/64`),
  remote: all([
    'fd00:9::9',
    'fd00:9::10',
    'fd00:96::1',
    'fd00:96::10',
    'fd00:10:244:1::5',
    'fd00:10:244:1::6',
    'fd00:10:244:2::7',
    '2001:4860:4860::8888',
    '2001:db8::7',
    'fd00:bad:0::1',
    'fd00:bad:1::1',
    'fd00:bad:2::2',
  ]),
  odd: all(['::', '::1', 'ff02::1', 'ff05::2', 'ff01::1', '::ffff:10.0.1.9', 'fe80::1234', 'fec0::1']),
  matchTexts: (address) => {
    const text = formatIpAddress(address);
    const last = text.split(':').at(-1) ?? '0';
    return [
      [5, text],
      [3, `${text.split(':').slice(0, 2).join(':')}::/32`],
      [1, 'fd00::/8'],
      [1, `::${last === '' ? '0' : last}/::ffff`],
      [1, '::/0'],
    ];
  },
  sibling: (address, last) => formatIpAddress(address).replace(/[0-9a-f]*$/, last.toString(16)),
  withPort: (text, ports) => `[${text}]:${ports}`,
};

export const ADDRESS_PLANS: Readonly<Record<IpFamily, AddressPlan>> = { ipv4: IPV4, ipv6: IPV6 };
