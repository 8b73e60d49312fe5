/** Host firewalls: what is let in, out and through. */
import type { ForeignFates } from './foreign-fates.ts';

export const HOST_FIREWALL_FATES: readonly ForeignFates[] = [
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
