/**
 * Sees every packet that gets to the very end of the input hook: what the host takes for its own. A chain
 * of ours behind all others hands each packet to a netlink socket (NFLOG). It neither turns connection
 * tracking on nor counts anywhere that a rule could see, and unlike a socket for raw IP it changes no answer
 * of the host.
 */
import { check, type Libc } from './libc.ts';
import {
  NLM_F_ACK,
  NLM_F_REQUEST,
  netlinkAttribute,
  netlinkAttributes,
  netlinkErrno,
  netlinkMessage,
  netlinkMessages,
} from './netlink.ts';

const AF_NETLINK = 16;
const SOCK_RAW_NONBLOCK_CLOEXEC = 3 | 0o4000 | 0o2000000;
const NETLINK_NETFILTER = 12;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const NFNL_SUBSYS_ULOG = 4;
const NFULNL_MSG_PACKET = 0;
const NFULNL_MSG_CONFIG = 1;
const NFULA_CFG_CMD = 1;
const NFULA_CFG_MODE = 2;
const NFULA_CFG_QTHRESH = 5;
const NFULNL_CFG_CMD_BIND = 1;
const NFULNL_COPY_PACKET = 2;
const NFULA_MARK = 2;
const NFULA_IFINDEX_INDEV = 4;
const NFULA_PAYLOAD = 9;
/** struct nfgenmsg: family, version, group (big-endian). */
const NFGENMSG = 4;

/** Any group will do: the namespace is ours alone. */
const GROUP = 1;

/**
 * The rules to load with `nft -f` before any others: of hooks with one priority the kernel runs the one
 * registered last first, and ours at input has to come after conntrack's confirm, which can still drop.
 *
 * The other chain stops the kernel's own group reports (MLD) before any rule can see or count them: they are
 * sent when a device comes up, at moments of the kernel's choosing. Nothing else there has a hop-by-hop header.
 */
export const OBSERVER_RULES = `table inet kubewire_observer {
  chain input {
    type filter hook input priority 2147483647; policy accept;
    log group ${GROUP} snaplen 65535 queue-threshold 1
  }
  chain output {
    type filter hook output priority -2147483647; policy accept;
    meta nfproto ipv6 exthdr hbh exists icmpv6 type { 131, 132, 143 } drop
  }
}
`;

export interface LoggedPacket {
  /** From the IP header on. */
  readonly bytes: Uint8Array;
  readonly mark: number;
  /** Of the device it came in on. */
  readonly inIndex: number | undefined;
}

const readBuffer = Buffer.alloc(131072);

function configuration(...attributes: Buffer[]): Buffer {
  const family = Buffer.from([0, 0, GROUP >> 8, GROUP & 255]);
  return netlinkMessage(
    (NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_CONFIG,
    NLM_F_REQUEST | NLM_F_ACK,
    Buffer.concat([family, ...attributes]),
  );
}

export class InputLog {
  readonly #libc: Libc;
  readonly #fd: number;

  private constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
  }

  /** Listens in the current namespace. */
  static open(libc: Libc): InputLog {
    const fd = check(
      libc,
      libc.socket(AF_NETLINK, SOCK_RAW_NONBLOCK_CLOEXEC, NETLINK_NETFILTER),
      'netlink socket',
    );
    const log = new InputLog(libc, fd);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(8 << 20);
    libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, size, 4);
    const address = Buffer.alloc(12);
    address.writeUInt16LE(AF_NETLINK, 0);
    check(libc, libc.bind(fd, address, address.length), 'bind netlink socket');
    log.#configure(netlinkAttribute(NFULA_CFG_CMD, Uint8Array.of(NFULNL_CFG_CMD_BIND)));
    log.#configure(netlinkAttribute(NFULA_CFG_MODE, Uint8Array.of(0, 0, 0xff, 0xff, NFULNL_COPY_PACKET, 0)));
    // One: hand over every packet at once instead of gathering a hundred.
    log.#configure(netlinkAttribute(NFULA_CFG_QTHRESH, Uint8Array.of(0, 0, 0, 1)));
    return log;
  }

  #configure(...attributes: Buffer[]): void {
    const message = configuration(...attributes);
    const kernel = Buffer.alloc(12);
    kernel.writeUInt16LE(AF_NETLINK, 0);
    check(
      this.#libc,
      this.#libc.sendto(this.#fd, message, message.length, 0, kernel, kernel.length),
      'configure the packet log',
    );
    // The kernel answers before sendto returns.
    for (const answer of this.#read()) {
      const errno = netlinkErrno(answer);
      if (errno !== undefined && errno !== 0) throw new Error(`configure the packet log: errno ${errno}`);
    }
  }

  *#read() {
    for (;;) {
      const length = this.#libc.read(this.#fd, readBuffer, readBuffer.length);
      if (length <= 0) return;
      yield* netlinkMessages(Buffer.from(readBuffer.subarray(0, length)));
    }
  }

  /** The packets that were delivered since the last call. */
  drain(): LoggedPacket[] {
    const packets: LoggedPacket[] = [];
    for (const { type, payload } of this.#read()) {
      if (type !== ((NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_PACKET)) continue;
      const attributes = netlinkAttributes(payload.subarray(NFGENMSG));
      const bytes = attributes.get(NFULA_PAYLOAD);
      if (bytes === undefined) continue;
      packets.push({
        bytes: Uint8Array.from(bytes),
        mark: attributes.get(NFULA_MARK)?.readUInt32BE(0) ?? 0,
        inIndex: attributes.get(NFULA_IFINDEX_INDEV)?.readUInt32BE(0),
      });
    }
    return packets;
  }

  close(): void {
    this.#libc.close(this.#fd);
  }
}
