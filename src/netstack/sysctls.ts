/** The sysctls of one namespace, by dotted name. */
export class SysctlTable {
  readonly #values = new Map<string, string>();

  constructor(values: Readonly<Record<string, string | number>> = {}) {
    for (const [name, value] of Object.entries(values)) this.set(name, value);
  }

  /** `sysctl -w NAME=VALUE`. */
  set(name: string, value: string | number): void {
    this.#values.set(name, String(value));
  }

  /** What was set; undefined when nothing was. */
  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** As a number; `fallback` when it was not set or is none. */
  number(name: string, fallback: number): number {
    const text = this.#values.get(name);
    const value = text === undefined ? Number.NaN : Number(text);
    return Number.isFinite(value) ? value : fallback;
  }

  /** Every value that was set. */
  entries(): ReadonlyMap<string, string> {
    return this.#values;
  }
}
