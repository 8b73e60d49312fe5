/** Container engines and the CNI plugins: published ports, isolation, masquerade. */
import type { ForeignFates } from './foreign-fates.ts';

export const CONTAINER_FATES: readonly ForeignFates[] = [
  {
    program: 'docker',
    packets: [
      [
        'a published port',
        'eth0 tcp 198.51.100.7:40000 > 192.0.2.10:8080',
        'forwarded docker0 198.51.100.7:40000 > 172.17.0.2:80',
      ],
      [
        'a published port on another network',
        'eth0 tcp 198.51.100.7:40001 > 192.0.2.10:8443',
        'forwarded br-app 198.51.100.7:40001 > 172.20.0.2:443',
      ],
      [
        'a published UDP port',
        'eth0 udp 198.51.100.7:40000 > 192.0.2.10:5353',
        'forwarded br-app 198.51.100.7:40000 > 172.20.0.2:53',
      ],
      [
        'a port published on 127.0.0.1 only',
        'eth0 tcp 198.51.100.7:40002 > 192.0.2.10:9090',
        'delivered 198.51.100.7:40002 > 192.0.2.10:9090',
      ],
      [
        'a container goes out',
        'docker0 tcp 172.17.0.2:50000 > 203.0.113.9:443',
        'forwarded eth0 192.0.2.10:50000 > 203.0.113.9:443',
      ],
      ['networks are isolated', 'docker0 tcp 172.17.0.2:50001 > 172.20.0.2:443', 'dropped rule'],
      ['and in the other direction', 'br-app tcp 172.20.0.2:50001 > 172.17.0.2:80', 'dropped rule'],
      ['an internal network has no way out', 'br-db tcp 172.21.0.2:50000 > 203.0.113.9:443', 'dropped rule'],
      ['nor one in', 'eth0 tcp 198.51.100.7:40003 > 172.21.0.2:5432', 'dropped rule'],
      [
        'a published port by the address of the container',
        'eth0 tcp 198.51.100.7:40004 > 172.17.0.2:80',
        'forwarded docker0 198.51.100.7:40004 > 172.17.0.2:80',
      ],
      ['another port of the container', 'eth0 tcp 198.51.100.7:40005 > 172.17.0.2:22', 'dropped policy'],
      [
        'a container to the published port of itself',
        'docker0 tcp 172.17.0.2:50002 > 192.0.2.10:8080',
        'delivered 172.17.0.2:50002 > 192.0.2.10:8080',
      ],
      [
        'a container to the published port of another network',
        'br-app tcp 172.20.0.2:50003 > 192.0.2.10:8080',
        'delivered 172.20.0.2:50003 > 192.0.2.10:8080',
      ],
      [
        'the host to a published port',
        'local tcp 192.0.2.10:60000 > 192.0.2.10:8080',
        'sent docker0 192.0.2.10:60000 > 172.17.0.2:80',
      ],
      [
        'the host to the port on 127.0.0.1',
        'local tcp 127.0.0.1:60001 > 127.0.0.1:9090',
        'delivered 127.0.0.1:60001 > 127.0.0.1:9090',
      ],
      [
        'IPv6: a published port',
        'eth0 tcp [2001:db8:1::7]:40000 > [2001:db8::10]:8080',
        'forwarded docker0 [2001:db8:1::7]:40000 > [fd00:d0c::242:ac11:2]:80',
      ],
      [
        'IPv6: a container goes out',
        'docker0 tcp [fd00:d0c::242:ac11:2]:50000 > [2001:db8:2::9]:443',
        'forwarded eth0 [2001:db8::10]:50000 > [2001:db8:2::9]:443',
      ],
      [
        'IPv6: networks are isolated',
        'docker0 tcp [fd00:d0c::242:ac11:2]:50001 > [fd00:20::2]:443',
        'dropped rule',
      ],
    ],
  },
  {
    program: 'cni-portmap',
    packets: [
      [
        'a host port',
        'eth0 tcp 172.18.0.9:40000 > 172.18.0.2:8080',
        'forwarded cni0 172.18.0.9:40000 > 10.88.0.2:80',
      ],
      [
        'a UDP host port',
        'eth0 udp 172.18.0.9:40000 > 172.18.0.2:5353',
        'forwarded cni0 172.18.0.9:40000 > 10.88.0.2:53',
      ],
      [
        'a host port on one address',
        'eth0 tcp 172.18.0.9:40001 > 172.18.0.2:9443',
        'forwarded cni0 172.18.0.9:40001 > 10.88.0.3:443',
      ],
      [
        'not on another',
        'local tcp 10.88.0.1:40001 > 10.88.0.1:9443',
        'delivered 10.88.0.1:40001 > 10.88.0.1:9443',
      ],
      [
        'hairpin: a container to its own host port',
        'cni0 tcp 10.88.0.2:50000 > 172.18.0.2:8080',
        'forwarded cni0 10.88.0.1:50000 > 10.88.0.2:80',
      ],
      [
        'the host to the host port',
        'local tcp 172.18.0.2:60000 > 172.18.0.2:8080',
        'sent cni0 172.18.0.2:60000 > 10.88.0.2:80',
      ],
      [
        'a container goes out',
        'cni0 tcp 10.88.0.2:50001 > 203.0.113.9:443',
        'forwarded eth0 172.18.0.2:50001 > 203.0.113.9:443',
      ],
      [
        'within the network',
        'cni0 tcp 10.88.0.2:50002 > 10.88.0.3:443',
        'forwarded cni0 10.88.0.2:50002 > 10.88.0.3:443',
      ],
      [
        'no such host port',
        'eth0 tcp 172.18.0.9:40002 > 172.18.0.2:8081',
        'delivered 172.18.0.9:40002 > 172.18.0.2:8081',
      ],
    ],
  },
  {
    program: 'libvirt',
    packets: [
      [
        'a guest behind NAT goes out',
        'virbr0 tcp 192.168.122.5:50000 > 203.0.113.9:443',
        'forwarded eth0 192.0.2.10:50000 > 203.0.113.9:443',
      ],
      ['with ping too', 'virbr0 icmp 192.168.122.5 > 203.0.113.9', 'forwarded eth0 192.0.2.10 > 203.0.113.9'],
      ['nobody comes in', 'eth0 tcp 198.51.100.7:40000 > 192.168.122.5:22', 'rejected icmp-3-3 via eth0'],
      [
        'a routed guest goes out as it is',
        'virbr1 tcp 10.99.0.5:50000 > 203.0.113.9:443',
        'forwarded eth0 10.99.0.5:50000 > 203.0.113.9:443',
      ],
      [
        'and can be reached',
        'eth0 tcp 198.51.100.7:40001 > 10.99.0.5:22',
        'forwarded virbr1 198.51.100.7:40001 > 10.99.0.5:22',
      ],
      [
        'an isolated guest cannot go out',
        'virbr2 tcp 10.98.0.5:50000 > 203.0.113.9:443',
        'rejected icmp-3-3 via virbr2',
      ],
      ['nor be reached', 'eth0 tcp 198.51.100.7:40002 > 10.98.0.5:22', 'rejected icmp-3-3 via eth0'],
      [
        'a guest asks the host for names',
        'virbr0 udp 192.168.122.5:50001 > 192.168.122.1:53',
        'delivered 192.168.122.5:50001 > 192.168.122.1:53',
      ],
      [
        'guests of different networks',
        'virbr0 tcp 192.168.122.5:50002 > 10.98.0.5:22',
        'rejected icmp-3-3 via virbr0',
      ],
      [
        'guests of the same network',
        'virbr0 tcp 192.168.122.5:50003 > 192.168.122.6:22',
        'forwarded virbr0 192.168.122.5:50003 > 192.168.122.6:22',
      ],
      [
        'a guest asks a name server outside',
        'virbr0 udp 192.168.122.5:5353 > 203.0.113.9:53',
        'forwarded eth0 192.0.2.10:5353 > 203.0.113.9:53',
      ],
    ],
  },
];
