/** DNS over TCP: each message behind its length in two bytes (RFC 1035 §4.2.2). */
import { read16, write16 } from '../../../wire/byte-order.ts';

/** `message` with its length before it. */
export function withLength(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(message.length + 2);
  write16(bytes, 0, message.length);
  bytes.set(message, 2);
  return bytes;
}

/** Takes messages out of a stream. */
export class StreamReader {
  readonly #onMessage: (message: Uint8Array) => void;
  #pending = new Uint8Array(0);

  constructor(onMessage: (message: Uint8Array) => void) {
    this.#onMessage = onMessage;
  }

  feed(data: Uint8Array): void {
    const all = new Uint8Array(this.#pending.length + data.length);
    all.set(this.#pending);
    all.set(data, this.#pending.length);
    let at = 0;
    while (all.length - at >= 2) {
      const end = at + 2 + read16(all, at);
      if (end > all.length) break;
      this.#onMessage(all.slice(at + 2, end));
      at = end;
    }
    this.#pending = all.slice(at);
  }
}
