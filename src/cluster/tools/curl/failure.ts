/** How a transfer of curl fails. */

/** The exit codes of curl that occur here. */
export const CODE = {
  resolve: 6,
  connect: 7,
  partial: 18,
  http: 22,
  timeout: 28,
  empty: 52,
  receive: 56,
} as const;

/** curl's exit code and what stands behind it in `curl: (CODE) MESSAGE`. */
export interface Failure {
  readonly code: number;
  readonly message: string;
}
