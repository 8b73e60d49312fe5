/** What the writer of one random rule has at hand, and the words that matches and targets share. */
import { formatIpAddress, type IpAddress } from '../../../src/wire/ip-address.ts';
import type { Dice } from './dice.ts';
import type { FuzzHost } from './fuzz-host.ts';

export type Hook = 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING';

export interface Scene {
  readonly dice: Dice;
  readonly host: FuzzHost;
  readonly table: string;
  /** The hooks from which the rule's chain can be reached. */
  readonly hooks: readonly Hook[];
  /** A number of its own, for names of lists. */
  readonly serial: number;
  /** Pauses happen, so that rates of seconds can be told apart. */
  readonly timed: boolean;
}

export const PORTS = [22, 53, 80, 443, 500, 1000, 5353, 8080, 30000, 32767];
export const MARKS = ['0x1', '0x4000', '0x4000/0x4000', '0xff/0xff00', '0x2/0x3', '0x0/0x4000'];

export const isV6 = ({ host }: Scene) => host.addresses.family === 'ipv6';

/** `! `, now and then. */
export const not = ({ dice }: Scene, percent = 20) => (dice.chance(percent) ? '! ' : '');

/** One of the texts, made only when chosen: making them all would use up the dice. */
export function oneOf(scene: Scene, ...entries: readonly (readonly [number, () => string])[]): string {
  return scene.dice.weighted(...entries)();
}

/** Somebody's address: a neighbour's, the host's own, or a remote one. */
export function anyAddress({ dice, host }: Scene): IpAddress {
  const { own, peers } = dice.pick(host.segments);
  const pool = dice.weighted([4, peers], [3, own.length > 0 ? own : peers], [3, host.addresses.remote]);
  return dice.pick(pool);
}

/** `-s` or `-d` with an address or network. iptables-nft refuses the negation of every address. */
export function addressMatch(scene: Scene, option: string): string {
  const text = scene.dice.weighted(...scene.host.addresses.matchTexts(anyAddress(scene)));
  return `${text.endsWith('/0') ? '' : not(scene)}${option} ${text}`;
}

/** Two neighbouring addresses, the lower first, as `A-B`. */
export function addressRange(scene: Scene, low: readonly [number, number], high: readonly [number, number]) {
  const { dice, host } = scene;
  const base = anyAddress(scene);
  const { sibling } = host.addresses;
  return `${sibling(base, dice.between(...low))}-${sibling(base, dice.between(...high))}`;
}

export const addressText = (scene: Scene) => formatIpAddress(anyAddress(scene));
