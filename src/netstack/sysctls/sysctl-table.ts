/**
 * The sysctls of one namespace, by dotted name. What was never set has Linux's default; what a device was
 * never given it has from `default`; and writing some of `all` writes every device.
 *
 *   net.ipv4.conf.DEVICE.KEY ─ set? ─▶ value          ─┐ combined with all's: device, or, max
 *                            └ else ─▶ conf.default.KEY ─┘
 */
import {
  IPV4_CONF,
  IPV6_CONF,
  type Ipv4ConfKey,
  type Ipv6ConfKey,
  NEIGHBOUR_CONF,
  type NeighbourConfKey,
  PLAIN_SYSCTLS,
} from './defaults.ts';

/** net.ipv4.conf.DEVICE.KEY and its kin; a device's name may hold dots (`eth0.100`). */
const PER_DEVICE = /^net\.(ipv4|ipv6)\.(conf|neigh)\.(.+)\.([^.]+)$/;

/** Two names for one value: written through one, read through the other. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['net.ipv4.ip_forward', 'net.ipv4.conf.all.forwarding'],
  ['net.nf_conntrack_max', 'net.netfilter.nf_conntrack_max'],
]);

/** Keys of `all` whose writing writes `default` and every device as well (inet_forward_change and its twins). */
const SPREADING: ReadonlySet<string> = new Set(['ipv4 forwarding', 'ipv6 forwarding', 'ipv6 disable_ipv6']);

/** `net/ipv4/conf/eth0.100/rp_filter` is the same as the dotted name. */
function canonical(name: string): string {
  const dotted = name.replaceAll('/', '.');
  return ALIASES.get(dotted) ?? dotted;
}

const tables = {
  conf: {
    ipv4: Object.fromEntries(Object.entries(IPV4_CONF).map(([key, [value]]) => [key, value])),
    ipv6: IPV6_CONF as Readonly<Record<string, number>>,
  },
  neigh: { ipv4: NEIGHBOUR_CONF, ipv6: NEIGHBOUR_CONF },
} as const;

function defaultOf(family: 'ipv4' | 'ipv6', table: 'conf' | 'neigh', key: string): string | undefined {
  const values: Readonly<Record<string, number>> = tables[table][family];
  const value = values[key];
  return value === undefined ? undefined : String(value);
}

export class SysctlTable {
  readonly #values = new Map<string, string>();
  /** What names were found to mean since the last write: packets ask for the same few again and again. */
  readonly #numbers = new Map<string, number | undefined>();
  /** Counts writes: whoever remembers what follows from sysctls can tell when it is out of date. */
  version = 0;

  constructor(values: Readonly<Record<string, string | number>> = {}) {
    for (const [name, value] of Object.entries(values)) this.set(name, value);
  }

  /** `sysctl -w NAME=VALUE`. Names nobody knows are kept, too. */
  set(name: string, value: string | number): void {
    const key = canonical(name);
    const text = String(value);
    this.version++;
    this.#numbers.clear();
    this.#values.set(key, text);
    const [, family, table, device, leaf] = PER_DEVICE.exec(key) ?? [];
    if (table !== 'conf' || device !== 'all' || !SPREADING.has(`${family} ${leaf}`)) return;
    for (const other of this.#values.keys()) {
      const [, otherFamily, , , otherLeaf] = PER_DEVICE.exec(other) ?? [];
      if (otherFamily === family && otherLeaf === leaf && other !== key) this.#values.delete(other);
    }
    this.#values.set(`net.${family}.conf.default.${leaf}`, text);
  }

  /** What `sysctl NAME` prints; undefined when there is no such sysctl. */
  get(name: string): string | undefined {
    const key = canonical(name);
    const own = this.#values.get(key);
    if (own !== undefined) return own;
    const [, family, table, device, leaf] = PER_DEVICE.exec(key) ?? [];
    if (
      (family !== 'ipv4' && family !== 'ipv6') ||
      (table !== 'conf' && table !== 'neigh') ||
      leaf === undefined
    ) {
      return PLAIN_SYSCTLS[key];
    }
    const standard = PLAIN_SYSCTLS[key] ?? defaultOf(family, table, leaf);
    if (device === 'all' || device === 'default') return standard;
    return this.#values.get(`net.${family}.${table}.default.${leaf}`) ?? standard;
  }

  /** As a number; `fallback` when there is no such sysctl or it is no number. */
  number(name: string, fallback = 0): number {
    let value = this.#numbers.get(name);
    if (value === undefined && !this.#numbers.has(name)) {
      const text = this.get(name);
      const read = text === undefined || text === '' ? Number.NaN : Number(text);
      value = Number.isFinite(read) ? read : undefined;
      this.#numbers.set(name, value);
    }
    return value ?? fallback;
  }

  /** What counts on `device` for net.ipv4.conf.*.KEY: its own value combined with `all`'s. */
  ipv4Conf(device: string, key: Ipv4ConfKey): number {
    const own = this.number(`net.ipv4.conf.${device}.${key}`);
    const [, combination] = IPV4_CONF[key];
    if (combination === 'device') return own;
    const all = this.number(`net.ipv4.conf.all.${key}`);
    return combination === 'max' ? Math.max(own, all) : Number(own !== 0 || all !== 0);
  }

  /** net.ipv6.conf.DEVICE.KEY; proxy_ndp counts when `all` or the device has it. */
  ipv6Conf(device: string, key: Ipv6ConfKey): number {
    if (key === 'proxy_ndp' && this.number('net.ipv6.conf.all.proxy_ndp') !== 0) return 1;
    return this.number(`net.ipv6.conf.${device}.${key}`);
  }

  /** net.FAMILY.neigh.DEVICE.KEY. */
  neighbour(family: 'ipv4' | 'ipv6', device: string, key: NeighbourConfKey): number {
    return this.number(`net.${family}.neigh.${device}.${key}`);
  }

  /** Every value that was set, by name. */
  entries(): ReadonlyMap<string, string> {
    return this.#values;
  }

  /** `sysctl -a` of a namespace with these devices (lo among them): sorted names with their values. */
  list(devices: readonly string[]): [name: string, value: string][] {
    const names = new Set([...Object.keys(PLAIN_SYSCTLS), ...this.#values.keys(), ...ALIASES.keys()]);
    for (const family of ['ipv4', 'ipv6'] as const) {
      for (const device of ['all', 'default', ...devices]) {
        for (const key of Object.keys(tables.conf[family])) names.add(`net.${family}.conf.${device}.${key}`);
        if (device === 'all') continue;
        for (const key of Object.keys(tables.neigh[family]))
          names.add(`net.${family}.neigh.${device}.${key}`);
      }
    }
    return [...names].sort().map((name) => [name, this.get(name) ?? '']);
  }
}
