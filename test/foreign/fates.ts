/** What hosts do with packets under other programs' rules: the promise of each program, packet by packet. */
export interface ForeignFates {
  readonly program: string;
  /** What is shown, the packet, its fate; see packet-text.ts. The packets of one list share a conntrack table. */
  readonly packets: readonly (readonly [shows: string, packet: string, fate: string])[];
}
export const FATES: readonly ForeignFates[] = [
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
    program: 'flannel',
    packets: [
      [
        'pod to pod of another node',
        'cni0 tcp 10.244.1.5:50000 > 10.244.2.7:80',
        'forwarded flannel.1 10.244.1.5:50000 > 10.244.2.7:80',
      ],
      [
        'pod of another node to pod',
        'flannel.1 tcp 10.244.2.7:50000 > 10.244.1.5:80',
        'forwarded cni0 10.244.2.7:50000 > 10.244.1.5:80',
      ],
      [
        'pod to the world',
        'cni0 tcp 10.244.1.5:50001 > 203.0.113.9:443',
        'forwarded eth0 172.18.0.2:random > 203.0.113.9:443',
      ],
      [
        'the world to a pod',
        'eth0 tcp 172.18.0.9:40000 > 10.244.1.5:80',
        'forwarded cni0 172.18.0.9:40000 > 10.244.1.5:80',
      ],
      [
        'the node to a pod of its own',
        'local tcp 10.244.1.1:60000 > 10.244.1.5:80',
        'sent cni0 10.244.1.1:60000 > 10.244.1.5:80',
      ],
      [
        'the node to a pod of another node',
        'local tcp 172.18.0.2:60001 > 10.244.2.7:80',
        'sent flannel.1 10.244.1.0:random > 10.244.2.7:80',
      ],
      [
        'IPv6: pod to the world',
        'cni0 tcp [fd00:10:244:1::5]:50001 > [2001:db8::9]:443',
        'forwarded eth0 [fd00:18::2]:random > [2001:db8::9]:443',
      ],
      [
        'IPv6: pod to pod of another node',
        'cni0 tcp [fd00:10:244:1::5]:50002 > [fd00:10:244:2::7]:80',
        'forwarded flannel.1 [fd00:10:244:1::5]:50002 > [fd00:10:244:2::7]:80',
      ],
    ],
  },
  {
    program: 'calico',
    packets: [
      [
        'a policy lets a port in',
        'eth0 tcp 172.18.0.9:40000 > 192.168.1.5:80',
        'forwarded cali7a1f2c3d4e5 172.18.0.9:40000 > 192.168.1.5:80',
      ],
      ['and no other', 'eth0 tcp 172.18.0.9:40001 > 192.168.1.5:81', 'dropped rule'],
      [
        'a selected pod to the database',
        'tunl0 tcp 192.168.2.9:40000 > 192.168.1.9:5432',
        'forwarded cali9b8c7d6e5f4 192.168.2.9:40000 > 192.168.1.9:5432',
      ],
      ['a pod that is not selected', 'tunl0 tcp 192.168.2.99:40000 > 192.168.1.9:5432', 'dropped rule'],
      [
        'the node to a pod',
        'local tcp 172.18.0.2:60000 > 192.168.1.9:5432',
        'sent cali9b8c7d6e5f4 172.18.0.2:60000 > 192.168.1.9:5432',
      ],
      [
        'the node to a pod of another node',
        'local tcp 172.18.0.2:60001 > 192.168.2.9:80',
        'sent tunl0 192.168.1.0:random > 192.168.2.9:80',
      ],
      ['IPIP from another node', 'eth0 ipip 172.18.0.3 > 172.18.0.2', 'delivered 172.18.0.3 > 172.18.0.2'],
      ['IPIP from elsewhere', 'eth0 ipip 198.51.100.1 > 172.18.0.2', 'dropped rule'],
      [
        'a pod sends',
        'cali7a1f2c3d4e5 tcp 192.168.1.5:50000 > 203.0.113.9:443',
        'unknown unsupported: -m rpfilter',
      ],
      [
        'IPv6: a policy lets a port in',
        'eth0 tcp [fd00:18::9]:40000 > [fd00:c0:0:1::5]:80',
        'forwarded cali7a1f2c3d4e5 [fd00:18::9]:40000 > [fd00:c0:0:1::5]:80',
      ],
      ['IPv6: and no other', 'eth0 tcp [fd00:18::9]:40001 > [fd00:c0:0:1::5]:81', 'dropped rule'],
    ],
  },
  {
    program: 'kube-router',
    packets: [
      [
        'a policy lets a port in',
        'eth0 tcp 172.18.0.9:40000 > 10.42.1.5:80',
        'forwarded kube-bridge 172.18.0.9:40000 > 10.42.1.5:80',
      ],
      ['and rejects another', 'eth0 tcp 172.18.0.9:40001 > 10.42.1.5:81', 'rejected icmp-3-3 via eth0'],
      [
        'a selected pod to the database',
        'eth0 tcp 10.42.2.7:40000 > 10.42.1.6:5432',
        'forwarded kube-bridge 10.42.2.7:40000 > 10.42.1.6:5432',
      ],
      [
        'a pod that is not selected',
        'eth0 tcp 10.42.2.8:40000 > 10.42.1.6:5432',
        'rejected icmp-3-3 via eth0',
      ],
      [
        'pod to pod on the node',
        'kube-bridge tcp 10.42.1.5:50000 > 10.42.1.6:5432',
        'forwarded kube-bridge 10.42.1.5:50000 > 10.42.1.6:5432',
      ],
      [
        'a pod to the world',
        'kube-bridge tcp 10.42.1.6:50001 > 203.0.113.9:443',
        'forwarded eth0 172.18.0.2:random > 203.0.113.9:443',
      ],
      [
        'a pod to another node',
        'kube-bridge tcp 10.42.1.6:50002 > 172.18.0.3:10250',
        'forwarded eth0 10.42.1.6:50002 > 172.18.0.3:10250',
      ],
      [
        'the node to a pod',
        'local tcp 172.18.0.2:60000 > 10.42.1.6:5432',
        'sent kube-bridge 172.18.0.2:60000 > 10.42.1.6:5432',
      ],
      [
        'a Service port',
        'eth0 udp 172.18.0.9:40002 > 10.43.0.10:53',
        'delivered 172.18.0.9:40002 > 10.43.0.10:53',
      ],
      ['not a Service port', 'eth0 udp 172.18.0.9:40003 > 10.43.0.10:54', 'rejected icmp-3-3 via eth0'],
    ],
  },
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
  {
    program: 'kindnet',
    packets: [
      [
        'a pod to the world',
        'veth7f3a2b1c tcp 10.244.1.5:50000 > 203.0.113.9:443',
        'forwarded eth0 172.18.0.3:50000 > 203.0.113.9:443',
      ],
      [
        'a pod to a pod of another node',
        'veth7f3a2b1c tcp 10.244.1.5:50001 > 10.244.2.7:80',
        'forwarded eth0 10.244.1.5:50001 > 10.244.2.7:80',
      ],
      [
        'a pod of another node to a pod',
        'eth0 tcp 10.244.2.7:50000 > 10.244.1.5:80',
        'forwarded veth7f3a2b1c 10.244.2.7:50000 > 10.244.1.5:80',
      ],
      [
        'the node to the world',
        'local tcp 172.18.0.3:60000 > 203.0.113.9:443',
        'sent eth0 172.18.0.3:60000 > 203.0.113.9:443',
      ],
      [
        "Docker's DNS, from the node",
        'local udp 172.18.0.3:60001 > 172.18.0.1:53',
        'delivered 172.18.0.3:60001 > 127.0.0.11:52104',
      ],
      ["Docker's DNS, from a pod", 'veth7f3a2b1c udp 10.244.1.5:50002 > 172.18.0.1:53', 'dropped martian'],
      [
        'the outside to 127.0.0.1 of the node',
        'eth0 tcp 172.18.0.9:40000 > 127.0.0.1:10250',
        'dropped martian',
      ],
      [
        'IPv6: a pod to the world',
        'veth7f3a2b1c tcp [fd00:10:244:1::5]:50000 > [2001:db8::9]:443',
        'forwarded eth0 [fd00:18::3]:50000 > [2001:db8::9]:443',
      ],
    ],
  },
  {
    program: 'cilium',
    packets: [
      [
        'what comes in meets -m socket',
        'eth0 tcp 172.18.0.9:40000 > 172.18.0.2:22',
        'unknown unsupported: -m socket',
      ],
      [
        'the node to the world',
        'local tcp 172.18.0.2:60000 > 203.0.113.9:443',
        'sent eth0 172.18.0.2:60000 > 203.0.113.9:443',
      ],
      [
        'the node to a pod of another node',
        'local tcp 172.18.0.2:60001 > 10.244.2.7:80',
        'sent cilium_host 10.244.1.98:60001 > 10.244.2.7:80',
      ],
      [
        'the node to a pod of its own',
        'local tcp 10.244.1.98:60002 > 10.244.1.7:80',
        'sent lxc8a4f0c2d11 10.244.1.98:60002 > 10.244.1.7:80',
      ],
    ],
  },
  {
    program: 'aws-vpc-cni',
    packets: [
      [
        'a pod to the world',
        'eni2f0a1b3c4d5 tcp 192.168.10.55:50000 > 203.0.113.9:443',
        'forwarded eth0 192.168.10.20:random > 203.0.113.9:443',
      ],
      [
        'a pod within the VPC',
        'eni2f0a1b3c4d5 tcp 192.168.10.55:50001 > 192.168.20.7:80',
        'forwarded eth0 192.168.10.55:50001 > 192.168.20.7:80',
      ],
      [
        'the VPC to a pod',
        'eth0 tcp 192.168.20.7:40000 > 192.168.10.55:80',
        'forwarded eni2f0a1b3c4d5 192.168.20.7:40000 > 192.168.10.55:80',
      ],
      [
        'to the node',
        'eth0 tcp 192.168.20.7:40001 > 192.168.10.20:22',
        'delivered 192.168.20.7:40001 > 192.168.10.20:22',
      ],
    ],
  },
  {
    program: 'ufw',
    packets: [
      [
        'an allowed port',
        'eth0 tcp 198.51.100.7:40000 > 192.0.2.10:22',
        'delivered 198.51.100.7:40000 > 192.0.2.10:22',
      ],
      [
        'allowed from 10/8',
        'eth0 tcp 10.1.2.3:40000 > 192.0.2.10:6443',
        'delivered 10.1.2.3:40000 > 192.0.2.10:6443',
      ],
      ['and from nowhere else', 'eth0 tcp 198.51.100.7:40001 > 192.0.2.10:6443', 'dropped policy'],
      [
        'a UDP port range',
        'eth0 udp 198.51.100.7:40000 > 192.0.2.10:30500',
        'delivered 198.51.100.7:40000 > 192.0.2.10:30500',
      ],
      ['ping', 'eth0 icmp 198.51.100.7 > 192.0.2.10', 'delivered 198.51.100.7 > 192.0.2.10'],
      [
        'a routed port',
        'eth0 tcp 198.51.100.7:40002 > 10.244.1.5:80',
        'forwarded cni0 198.51.100.7:40002 > 10.244.1.5:80',
      ],
      ['no other', 'eth0 tcp 198.51.100.7:40003 > 10.244.1.5:81', 'dropped policy'],
      ['no mail goes out', 'local tcp 192.0.2.10:60000 > 203.0.113.9:25', 'dropped rule'],
      [
        'anything else does',
        'local tcp 192.0.2.10:60001 > 203.0.113.9:443',
        'sent eth0 192.0.2.10:60001 > 203.0.113.9:443',
      ],
      [
        'a limited port, once',
        'eth0 tcp 198.51.100.8:40001 > 192.0.2.10:2222',
        'delivered 198.51.100.8:40001 > 192.0.2.10:2222',
      ],
      [
        'twice',
        'eth0 tcp 198.51.100.8:40002 > 192.0.2.10:2222',
        'delivered 198.51.100.8:40002 > 192.0.2.10:2222',
      ],
      [
        'three times',
        'eth0 tcp 198.51.100.8:40003 > 192.0.2.10:2222',
        'delivered 198.51.100.8:40003 > 192.0.2.10:2222',
      ],
      [
        'four times',
        'eth0 tcp 198.51.100.8:40004 > 192.0.2.10:2222',
        'delivered 198.51.100.8:40004 > 192.0.2.10:2222',
      ],
      [
        'five times',
        'eth0 tcp 198.51.100.8:40005 > 192.0.2.10:2222',
        'delivered 198.51.100.8:40005 > 192.0.2.10:2222',
      ],
      [
        'the sixth is too many',
        'eth0 tcp 198.51.100.8:40006 > 192.0.2.10:2222',
        'rejected icmp-3-3 via eth0',
      ],
      [
        'for this one, not for another',
        'eth0 tcp 198.51.100.9:40006 > 192.0.2.10:2222',
        'delivered 198.51.100.9:40006 > 192.0.2.10:2222',
      ],
      [
        'IPv6: an allowed port',
        'eth0 tcp [2001:db8:1::7]:40000 > [2001:db8::10]:22',
        'unknown unsupported: -m rt',
      ],
      ['IPv6: another', 'eth0 tcp [2001:db8:1::7]:40001 > [2001:db8::10]:80', 'unknown unsupported: -m rt'],
    ],
  },
  {
    program: 'firewalld',
    packets: [
      [
        'an allowed service',
        'eth0 tcp 198.18.5.7:40000 > 192.0.2.10:80',
        'delivered 198.18.5.7:40000 > 192.0.2.10:80',
      ],
      [
        'an allowed port',
        'eth0 tcp 198.18.5.7:40001 > 192.0.2.10:6443',
        'delivered 198.18.5.7:40001 > 192.0.2.10:6443',
      ],
      ['any other is rejected', 'eth0 tcp 198.18.5.7:40002 > 192.0.2.10:23', 'rejected icmp-3-3 via eth0'],
      ['ping', 'eth0 icmp 198.18.5.7 > 192.0.2.10', 'delivered 198.18.5.7 > 192.0.2.10'],
      ['ssh', 'eth0 tcp 198.18.5.7:40003 > 192.0.2.10:22', 'delivered 198.18.5.7:40003 > 192.0.2.10:22'],
      ['but not from there', 'eth0 tcp 198.51.100.7:40003 > 192.0.2.10:22', 'rejected icmp-3-3 via eth0'],
      [
        'a forwarded port',
        'eth0 tcp 198.18.5.7:40004 > 192.0.2.10:8080',
        'forwarded cni0 198.18.5.7:40004 > 10.244.1.5:80',
      ],
      ['routing is not allowed', 'eth0 tcp 198.18.5.7:40005 > 10.244.1.5:81', 'rejected icmp-3-3 via eth0'],
      [
        'pods are trusted',
        'cni0 tcp 10.244.1.5:50000 > 192.0.2.10:23',
        'delivered 10.244.1.5:50000 > 192.0.2.10:23',
      ],
      [
        'pods go out by zone external',
        'cni0 tcp 10.244.1.5:50001 > 203.0.113.200:443',
        'forwarded eth1 198.18.0.10:50001 > 203.0.113.200:443',
      ],
      [
        'IPv6: an allowed service',
        'eth0 tcp [2001:db8:1::7]:40000 > [2001:db8::10]:80',
        'unknown unsupported: -m rpfilter',
      ],
      [
        'IPv6: any other',
        'eth0 tcp [2001:db8:1::7]:40001 > [2001:db8::10]:23',
        'unknown unsupported: -m rpfilter',
      ],
    ],
  },
];
