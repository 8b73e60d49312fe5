/** Names of addresses, as tools ask for them that print names beside numbers. */
import { formatIpAddress, type IpAddress } from '../../wire/ip-address.ts';
import { askOverUdp, type ExchangeResult, queryFor } from '../apps/dns/dns-exchange.ts';
import { resolverOptions } from '../apps/dns/resolv-conf.ts';
import { reverseNameOf } from '../apps/dns/reverse-name.ts';
import { passTime, type ToolContext } from './tool.ts';

export class ReverseLookup {
  readonly #context: ToolContext;
  readonly #known = new Map<string, string>();

  constructor(context: ToolContext) {
    this.#context = context;
  }

  /** The name of `address`, or its text when it has none; asks once, while virtual time passes. */
  nameOf(address: IpAddress): string {
    const text = formatIpAddress(address);
    const known = this.#known.get(text) ?? this.#ask(address) ?? text;
    this.#known.set(text, known);
    return known;
  }

  #ask(address: IpAddress): string | undefined {
    const { resolver, scheduler, namespace } = this.#context;
    const { timeout } = resolverOptions(resolver.conf);
    const { sockets } = namespace;
    for (const server of resolver.conf.nameservers) {
      let result: ExchangeResult | undefined;
      const query = queryFor(reverseNameOf(address), 'PTR', sockets.network.random.below(0x10000));
      askOverUdp(sockets, [query], {
        options: { server, timeout },
        done: (exchange) => {
          result = exchange;
        },
      });
      passTime(scheduler, () => result === undefined);
      const [answer] = result?.answers ?? [];
      const record = answer?.answers.find((each) => each.type === 'PTR');
      if (answer !== undefined) return record?.type === 'PTR' ? record.target : undefined;
    }
    return undefined;
  }
}
