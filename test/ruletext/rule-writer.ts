/** What the pieces of a random rule are drawn from: addresses, ports, words, in several spellings. */
import type { Random } from '../../src/sim/random.ts';
import type { IpFamily } from '../../src/wire/ip-address.ts';

type Pick = <Item>(items: readonly Item[]) => Item;

/** What the pieces of a rule are drawn from. */
export class RuleWriter {
  readonly family: IpFamily;
  readonly #random: Random;

  constructor(random: Random, family: IpFamily) {
    this.#random = random;
    this.family = family;
  }

  below(bound: number): number {
    return this.#random.below(bound);
  }

  pick: Pick = (items) => {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  };

  /** True in one of `n` cases. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  maybe(text: () => string, oneIn = 2): string {
    return this.oneIn(oneIn) ? text() : '';
  }

  not(): string {
    return this.maybe(() => '! ', 3);
  }

  number(bound: number): string {
    const value = this.below(bound);
    return this.pick([
      String(value),
      String(value),
      `0x${value.toString(16)}`,
      value < 8 ? `0${value}` : String(value),
    ]);
  }

  word(): string {
    return this.pick(['a', 'KUBE-SEP-X', 'b_c', 'some.name', 'eth0', '1', 'x'.repeat(20)]);
  }

  text(): string {
    return this.pick([
      'word',
      '"two words"',
      '"default/web:http cluster IP"',
      '"it\'s"',
      '"say \\"hi\\""',
      '"back\\\\slash"',
      'a/b',
      '"-j DROP"',
      '"! -s"',
      '"# no remark"',
      '"  blanks  "',
      '"Ünïcödé"',
      `"${'long '.repeat(20)}"`,
    ]);
  }

  address(): string {
    if (this.family === 'ipv4') return [0, 0, 0, 0].map(() => this.below(256)).join('.');
    return this.pick([
      () => 'fd00::1',
      () => '2001:DB8:0:0:1:0:0:1',
      () => '::1',
      () => '::ffff:1.2.3.4',
      () => `::${this.below(65536).toString(16)}:${this.below(65536).toString(16)}`,
      () => `::${this.below(65536).toString(16)}`,
      () =>
        Array.from({ length: 8 }, () => this.below(4) * this.below(65536))
          .map((n) => n.toString(16))
          .join(':'),
    ])();
  }

  mask(): string {
    if (this.family === 'ipv6') return this.pick([String(this.below(129)), 'ffff:ffff::', 'ffff::ffff']);
    return this.pick([String(this.below(33)), '255.255.255.0', '255.0.255.0', '255.255.255.255', '0.0.0.0']);
  }

  network(): string {
    return this.maybe(() => `${this.address()}/${this.mask()}`, 2) || this.address();
  }

  port(): string {
    return this.pick([this.number(65536), 'http', 'domain', '0', '65535', 'https']);
  }

  portRange(): string {
    const low = this.below(60000);
    return this.pick([this.port(), `${low}:${low + this.below(5000)}`, `:${low}`, `${low}:`, '0:65535']);
  }

  mark(): string {
    return this.pick([
      this.number(0x10000),
      '0xffffffff',
      '0x4000/0x4000',
      `${this.number(100)}/${this.number(0xffff)}`,
    ]);
  }

  device(): string {
    return this.pick(['eth0', 'veth+', 'cali1234567890a', 'lo', '+', 'a.1']);
  }

  list(items: readonly string[]): string {
    const chosen = items.filter(() => this.oneIn(2));
    return (chosen.length === 0 ? [items[0] ?? ''] : this.oneIn(2) ? chosen : chosen.reverse()).join(',');
  }

  rate(): string {
    const average = 1 + this.below(200);
    return `${average}${this.pick(['', '/s', '/sec', '/second', '/m', '/min', '/minute', '/h', '/hour', '/d', '/day'])}`;
  }
}
