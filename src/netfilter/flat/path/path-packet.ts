/** The packet that is on its way through the flat path; one object, filled anew for every packet. */
import { parsePacket } from '../../../wire/headers.ts';
import { Skb } from '../../skb.ts';
import { type Batch, makeBatch } from '../batch.ts';
import { CT_BIT } from '../layout.ts';
import type { Connection } from './connection.ts';
import { PathHeaders, PathTuple } from './headers.ts';
import type { PathBatch } from './path-batch.ts';
import type { FlatRouting } from './routing.ts';
import { NO_DEVICE } from './stages.ts';

export class PathPacket {
  /** As it came. */
  readonly headers = new PathHeaders();
  /** As NAT has left it so far. */
  readonly tuple = new PathTuple();
  /** What rules look at: a batch of one row. */
  readonly registers: Batch = makeBatch('ipv4', 1);
  readonly connection: Connection;
  /** Whether conntrack knows it. */
  isTracked = false;
  /** Once it is routed: the range of addresses it goes to, and the device it leaves by. */
  range = 0;
  outDevice = NO_DEVICE;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** Takes packet `row` of `batch`; false when it is not one for the path. */
  begin(batch: PathBatch, row: number): boolean {
    const { headers, registers } = this;
    if (!headers.read(batch, row)) return false;
    this.tuple.begin(headers);
    registers.src[0] = headers.src;
    registers.dst[0] = headers.dst;
    registers.protocol[0] = headers.protocol;
    registers.sport[0] = headers.sport;
    registers.dport[0] = headers.dport;
    registers.mark[0] = 0;
    registers.state[0] = CT_BIT.INVALID;
    this.isTracked = false;
    this.outDevice = NO_DEVICE;
    return true;
  }

  /** Where it goes next: a gateway, or its destination. */
  nextHop(routing: FlatRouting): number {
    return routing.gatewayTo(this.range) || this.tuple.dst;
  }

  /** The packet as the reference has it, as it is by now. */
  skb(batch: PathBatch, row: number, routing: FlatRouting, now: number): Skb {
    const { src, dst, sport, dport } = this.tuple;
    const packet = parsePacket(batch.packet(row));
    const { transport } = packet;
    const ported = 'sport' in transport ? { ...transport, sport, dport } : transport;
    const isRouted = this.outDevice !== NO_DEVICE;
    const ttl = isRouted ? packet.ttl - 1 : packet.ttl;
    const skb = new Skb(
      { ...packet, src: src >>> 0, dst: dst >>> 0, ttl, transport: ported },
      routing.devices[batch.inDevice[row] ?? 0],
    );
    skb.mark = this.registers.mark[0] ?? 0;
    if (isRouted) {
      skb.outDevice = routing.devices[this.outDevice];
      skb.nextHop = this.nextHop(routing) >>> 0;
    }
    if (this.isTracked) skb.ct = this.connection.attachment(batch, this.headers, this.tuple, now);
    return skb;
  }
}
