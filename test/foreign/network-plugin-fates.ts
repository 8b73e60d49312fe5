/** Network plugins: pods of the node, of other nodes and the world; policies. */
import type { ForeignFates } from './foreign-fates.ts';

export const NETWORK_PLUGIN_FATES: readonly ForeignFates[] = [
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
];
