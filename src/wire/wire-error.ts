/** Bytes that are not a packet (or not a capture file): what is wrong, and where. */
export class WireError extends Error {
  override readonly name = 'WireError';
  /** Bytes from the start of the buffer that was handed in. */
  readonly offset: number;

  /** `message` says what was found and what was expected; the offset is appended to it. */
  constructor(message: string, offset: number) {
    super(`${message} at byte ${offset}`);
    this.offset = offset;
  }
}
