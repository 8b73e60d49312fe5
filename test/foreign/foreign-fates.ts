/** What a table of packets says of one program's rules. */
export interface ForeignFates {
  readonly program: string;
  /** What is shown, the packet, its fate; see packet-text.ts. The packets of one list share a conntrack table. */
  readonly packets: readonly (readonly [shows: string, packet: string, fate: string])[];
}
