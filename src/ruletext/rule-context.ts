/** What the reader of an option needs to know about the line it stands on, and how it complains. */
import type { TableName } from '../netfilter/rule-set.ts';
import { InputError } from '../sim/input-error.ts';
import type { IpFamily } from '../wire/ip-address.ts';

/** One line being read. A single mutable value is reused over a file's lines. */
export class RuleContext {
  readonly family: IpFamily;
  readonly file: string | undefined;
  table: TableName = 'filter';
  line = 0;
  /** Of `-p` so far on this line; undefined without one. */
  protocol: { readonly number: number; readonly negate: boolean } | undefined;

  constructor(options: {
    readonly family: IpFamily;
    readonly file?: string | undefined;
  }) {
    this.family = options.family;
    this.file = options.file;
  }

  /** The error for this line; `message` says what was found and what was expected. */
  error(message: string, line: number = this.line): InputError {
    return new InputError(message, { file: this.file, line });
  }

  /** Throws `error(message)`, where only an expression fits. */
  fail(message: string): never {
    throw this.error(message);
  }
}
