/**
 * Captures of a live network: at devices (frames) and at netfilter hooks (packets), each packet with comments
 * on what the namespace made of it.
 *
 *   frame-received ─▶ log ─▶ receive … hook, rule, translate … fate   comments on what came in
 *   originate … hook, rule, translate ─▶ transmit ─▶ frame-sent ─▶ log   comments on what leaves
 *
 * A packet that waits for its neighbour leaves long after it was routed: comments travel with its value.
 */
import type { Hook } from '../../netfilter/hooks.ts';
import type { NamespaceEvent } from '../../netstack/namespace-events.ts';
import type { Frame } from '../../wire/frame.ts';
import type { Packet } from '../../wire/packet.ts';
import { LINKTYPE } from '../../wire/pcap.ts';
import type { Observation } from '../network/cluster-network.ts';
import type { NetworkPlan } from '../network/network-plan.ts';
import { CaptureLog, type CapturePlace, type LoggedPacket, type Sighting } from './capture-log.ts';
import { commentOf, whoText } from './comment-text.ts';
import { NameBook } from './name-book.ts';

/** What to capture; everything by default. */
export interface CaptureFilter {
  /** Whether frames at this device of this host are kept. */
  readonly device?: (host: string, device: string) => boolean;
  /** Whether packets at this hook of this host are kept. */
  readonly hook?: (host: string, hook: Hook) => boolean;
  /** One more comment on whatever is captured now. */
  readonly note?: () => string | undefined;
}

/** One packet's way through one host: from `receive` or `originate` to its fate. */
interface Story {
  /** What the host says of itself to a packet: it ends with that packet's story. */
  readonly isAnswer: boolean;
  readonly comments: string[];
  /** What was captured of it on the way in, and at hooks: they get every comment that follows. */
  readonly logged: LoggedPacket[];
  /** The hook it is at, while that is captured. */
  atHook: LoggedPacket | undefined;
}

/** What is remembered of one namespace. */
interface Stage {
  readonly stories: Story[];
  /** The last frame that came in and has not been received by the host yet. */
  arriving: { readonly packet: Packet; readonly logged: LoggedPacket } | undefined;
}

interface FrameAtDevice {
  readonly device: string;
  readonly frame: Frame;
}

export class CaptureSession {
  readonly log = new CaptureLog();
  readonly names: NameBook;
  readonly #filter: CaptureFilter;
  readonly #places = new Map<string, CapturePlace>();
  readonly #stages = new Map<string, Stage>();
  /** Comments on packets that were routed and have not left yet. */
  readonly #leaving = new WeakMap<Packet, readonly string[]>();

  constructor(plan: NetworkPlan, filter: CaptureFilter = {}) {
    this.names = new NameBook(plan);
    this.#filter = filter;
  }

  /** Takes note of one observation: `network.observe(session.observe)`. */
  readonly observe = ({ host, time, event }: Observation): void => {
    switch (event.kind) {
      case 'frame-received':
        this.#frameIn(host, time, event);
        return;
      case 'frame-sent':
        this.#frameOut(host, time, event);
        return;
      case 'receive': {
        const { arriving, stories } = this.#stage(host);
        const logged = arriving !== undefined && arriving.packet === event.packet ? [arriving.logged] : [];
        stories.push({ isAnswer: false, comments: [], logged, atHook: undefined });
        this.#stage(host).arriving = undefined;
        return;
      }
      case 'originate':
        this.#stage(host).stories.push({
          isAnswer: event.answers !== undefined,
          comments: [],
          logged: [],
          atHook: undefined,
        });
        return;
      case 'hook':
        this.#hook(host, time, event);
        return;
      case 'transmit':
        this.#leaving.set(event.packet, [...(this.#story(host)?.comments ?? [])]);
        return;
      default:
        this.#comment(host, event);
    }
  };

  #stage(host: string): Stage {
    const known = this.#stages.get(host);
    if (known !== undefined) return known;
    const stage: Stage = { stories: [], arriving: undefined };
    this.#stages.set(host, stage);
    return stage;
  }

  #story(host: string): Story | undefined {
    return this.#stage(host).stories.at(-1);
  }

  #place(name: string, linkType: CapturePlace['linkType']): CapturePlace {
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const place = { name, linkType };
    this.#places.set(name, place);
    return place;
  }

  #who(packet: Packet): string[] {
    return [this.#filter.note?.(), whoText(packet, this.names)].flatMap((text) => text ?? []);
  }

  #frameIn(host: string, time: number, event: FrameAtDevice): void {
    const logged = this.#frame(host, event, { time, direction: 'inbound' });
    const { payload } = event.frame;
    if (payload.kind === 'ip' && logged !== undefined) {
      this.#stage(host).arriving = { packet: payload.packet, logged };
    }
  }

  #frameOut(host: string, time: number, event: FrameAtDevice): void {
    const { payload } = event.frame;
    const comments = payload.kind === 'ip' ? (this.#leaving.get(payload.packet) ?? []) : [];
    this.#frame(host, event, { time, direction: 'outbound', comments });
  }

  /** Keeps a frame, unless the filter leaves its device out; who speaks stands before the comments given. */
  #frame(host: string, { device, frame }: FrameAtDevice, sighting: Sighting): LoggedPacket | undefined {
    if (this.#filter.device?.(host, device) === false) return undefined;
    const who = frame.payload.kind === 'ip' ? this.#who(frame.payload.packet) : [];
    const place = this.#place(`${host}:${device}`, LINKTYPE.ethernet);
    return this.log.frame(place, frame, { ...sighting, comments: [...who, ...(sighting.comments ?? [])] });
  }

  #hook(host: string, time: number, event: Extract<NamespaceEvent, { kind: 'hook' }>): void {
    const story = this.#story(host);
    if (story !== undefined) story.atHook = undefined;
    if (this.#filter.hook?.(host, event.hook) === false) return;
    const place = this.#place(`${host} nf:${event.hook}`, LINKTYPE.raw);
    const logged = this.log.packet(place, event.packet, { time, comments: this.#who(event.packet) });
    if (story !== undefined) story.atHook = logged;
  }

  #comment(host: string, event: NamespaceEvent): void {
    const { stories } = this.#stage(host);
    if (event.kind === 'fate') while (stories.at(-1)?.isAnswer === true) stories.pop();
    const story = stories.at(-1);
    const comment = commentOf(event);
    if (story !== undefined && comment !== undefined && story.comments.at(-1) !== comment) {
      story.comments.push(comment);
      for (const logged of story.logged) logged.comments.push(comment);
      story.atHook?.comments.push(comment);
    }
    if (event.kind === 'fate') stories.pop();
  }

  /** Everything as a pcapng file, with the names of the addresses that occur in hosts and Services. */
  toPcapng(): Uint8Array {
    return this.log.toPcapng(this.names.all());
  }
}
