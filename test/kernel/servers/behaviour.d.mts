/** What is said to the first bytes of a client, and what is done with the connection then. */
export interface Behaviour {
  readonly port: number;
  readonly says: string;
  readonly then: 'wait' | 'close' | 'reset';
}

export const BEHAVIOURS: readonly Behaviour[];

/** The answer to a DNS query; undefined: silence. */
export function answerName(query: Uint8Array): Uint8Array | undefined;
