/** Makes the segments of a connection and sends them. */
import { NO_BYTES, type Packet, type TcpSegment } from '../../../wire/packet.ts';
import { TCP_FLAG } from '../../../wire/protocol.ts';
import { tcpReset } from '../../refuse.ts';
import type { SocketAddress } from '../socket-address.ts';
import type { SocketErrorCode } from '../socket-error.ts';
import type { ControlBlock } from './control-block.ts';
import type { TcpHost } from './host.ts';
import { sackOptions, synOptions, timestampOptions } from './options.ts';
import { noteAckSent } from './receive.ts';
import { selectWindow } from './receive-window.ts';
import type { Flight } from './send-queue.ts';
import { after } from './sequence.ts';

const { SYN, ACK, FIN, RST, PSH } = TCP_FLAG;
const MAX_WINDOW = 0xffff;

/** What of a segment differs from one to the next. */
interface Contents {
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  readonly window: number;
  readonly options: Uint8Array;
  readonly data: Uint8Array;
}

export interface WriterParts {
  readonly block: ControlBlock;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly host: TcpHost;
  /** Called when an ACK leaves. */
  readonly sent: () => void;
}

export class SegmentWriter {
  readonly #connection: WriterParts;
  readonly #host: TcpHost;
  /** IPv4 identification: a counter of the connection's own (inet_id). */
  #id: number;
  #stamps: Uint8Array = NO_BYTES;
  #stampValue = -1;
  #stampEcho = -1;

  constructor(parts: WriterParts) {
    this.#connection = parts;
    this.#host = parts.host;
    this.#id = typeof parts.remote.address === 'number' ? parts.host.network.random.uint32() & 0xffff : 0;
  }

  #write({ flags, seq, ack, window, options, data }: Contents, id: number): SocketErrorCode | undefined {
    const { local, remote, block } = this.#connection;
    const v4 = typeof remote.address === 'number';
    const packet: Packet = {
      src: local.address,
      dst: remote.address,
      ttl: block.settings.ttl,
      tos: 0,
      id: v4 ? id : 0,
      dontFragment: v4,
      transport: {
        kind: 'tcp',
        sport: local.port,
        dport: remote.port,
        seq,
        ack,
        flags,
        window,
        options,
        data,
      },
    };
    return this.#host.transmit(packet);
  }

  #nextId(): number {
    const id = this.#id;
    this.#id = (id + 1) & 0xffff;
    return id;
  }

  /** The SYN, or with `answers` the SYN-ACK. */
  syn(answers: boolean): SocketErrorCode | undefined {
    const { block } = this.#connection;
    const now = this.#host.network.scheduler.now();
    const options = synOptions({
      mss: block.announcedMss,
      windowScale: block.windowScaling ? block.rcvScale : undefined,
      sackPermitted: block.sack,
      timestamps: block.timestamps
        ? { value: block.timestampAt(now), echo: answers ? block.tsRecent : 0 }
        : undefined,
    });
    const contents = {
      flags: answers ? SYN | ACK : SYN,
      seq: block.initialSequence,
      ack: answers ? block.rcvNxt : 0,
      window: Math.min(block.rcvWnd, MAX_WINDOW),
      options,
      data: NO_BYTES,
    };
    // A SYN-ACK is made before there is a socket that could count.
    return this.#write(contents, answers ? 0 : this.#nextId());
  }

  /** A segment with data, with the FIN, or both. */
  data({ start, data, fin, push }: Flight): void {
    this.#send(ACK | (push ? PSH : 0) | (fin ? FIN : 0), start, data);
  }

  /** An ACK without data. */
  ack(seq: number): void {
    this.#send(ACK, seq, NO_BYTES);
  }

  #send(flags: number, seq: number, data: Uint8Array): void {
    const { block } = this.#connection;
    const window = selectWindow(block);
    block.rcvWnd = window;
    block.rcvWup = block.rcvNxt;
    const contents = {
      flags,
      seq,
      ack: block.rcvNxt,
      window: Math.min(window >>> block.rcvScale, MAX_WINDOW),
      options: this.#options(),
      data,
    };
    noteAckSent(block);
    this.#connection.sent();
    this.#write(contents, this.#nextId());
  }

  /** The time stamps of now; segments of one millisecond share the bytes. */
  #timestamps(): Uint8Array {
    const { block } = this.#connection;
    const value = block.timestampAt(this.#host.network.scheduler.now());
    if (value !== this.#stampValue || block.tsRecent !== this.#stampEcho) {
      this.#stampValue = value;
      this.#stampEcho = block.tsRecent;
      this.#stamps = timestampOptions(value, block.tsRecent);
    }
    return this.#stamps;
  }

  #options(): Uint8Array {
    const { block } = this.#connection;
    const stamps = block.timestamps ? this.#timestamps() : NO_BYTES;
    if (!block.sack) return stamps;
    const { duplicate } = block;
    if (duplicate === undefined) {
      return block.reassembly.isEmpty ? stamps : sackOptions(stamps, block.reassembly.blocks);
    }
    block.duplicate = undefined;
    return sackOptions(stamps, [duplicate, ...block.reassembly.blocks]);
  }

  /** A reset of our own accord (tcp_send_active_reset). */
  reset(): void {
    const { block } = this.#connection;
    const seq = after(block.sndNxt, block.windowEnd) ? block.windowEnd : block.sndNxt;
    const contents = {
      flags: RST | ACK,
      seq,
      ack: block.rcvNxt,
      window: 0,
      options: NO_BYTES,
      data: NO_BYTES,
    };
    this.#write({ ...contents, options: this.#options() }, this.#nextId());
  }

  /** The reset that answers `segment`, which this connection cannot have wanted. */
  resetFor(segment: TcpSegment): void {
    const { local, remote, block } = this.#connection;
    const packet = {
      src: remote.address,
      dst: local.address,
      ttl: 0,
      tos: 0,
      id: 0,
      dontFragment: true,
      transport: segment,
    };
    const reset = tcpReset(packet);
    if (reset !== undefined) this.#host.transmit({ ...reset, ttl: block.settings.ttl });
  }
}
