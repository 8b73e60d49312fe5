/**
 * The IP sets behind the rules: the pods that the selectors of a rule choose (hash:ip), pods together with
 * what a named port stands for on each (hash:ip,port), and blocks with exceptions (hash:net, `nomatch`).
 */
import { formatAddress } from '../../ruletext/address-text.ts';
import { familyOf, type IpFamily, ipv6 } from '../../wire/ip-address.ts';
import { formatIpPrefix, type IpPrefix } from '../../wire/ip-prefix.ts';
import { setName } from './names.ts';
import { type PeerPods, peerKey } from './peer-pods.ts';
import { type PolicyPeer, type PolicyProtocol, type PolicyRule, policyName } from './policy.ts';

/** One set of one family, as `ipset restore` takes it. */
export interface AddressSet {
  readonly name: string;
  readonly text: string;
}

type SetType = 'hash:ip' | 'hash:ip,port' | 'hash:net';
type IpBlock = NonNullable<PolicyPeer['ipBlock']>;

/** ipset's own limit when none is given. */
const DEFAULT_MAXELEM = 65536;

function setText(name: string, type: SetType, family: IpFamily, elements: readonly string[]): string {
  const inet = family === 'ipv4' ? 'inet' : 'inet6';
  const most = Math.max(DEFAULT_MAXELEM, 2 ** Math.ceil(Math.log2(elements.length + 1)));
  const lines = elements.map((element) => `add ${name} ${element}\n`);
  return `create ${name} ${type} family ${inet} hashsize 1024 maxelem ${most}\n${lines.join('')}`;
}

/** The two halves of everything: ipset takes no network of length 0. */
function halves({ address }: IpPrefix): IpPrefix[] {
  const upper = typeof address === 'number' ? 0x80000000 : ipv6(0x80000000, 0, 0, 0);
  return [
    { address, length: 1 },
    { address: upper, length: 1 },
  ];
}

function blockElements({ cidr, except }: IpBlock): string[] {
  const whole = cidr.length === 0 ? halves(cidr) : [cidr];
  const excepted = [...new Set(except.map(formatIpPrefix))];
  const kept = whole.map(formatIpPrefix).filter((text) => !excepted.includes(text));
  return [...kept, ...excepted.map((text) => `${text} nomatch`)];
}

/** Makes sets, each once, and remembers them by name. */
export class AddressSets {
  readonly #peers: PeerPods;
  /** By family and key: the name is a hash of them. */
  readonly #sets = new Map<string, AddressSet>();
  /** Those of rules, by family and the rule's place. */
  readonly #ofRules = new Map<string, AddressSet>();

  constructor(peers: PeerPods) {
    this.#peers = peers;
  }

  #set(family: IpFamily, key: string, type: SetType, elements: () => readonly string[]): AddressSet {
    const known = this.#sets.get(`${family} ${key}`);
    if (known !== undefined) return known;
    const name = setName(family, key);
    const set = { name, text: setText(name, type, family, [...new Set(elements())]) };
    this.#sets.set(`${family} ${key}`, set);
    return set;
  }

  /** The addresses in `family` of the pods that the selectors among the rule's peers choose. */
  ofPods(rule: PolicyRule, family: IpFamily): AddressSet {
    const place = `${family} ${policyName(rule.policy)} ${rule.direction} ${rule.index}`;
    const set = this.#ofRules.get(place) ?? this.#makeOfPods(rule, family);
    this.#ofRules.set(place, set);
    return set;
  }

  #makeOfPods({ policy, peers }: PolicyRule, family: IpFamily): AddressSet {
    const { namespace } = policy.metadata;
    const selectors = peers.filter(({ ipBlock }) => ipBlock === undefined);
    const keys = selectors.map((peer) => peerKey(peer, namespace)).sort();
    return this.#set(family, keys.join(' or '), 'hash:ip', () =>
      selectors
        .flatMap((peer) => this.#peers.chosenBy(peer, namespace))
        .flatMap(({ addresses }) => addresses)
        .filter((address) => familyOf(address) === family)
        .map(formatAddress),
    );
  }

  /** `block`, with its exceptions. */
  ofBlock(block: IpBlock): AddressSet {
    const family = familyOf(block.cidr.address);
    const except = block.except.map(formatIpPrefix).sort().join(' ');
    return this.#set(family, `block ${formatIpPrefix(block.cidr)} except ${except}`, 'hash:net', () =>
      blockElements(block),
    );
  }

  /** Where the peers of `rule` listen on the container port called `name`: addresses with port numbers. */
  ofNamedPort(
    rule: PolicyRule,
    port: { name: string; protocol: PolicyProtocol },
    family: IpFamily,
  ): AddressSet {
    const { namespace } = rule.policy.metadata;
    const { name, protocol } = port;
    const key = `port ${protocol} ${name} of ${policyName(rule.policy)} ${rule.index}`;
    return this.#set(family, key, 'hash:ip,port', () =>
      this.#peers
        .addressesMeant(rule.peers, namespace)
        .filter(({ address }) => familyOf(address) === family)
        .flatMap(({ pod, address }) =>
          pod.ports
            .filter((declared) => declared.name === name && declared.protocol === protocol)
            .map(
              ({ containerPort }) => `${formatAddress(address)},${protocol.toLowerCase()}:${containerPort}`,
            ),
        ),
    );
  }
}
