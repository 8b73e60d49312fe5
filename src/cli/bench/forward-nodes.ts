/** Nodes that `bench forward` sends packets through: one packet an object, or batches of bytes. */
import { SeededChoices } from '../../netfilter/choices.ts';
import { ConntrackTable } from '../../netfilter/conntrack/table.ts';
import { DEFAULT_CONNTRACK } from '../../netfilter/conntrack/timeouts.ts';
import type { FlatPath } from '../../netfilter/flat/path/flat-path.ts';
import { FATE, PathBatch } from '../../netfilter/flat/path/path-batch.ts';
import { TapedChoices } from '../../netfilter/flat/path/taped-choices.ts';
import { Netfilter } from '../../netfilter/netfilter.ts';
import type { RuleFinder } from '../../netfilter/rule-finder.ts';
import type { RuleSet } from '../../netfilter/rule-set.ts';
import { AddressBook } from '../../netstack/addressing.ts';
import { DEFAULT_DEVICE_SYSCTLS, type Device } from '../../netstack/device.ts';
import { flatPathOf } from '../../netstack/flat-host.ts';
import { Host, type Passage } from '../../netstack/host.ts';
import { Clock } from '../../sim/clock.ts';
import { Random } from '../../sim/random.ts';
import { parsePacket } from '../../wire/headers.ts';
import { parseInterfaceAddress, parseIpPrefix } from '../../wire/ip-prefix.ts';
import type { Packet } from '../../wire/packet.ts';

const device = (name: string, ...addresses: readonly string[]): Device => ({
  ...DEFAULT_DEVICE_SYSCTLS,
  name,
  addresses: addresses.map(parseInterfaceAddress),
});
/** All pods are behind one bridge. */
const POD_DEVICE = device('cni0', '100.64.0.1/10', 'fd64::1/16');
const UPLINK = device('eth0', '172.18.0.2/16', 'fd18::2/64');

/** What is measured: packets given as bytes, all of them passed on. */
export interface ForwardNode {
  /** Forgets all flows. */
  forget(): void;
  /** Makes `packets` ready to be played; untimed. */
  load(packets: readonly Uint8Array[]): void;
  /** Lets the packets that were loaded come in, in order. */
  play(): void;
  /** The packets as they left when they were played last; undefined where one did not. */
  left(): readonly (Packet | undefined)[];
  readonly flows: number;
}

function hostWith(ruleSet: RuleSet, choices: SeededChoices | TapedChoices, finder?: RuleFinder): Host {
  const routes = [
    { prefix: parseIpPrefix('0.0.0.0/0'), gateway: 0xac120001, device: 'eth0', type: 'unicast', metric: 0 },
  ] as const;
  const addresses = new AddressBook([POD_DEVICE, UPLINK], routes);
  const netfilter = new Netfilter({
    clock: new Clock(),
    choices,
    host: addresses,
    sysctls: { ...DEFAULT_CONNTRACK, max: 2 ** 30 },
    ...(finder === undefined ? {} : { finder }),
  });
  netfilter.load(ruleSet);
  return new Host({ addresses, netfilter });
}

function forwarded({ fate }: Passage): Packet | undefined {
  return fate.kind === 'forwarded' ? fate.packet : undefined;
}

/** The reference engine, with rules found by `finder`. */
export class ObjectNode implements ForwardNode {
  readonly #host: Host;
  #packets: readonly Uint8Array[] = [];
  #passages: Passage[] = [];

  constructor(ruleSet: RuleSet, seed: number, finder: RuleFinder) {
    this.#host = hostWith(ruleSet, new SeededChoices(new Random(seed)), finder);
  }

  get flows(): number {
    return this.#host.netfilter.conntrack.size;
  }

  forget(): void {
    this.#host.netfilter.conntrack = new ConntrackTable();
  }

  load(packets: readonly Uint8Array[]): void {
    this.#packets = packets;
    this.#passages = [];
  }

  play(): void {
    for (const bytes of this.#packets) {
      this.#passages.push(this.#host.receive(parsePacket(bytes), POD_DEVICE));
    }
  }

  left(): readonly (Packet | undefined)[] {
    return this.#passages.map(forwarded);
  }
}

/** The flat path. */
export class FlatNode implements ForwardNode {
  readonly #host: Host;
  readonly #path: FlatPath<Passage>;
  readonly #device: number;
  #packets: readonly Uint8Array[] = [];
  #batch = new PathBatch(0, 0);
  /** The batch's bytes before it was played. */
  #fresh = new Uint8Array(0);

  constructor(ruleSet: RuleSet, seed: number) {
    const choices = new TapedChoices(new SeededChoices(new Random(seed)));
    this.#host = hostWith(ruleSet, choices);
    this.#path = flatPathOf(this.#host, choices);
    this.#device = [...this.#host.addresses.devices.keys()].indexOf(POD_DEVICE.name);
  }

  get flows(): number {
    return this.#host.netfilter.conntrack.size;
  }

  forget(): void {
    this.#path.forgetFlows(this.#packets.length);
  }

  load(packets: readonly Uint8Array[]): void {
    if (packets !== this.#packets) {
      this.#packets = packets;
      const bytes = packets.reduce((sum, { length }) => sum + ((length + 3) & ~3), 0);
      this.#batch = new PathBatch(packets.length, bytes);
      for (const packet of packets) this.#batch.add(packet, this.#device);
      this.#fresh = this.#batch.bytes.slice();
    } else this.#batch.bytes.set(this.#fresh);
  }

  play(): void {
    this.#path.run(this.#batch);
  }

  left(): readonly (Packet | undefined)[] {
    return this.#packets.map((_, row) => {
      if (this.#batch.fate[row] === FATE.forwarded) return parsePacket(this.#batch.packet(row));
      const passage = this.#path.passages.get(row);
      return passage && forwarded(passage);
    });
  }
}
