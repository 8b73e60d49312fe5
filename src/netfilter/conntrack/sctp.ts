/** What conntrack remembers of an SCTP association. */
export interface SctpTrack {
  established: boolean;
}
