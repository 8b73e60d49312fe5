/** Failures that people meet, each set up by a topology alone, and the symptom that falls out of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderText } from '../../src/cli/trace/render-text.ts';
import { loadCluster } from '../../src/cluster/load.ts';
import { traceCluster } from '../../src/cluster/trace/trace.ts';
import { parseFrom, parseTo } from '../../src/cluster/trace/who.ts';

const DIRECTORY = join(import.meta.dirname, '../../topologies/failures');

interface Situation {
  readonly failure: string | undefined;
  readonly from: string;
  readonly to: string;
  /** What every outcome of the random choices says, in any order. */
  readonly says: readonly RegExp[];
}

const DELIVERED = /^Delivered and answered\./;

const SITUATIONS: readonly Situation[] = [
  { failure: undefined, from: 'pod/default/client', to: 'svc/default/near', says: [DELIVERED] },
  { failure: undefined, from: 'pod/default/web-1', to: 'svc/default/web', says: [DELIVERED, DELIVERED] },
  {
    failure: 'no-endpoints',
    from: 'pod/default/client',
    to: 'svc/default/typo',
    says: [/ICMP port unreachable .*"connection refused".* spec\.selector app=wbe matches no pod/],
  },
  {
    failure: 'no-endpoints',
    from: 'pod/default/client',
    to: 'svc/default/wrong-port',
    says: [
      /web-1 on kind-worker: it answers with a TCP reset/,
      /web-2 on kind-worker2: it answers with a TCP reset/,
    ],
  },
  {
    failure: 'no-endpoints',
    from: 'pod/default/client',
    to: 'svc/default/wrong-name',
    says: [/ICMP port unreachable .*no container of the selected pods has a port for targetPort "https"/],
  },
  {
    failure: 'no-endpoints',
    from: 'pod/default/client',
    to: 'svc/default/web:81',
    says: [/Dropped in silence by router .*has no port 81\/TCP/],
  },
  {
    failure: 'local-black-hole',
    from: 'host/laptop',
    to: 'node/kind-control-plane:30080',
    says: [
      /Dropped in silence by node\/kind-control-plane \(rule\).*externalTrafficPolicy: Local and no usable endpoint/,
    ],
  },
  {
    failure: 'local-black-hole',
    from: 'host/laptop',
    to: 'node/kind-worker:30080',
    says: [/^Delivered and answered\..*the server sees the client's own address/],
  },
  {
    failure: 'bridge-skips-iptables',
    from: 'pod/default/client',
    to: 'svc/default/near',
    says: [
      /the answer came from 10\.244\.1\.11 while the client had asked 10\.96\.0\.50: it was not translated back/,
    ],
  },
  {
    failure: 'bridge-skips-iptables',
    from: 'pod/default/client',
    to: 'pod/default/web-2:8080',
    says: [DELIVERED],
  },
  {
    failure: 'hairpin-off',
    from: 'pod/default/web-1',
    to: 'svc/default/web',
    says: [DELIVERED, /^Lost at node\/kind-worker .*\(bridge-same-port\).*hairpin_mode is off/],
  },
  {
    failure: 'rp-filter',
    from: 'host/laptop',
    to: 'node/kind-worker:10250',
    says: [/Dropped in silence by node\/kind-worker \(rp_filter\)/],
  },
  {
    failure: 'forward-drop',
    from: 'pod/default/client',
    to: 'pod/default/web-2:8080',
    says: [/Dropped in silence by node\/kind-worker2 \(policy\)/],
  },
  {
    failure: 'two-rule-sets',
    from: 'pod/default/client',
    to: 'pod/default/web-2:8080',
    says: [/Dropped in silence by node\/kind-worker2 \(policy\)/],
  },
  {
    failure: 'two-rule-sets',
    from: 'pod/default/web-2',
    to: 'pod/default/web-1:8080',
    says: [/Dropped in silence by node\/kind-worker2 \(policy\)/],
  },
  {
    failure: 'two-rule-sets',
    from: 'pod/default/client',
    to: 'svc/default/near',
    says: [DELIVERED],
  },
  {
    failure: 'forwarding-off',
    from: 'pod/default/client',
    to: 'pod/default/web-2:8080',
    says: [/Dropped in silence by node\/kind-worker2 \(forwarding-off\)/],
  },
];

describe('failures by topology', () => {
  it.each(SITUATIONS)('$failure: $from to $to', ({ failure, from, to, says }) => {
    const files = ['cluster', ...(failure === undefined ? [] : [failure])].map((name) => `${name}.yaml`);
    const cluster = loadCluster(
      files.map((file) => ({ file, text: readFileSync(join(DIRECTORY, file), 'utf8') })),
    );
    const report = traceCluster(cluster, {
      from: parseFrom(from),
      to: parseTo(to),
      sport: 40_000,
      seed: 1,
      reply: true,
      explore: true,
    });
    const text = renderText(report, { colour: false });
    const said = (report.outcomes ?? []).map(({ explanation }) => explanation);
    for (const pattern of says)
      expect(
        said.some((sentence) => pattern.test(sentence)),
        `${pattern}\n${text}`,
      ).toBe(true);
    expect(
      said.every((sentence) => says.some((pattern) => pattern.test(sentence))),
      text,
    ).toBe(true);
  });
});
