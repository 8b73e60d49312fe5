/** Istio's sidecar: redirection, and where it depends on what the engine does not know. */
import type { ForeignFates } from './foreign-fates.ts';

export const SIDECAR_FATES: readonly ForeignFates[] = [
  {
    program: 'istio',
    packets: [
      [
        'inbound goes to the sidecar',
        'eth0 tcp 10.244.2.7:40000 > 10.244.1.5:8080',
        'delivered 10.244.2.7:40000 > 10.244.1.5:15006',
      ],
      [
        'but not its own ports',
        'eth0 tcp 10.244.2.7:40001 > 10.244.1.5:15090',
        'delivered 10.244.2.7:40001 > 10.244.1.5:15090',
      ],
      [
        'nor UDP',
        'eth0 udp 10.244.2.7:40000 > 10.244.1.5:9000',
        'delivered 10.244.2.7:40000 > 10.244.1.5:9000',
      ],
      [
        'outbound depends on the owner of the socket',
        'local tcp 10.244.1.5:50000 > 10.96.0.20:80',
        'unknown unsupported: -m owner',
      ],
      ['so does DNS', 'local udp 10.244.1.5:50000 > 10.96.0.10:53', 'unknown unsupported: -m owner'],
      [
        'answers of Envoy to itself',
        'local tcp 127.0.0.6:50001 > 127.0.0.1:8080',
        'delivered 127.0.0.6:50001 > 127.0.0.1:8080',
      ],
      [
        'IPv6: inbound goes to the sidecar',
        'eth0 tcp [fd00:10:244:2::7]:40000 > [fd00:10:244:1::5]:8080',
        'delivered [fd00:10:244:2::7]:40000 > [fd00:10:244:1::5]:15006',
      ],
    ],
  },
  {
    program: 'istio-tproxy',
    packets: [
      [
        'inbound meets TPROXY',
        'eth0 tcp 10.244.2.7:40000 > 10.244.1.5:8080',
        'unknown unsupported: -j TPROXY',
      ],
      [
        'but not its own ports',
        'eth0 tcp 10.244.2.7:40001 > 10.244.1.5:15021',
        'delivered 10.244.2.7:40001 > 10.244.1.5:15021',
      ],
      [
        'nor UDP',
        'eth0 udp 10.244.2.7:40000 > 10.244.1.5:9000',
        'delivered 10.244.2.7:40000 > 10.244.1.5:9000',
      ],
    ],
  },
];
