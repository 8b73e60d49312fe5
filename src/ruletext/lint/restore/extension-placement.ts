/** Where extensions that are kept as text may stand (the tables and hooks in the kernel's xt_match and xt_target). */
import type { Match } from '../../../netfilter/match.ts';
import type { Target } from '../../../netfilter/target.ts';
import type { Placement } from '../../placement.ts';

const WITH_SOURCE = ['PREROUTING', 'INPUT', 'FORWARD'];
const WITH_OUTPUT = ['FORWARD', 'OUTPUT', 'POSTROUTING'];

type Place = Omit<Placement, 'what'>;

const MATCHES: Readonly<Record<string, Place>> = {
  cgroup: { chains: ['INPUT', 'OUTPUT', 'POSTROUTING'] },
  mac: { chains: WITH_SOURCE },
  osf: { chains: WITH_SOURCE },
  owner: { chains: ['OUTPUT', 'POSTROUTING'] },
  rpfilter: { tables: ['raw', 'mangle'], chains: ['PREROUTING'] },
  socket: { chains: ['PREROUTING', 'INPUT'] },
};

const TARGETS: Readonly<Record<string, Place>> = {
  CLASSIFY: { tables: ['mangle'], chains: WITH_OUTPUT },
  CONNSECMARK: { tables: ['mangle', 'security'] },
  DNPT: { tables: ['mangle'] },
  ECN: { tables: ['mangle'] },
  NETMAP: { tables: ['nat'] },
  SECMARK: { tables: ['mangle', 'security'] },
  SNPT: { tables: ['mangle'] },
  SYNPROXY: { tables: ['filter'], chains: ['INPUT', 'FORWARD'] },
  TCPOPTSTRIP: { tables: ['mangle'] },
  TPROXY: { tables: ['mangle'], chains: ['PREROUTING'] },
};

/** Directions that the options of a match ask about, each with the chains where a packet has one. */
function directedPlace(name: string, text: string): Place | undefined {
  if (name === 'policy') {
    return { chains: /--dir[= ]+out/.test(text) ? WITH_OUTPUT : WITH_SOURCE };
  }
  if (name === 'devgroup') {
    const chains = WITH_SOURCE.concat(WITH_OUTPUT).filter(
      (chain) =>
        (!text.includes('--src-group') || WITH_SOURCE.includes(chain)) &&
        (!text.includes('--dst-group') || WITH_OUTPUT.includes(chain)),
    );
    return { chains };
  }
  return undefined;
}

/** Where `use` may stand when it is kept as text; undefined: anywhere. */
export function extensionPlacement(use: Match | Target): Placement | undefined {
  if (use.kind !== 'unknown') return undefined;
  const match = MATCHES[use.name] ?? directedPlace(use.name, use.text);
  if (match !== undefined) return { what: `-m ${use.name}`, ...match };
  const target = TARGETS[use.name];
  return target === undefined ? undefined : { what: `-j ${use.name}`, ...target };
}
