/** First packets of flows from pods to Services, as bytes: what a whole node, ours or the kernel's, is given. */
import { Random } from '../../sim/random.ts';
import { emitPacket } from '../../wire/headers.ts';
import type { IpAddress } from '../../wire/ip-address.ts';
import { NO_BYTES } from '../../wire/packet.ts';
import { TCP_FLAG } from '../../wire/protocol.ts';
import { type Spread, serviceDrawer } from './traffic.ts';
import { podAddress, SERVICE_PORT, type Size, serviceAddress } from './workload.ts';

export interface Syn {
  /** The Service it is for: its index. */
  readonly service: number;
  readonly bytes: Uint8Array;
}

/** Source ports a pod uses before the next pod takes over. */
const PORTS = 60_000;
const HEADERS = { ttl: 64, tos: 0, id: 0, dontFragment: true };
const SYN = { kind: 'tcp', seq: 1, ack: 0, flags: TCP_FLAG.SYN, window: 65_535 } as const;

/** `count` SYNs, each of a flow of its own; `seed` draws the Services. */
export function syns(
  size: Size,
  { count, spread, seed }: { readonly count: number; readonly spread: Spread; readonly seed: number },
): readonly Syn[] {
  const { services, endpoints, family } = size;
  const draw = serviceDrawer(spread, services, new Random(seed));
  return Array.from({ length: count }, (_, flow) => {
    const service = draw();
    const pod = (Math.floor(flow / PORTS) * 7919) % Math.max(1, services * endpoints);
    const transport = {
      ...SYN,
      sport: 1024 + (flow % PORTS),
      dport: SERVICE_PORT,
      options: NO_BYTES,
      data: NO_BYTES,
    };
    const src: IpAddress = podAddress(pod, family);
    return {
      service,
      bytes: emitPacket({ ...HEADERS, src, dst: serviceAddress(service, family), transport }),
    };
  });
}
