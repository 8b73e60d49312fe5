/**
 * The names of what NetworkPolicies program. Every one is stable: it changes when what it stands for becomes
 * another thing, not when pods come and go.
 *
 * | name                    | stands for                                                                |
 * |-------------------------|---------------------------------------------------------------------------|
 * | `KWNP-FORWARD`          | where FORWARD enters; one jump for each isolated pod and direction        |
 * | `KWNP-I-` + 16 letters  | what may reach one pod: hash of `ingress NAMESPACE/NAME`                  |
 * | `KWNP-E-` + 16 letters  | what one pod may reach: hash of `egress NAMESPACE/NAME`                   |
 * | `KWNP4-`, `KWNP6-` + 16 | a set of addresses of the family: hash of the selectors or the block      |
 *
 * The 16 letters are the first base32 characters of a SHA-256, as in kube-proxy's chains.
 */
import type { IpFamily } from '../../wire/ip-address.ts';
import { base32Hash } from '../hash-names.ts';
import type { PolicyDirection } from './policy.ts';

export const POLICY_CHAIN = 'KWNP-FORWARD';

const HASH_LENGTH = 16;

/** The chain of `pod` in `direction`. */
export function podChain(
  direction: PolicyDirection,
  pod: { readonly namespace: string; readonly name: string },
): string {
  const letter = direction === 'ingress' ? 'I' : 'E';
  return `KWNP-${letter}-${base32Hash(`${direction} ${pod.namespace}/${pod.name}`, HASH_LENGTH)}`;
}

/** The set in `family` of what `key` describes. */
export function setName(family: IpFamily, key: string): string {
  return `KWNP${family === 'ipv4' ? 4 : 6}-${base32Hash(key, HASH_LENGTH)}`;
}

/** iptables keeps 255 bytes of a comment. */
const MAX_COMMENT = 255;

/** `subject: detail`, the subject cut (it may be a name of 317 characters) so that the whole fits a comment. */
export function commentText(subject: string, detail: string): string {
  const room = MAX_COMMENT - detail.length - 2;
  const shown = subject.length <= room ? subject : `${subject.slice(0, room - 3)}...`;
  return `${shown}: ${detail}`;
}
