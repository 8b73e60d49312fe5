/**
 * A node of the real kernel with the rules of a cluster, in a private namespace that vanishes with this
 * process, however it ends:
 *
 *   write() ──▶ cni0 ──▶ prerouting, route, forward, postrouting, conntrack ──▶ eth0 ──▶ read()
 *
 * Both devices are TAPs. The kernel has done all of the packet's way when write() returns, so the time of the
 * call is that of the way and of the call itself, which a frame that no protocol takes costs as well.
 */
import { writeFileSync } from 'node:fs';
import type { IpFamily } from '../../wire/ip-address.ts';
import { KernelUnavailable, type Libc, loadLibc } from '../kernel/libc.ts';
import { PrivateNamespace } from '../kernel/private-namespace.ts';
import { ProgramFailed, runProgram } from '../kernel/programs.ts';
import { TapDevice } from '../kernel/tap-device.ts';

export const BACKENDS = ['legacy', 'nft'] as const;
/** Which of the kernel's two rule engines holds the rules. */
export type Backend = (typeof BACKENDS)[number];

/** The most packets between two calls of `collect`: eth0 keeps as many. */
export const QUEUE = 4096;

const SYSCTLS: readonly (readonly [path: string, value: string])[] = [
  ['ipv6/conf/default/addr_gen_mode', '1'],
  ['ipv6/conf/default/accept_dad', '0'],
  ['ipv6/conf/default/router_solicitations', '0'],
  ['ipv4/conf/all/rp_filter', '0'],
  ['ipv4/conf/default/rp_filter', '0'],
  ['ipv4/conf/all/send_redirects', '0'],
  ['ipv4/ip_forward', '1'],
  ['ipv6/conf/all/forwarding', '1'],
];

/** The devices do no ARP, and all pods but the sender are beyond eth0. */
const DEVICES = `link set dev lo up
link set dev cni0 address 02:00:00:00:00:01 arp off
link set dev cni0 up
link set dev eth0 address 02:00:00:00:00:02 arp off txqueuelen ${QUEUE}
link set dev eth0 up
address add 172.18.0.2/16 dev eth0
address add fd18::2/64 dev eth0 nodad
route add 100.64.0.0/10 dev eth0
route add fd64::/16 dev eth0
`;

const ETHERNET = 14;
const ETHERTYPE = { ipv4: 0x0800, ipv6: 0x86dd } as const;
/** IEEE 802's number for local experiments: no protocol of the kernel takes it. */
const ETHERTYPE_NOBODY = 0x88b5;

function frame(etherType: number, bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(ETHERNET + bytes.length);
  out.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9, etherType >> 8, etherType & 255]);
  out.set(bytes, ETHERNET);
  return out;
}

/** An IP packet as cni0 gets it. */
export function packetFrame(family: IpFamily, bytes: Uint8Array): Uint8Array {
  return frame(ETHERTYPE[family], bytes);
}

/** The same bytes as a frame that the kernel drops at once. */
export function nobodysFrame(bytes: Uint8Array): Uint8Array {
  return frame(ETHERTYPE_NOBODY, bytes);
}

/** Throws KernelUnavailable, with a line for the user, where no namespace can be made. */
export function requireKernel(): void {
  PrivateNamespace.make(loadLibc()).close();
}

export interface KernelRules {
  readonly backend: Backend;
  readonly family: IpFamily;
  /** For iptables-restore or ip6tables-restore. */
  readonly text: string;
}

export class KernelNode {
  readonly backend: Backend;
  /** Milliseconds that loading the rules took. */
  readonly loading: number;
  readonly #namespace: PrivateNamespace;
  readonly #cni: TapDevice;
  readonly #eth: TapDevice;

  private constructor(
    namespace: PrivateNamespace,
    { backend, loading, cni, eth }: { backend: Backend; loading: number; cni: TapDevice; eth: TapDevice },
  ) {
    this.#namespace = namespace;
    this.backend = backend;
    this.loading = loading;
    this.#cni = cni;
    this.#eth = eth;
  }

  /** Makes the node. Throws KernelUnavailable, with a line for the user, where that cannot be done. */
  static make(rules: KernelRules): KernelNode {
    const libc = loadLibc();
    const namespace = PrivateNamespace.make(libc);
    try {
      return namespace.run(() => KernelNode.#assemble(libc, namespace, rules));
    } catch (error) {
      namespace.close();
      if (error instanceof ProgramFailed) throw new KernelUnavailable(error.message);
      throw error;
    }
  }

  static #assemble(libc: Libc, namespace: PrivateNamespace, rules: KernelRules): KernelNode {
    for (const [path, value] of SYSCTLS) writeFileSync(`/proc/sys/net/${path}`, value);
    const open: TapDevice[] = [];
    try {
      const cni = TapDevice.open(libc, 'cni0');
      open.push(cni);
      const eth = TapDevice.open(libc, 'eth0');
      open.push(eth);
      runProgram('ip', ['-batch', '-'], DEVICES);
      const { backend, family, text } = rules;
      const start = performance.now();
      runProgram(`${family === 'ipv4' ? 'iptables' : 'ip6tables'}-${backend}-restore`, [], text);
      return new KernelNode(namespace, { backend, loading: performance.now() - start, cni, eth });
    } catch (error) {
      for (const device of open) device.close();
      throw error;
    }
  }

  /** Lets `frames` arrive one after the other; each has been handled when the next one comes. */
  receive(frames: readonly Uint8Array[]): void {
    for (const each of frames) this.#cni.inject(each);
  }

  /** The IP packets that have left since the last call. */
  collect(): readonly Uint8Array[] {
    return this.#eth.drain().map((each) => each.subarray(ETHERNET));
  }

  /** Takes every flow out of conntrack's table. */
  forgetFlows(): void {
    this.#namespace.run(() => runProgram('conntrack', ['-F']));
  }

  /** Takes everything down. */
  close(): void {
    this.#cni.close();
    this.#eth.close();
    this.#namespace.close();
  }
}
