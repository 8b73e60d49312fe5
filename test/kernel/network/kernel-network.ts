/**
 * A network of the real kernel: namespaces that belong to this process alone (private-namespace.ts), joined by
 * veth pairs, with a packet socket in each. Nothing has a name outside and nothing outlives the process.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { check, KernelUnavailable, type Libc, loadLibc } from '../../../src/cli/kernel/libc.ts';
import { PrivateNamespace } from '../../../src/cli/kernel/private-namespace.ts';
import { runProgram } from '../../../src/cli/kernel/programs.ts';
import { RawSender } from '../../../src/cli/kernel/raw-sender.ts';
import { deviceCommands, linkCommands, tableCommands } from './ip-commands.ts';
import { type NetworkSpec, type PlannedDevice, planDevices } from './network-spec.ts';
import { PacketSocket } from './packet-socket.ts';

/** What keeps the kernel from speaking unasked, written before any device exists. */
const QUIET: readonly (readonly [string, string])[] = [
  ['net.ipv6.conf.default.addr_gen_mode', '1'],
  ['net.ipv6.conf.default.accept_dad', '0'],
  ['net.ipv6.conf.default.router_solicitations', '0'],
  ['net.ipv6.conf.default.accept_ra', '0'],
  ['net.ipv4.igmp_link_local_mcast_reports', '0'],
  // Advice about better routers, which comes beside a forwarded packet.
  ['net.ipv4.conf.all.send_redirects', '0'],
  ['net.ipv4.conf.default.send_redirects', '0'],
  // IPv6 gives it whether asked or not.
  ['net.ipv6.conf.all.accept_redirects', '0'],
  ['net.ipv6.conf.default.accept_redirects', '0'],
];

function writeSysctl(name: string, value: string | number): void {
  // A dot in a device's name is written as a slash in a sysctl's (sysctl.d(5)).
  const path = name.replaceAll(/[./]/g, (separator) => (separator === '.' ? '/' : '.'));
  const file = `/proc/sys/${path}`;
  if (name.startsWith('net.bridge.') && !existsSync(file)) {
    throw new KernelUnavailable(
      'br_netfilter is not there, so bridges cannot be compared: modprobe br_netfilter',
    );
  }
  writeFileSync(file, String(value));
}

/** A frame that passed a device of a namespace. */
export interface CapturedFrame {
  readonly namespace: string;
  readonly device: string;
  readonly direction: 'in' | 'out';
  readonly bytes: Uint8Array;
}

/** The part of `ip -json -details link` that is read. */
interface LinkListing {
  readonly flags: readonly string[];
  readonly operstate: string;
  readonly linkinfo?: { readonly info_slave_data?: { readonly state?: string } };
}

function isSettled({ flags, operstate, linkinfo }: LinkListing): boolean {
  if (!flags.includes('UP') || !flags.includes('LOWER_UP')) return true;
  const port = linkinfo?.info_slave_data?.state;
  return operstate !== 'DOWN' && (port === undefined || port === 'forwarding');
}

const AF_INET = 2;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const IPPROTO_ICMP = 1;

interface Room {
  readonly listener: number;
  readonly namespace: PrivateNamespace;
  readonly socket: PacketSocket;
  readonly sender: RawSender;
  readonly names: Map<number, string>;
}

function indices(): Map<number, string> {
  const links: unknown = JSON.parse(runProgram('ip', ['-json', 'link']));
  const rows = links as readonly { readonly ifindex: number; readonly ifname: string }[];
  return new Map(rows.map(({ ifindex, ifname }) => [ifindex, ifname]));
}

function batch(commands: readonly string[]): void {
  if (commands.length > 0) runProgram('ip', ['-batch', '-'], `${commands.join('\n')}\n`);
}

export class KernelNetwork {
  readonly #libc: Libc;
  readonly #rooms = new Map<string, Room>();
  readonly #planned: ReadonlyMap<string, readonly PlannedDevice[]>;
  readonly #spec: NetworkSpec;
  /** Namespaces that have not been seen ready. */
  readonly #waiting: Set<string>;

