/**
 * The one error for bad input. Whoever reads a file throws it; `cli` prints it as
 * `FILE:LINE: MESSAGE` on one line and exits 2.
 */
export class InputError extends Error {
  override readonly name = 'InputError';
  /** The file as the user named it (`-` is standard input); absent when the input is a flag's value. */
  readonly file: string | undefined;
  /** From 1; absent when the file as a whole is meant. */
  readonly line: number | undefined;

  /** `message` says what was found and what was expected, in one line. */
  constructor(
    message: string,
    where: { readonly file?: string | undefined; readonly line?: number | undefined } = {},
  ) {
    super(message);
    this.file = where.file;
    this.line = where.line;
  }

  /** `FILE:LINE: message`, as far as known. */
  describe(): string {
    const place = [this.file, this.line].filter((part) => part !== undefined).join(':');
    return place === '' ? this.message : `${place}: ${this.message}`;
  }
}