  /** Builds the network. Throws what the kernel's programs complain about; nothing is left behind. */
  constructor(spec: NetworkSpec) {
    this.#libc = loadLibc();
    this.#spec = spec;
    this.#planned = planDevices(spec);
    this.#waiting = new Set(Object.keys(spec.namespaces));
    try {
      this.#build();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #room(name: string): Room {
    const room = this.#rooms.get(name);
    if (room === undefined) throw new RangeError(`there is no namespace ${name}`);
    return room;
  }

  #build(): void {
    const { namespaces } = this.#spec;
    for (const name of Object.keys(namespaces)) {
      const namespace = PrivateNamespace.make(this.#libc);
      const opened = namespace.run(() => {
        for (const [path, value] of QUIET) writeSysctl(path, value);
        const sender = new RawSender(this.#libc);
        sender.open('ipv4');
        sender.open('ipv6');
        // Somebody who waits for ICMP, as ping does: only sockets make IPv4 learn of a path's MTU.
        const listener = check(
          this.#libc,
          this.#libc.socket(AF_INET, SOCK_RAW_CLOEXEC, IPPROTO_ICMP),
          'ICMP socket',
        );
        return { listener, socket: new PacketSocket(this.#libc), sender };
      });
      this.#rooms.set(name, { namespace, ...opened, names: new Map() });
    }
    const paths = new Map([...this.#rooms].map(([name, { namespace }]) => [name, namespace.path]));
    for (const name of Object.keys(namespaces)) {
      const commands = linkCommands({ spec: this.#spec, planned: this.#planned, namespace: name, paths });
      this.run(name, () => batch(commands));
    }
    for (const [name, spec] of Object.entries(namespaces)) {
      const planned = this.#planned.get(name) ?? [];
      this.run(name, () => {
        for (const [path, value] of Object.entries(spec.sysctls ?? {})) writeSysctl(path, value);
        batch(deviceCommands(planned, spec));
        const { links, fdb } = tableCommands(spec);
        batch(links);
        if (fdb.length > 0) runProgram('bridge', ['-batch', '-'], `${fdb.join('\n')}\n`);
        if (spec.iptables !== undefined) runProgram('iptables-nft-restore', [], `${spec.iptables}\n`);
        if (spec.ip6tables !== undefined) runProgram('ip6tables-nft-restore', [], `${spec.ip6tables}\n`);
        for (const [index, device] of indices()) this.#room(name).names.set(index, device);
      });
    }
  }

  /**
   * Whether every device that can be has noticed that its link is there, and every bridge port forwards: the kernel
   * does that in its own time.
   */
  isReady(): boolean {
    for (const name of [...this.#waiting]) {
      const listed = this.run(name, () => runProgram('ip', ['-json', '-details', 'link']));
      const links = JSON.parse(listed) as readonly LinkListing[];
      if (!links.every((link) => isSettled(link))) return false;
      this.#waiting.delete(name);
    }
    return true;
  }

  /** Runs `action`, which must be synchronous, in the namespace called `name`. */
  run<T>(name: string, action: () => T): T {
    return this.#room(name).namespace.run(action);
  }

  /** A raw socket of namespace `at` sends. Returns 0, or the errno of the refusal. */
  send(at: string, ...packet: Parameters<RawSender['send']>): number {
    return this.#room(at).sender.send(...packet);
  }

  /** Sends `frame` through a device, past the IP layer. */
  frame(at: string, device: string, frame: Uint8Array): void {
    const { names, socket } = this.#room(at);
    const index = [...names].find(([, name]) => name === device)?.[0];
    if (index === undefined) throw new RangeError(`${at} has no device ${device}`);
    socket.send(index, frame);
  }

  /** Takes a device up or down. */
  link(at: string, device: string, up: boolean): void {
    this.run(at, () => runProgram('ip', ['link', 'set', 'dev', device, up ? 'up' : 'down']));
  }

  /** Every frame that passed a device since the last call, namespace by namespace, each in order. */
  drain(): CapturedFrame[] {
    return [...this.#rooms].flatMap(([namespace, { socket, names }]) =>
      socket.drain().map(({ ifindex, direction, bytes }) => {
        return { namespace, device: names.get(ifindex) ?? `#${ifindex}`, direction, bytes };
      }),
    );
  }

  /** Takes everything down. */
  close(): void {
    for (const { socket, sender, listener, namespace } of this.#rooms.values()) {
      socket.close();
      sender.close();
      this.#libc.close(listener);
      namespace.close();
    }
    this.#rooms.clear();
  }
}
