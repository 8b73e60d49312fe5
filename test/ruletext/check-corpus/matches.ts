/** Matches of the packet and its flow, with good and bad options. */
import { type CorpusFile, rules } from './corpus-file.ts';

export const MATCHES: readonly CorpusFile[] = [
  ...rules(
    'accepted',
    `
-p tcp --dport 80 -j ACCEPT
-p tcp -m tcp --dport 80 -j ACCEPT
-p tcp -m tcp --dport 80:90 -j ACCEPT
-p tcp --dport :80 -j ACCEPT
-p tcp --dport 80: -j ACCEPT
-p tcp --dport : -j ACCEPT
-p tcp --dport http -j ACCEPT
-p tcp --dport 0x50 -j ACCEPT
-p tcp ! --dport 80 -j ACCEPT
-p tcp --sport 1 --dport 2 -j ACCEPT
-p tcp --syn -j ACCEPT
-p tcp ! --syn -j ACCEPT
-p tcp --tcp-flags SYN,ACK SYN -j ACCEPT
-p tcp --tcp-flags ALL NONE -j ACCEPT
-p tcp --tcp-flags SYN SYN,ACK -j ACCEPT
-p tcp --tcp-option 2 -j ACCEPT
-p tcp -m tcp -m tcp --dport 1 -j ACCEPT
-p udp -m udp --dport 53 -j ACCEPT
-p 6 --dport 80 -j ACCEPT
-p sctp --dport 80 -j ACCEPT
-p sctp -m sctp --chunk-types any INIT -j ACCEPT
-p dccp -m dccp --dport 80 -j ACCEPT
-p esp -m esp --espspi 1:2 -j ACCEPT
-p tcp -m multiport --dports 80,443 -j ACCEPT
-p tcp -m multiport --dports 80:90,443 -j ACCEPT
-p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15 -j ACCEPT
-p tcp -m multiport --ports http,https -j ACCEPT
-m mark --mark 0x1 -j ACCEPT
-m mark --mark 0x1/0x2 -j ACCEPT
-m mark ! --mark 1 -j ACCEPT
-m connmark --mark 0x1/0xff -j ACCEPT
-m conntrack --ctstate NEW -j ACCEPT
-m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT
-m conntrack --ctstate new -j ACCEPT
-m conntrack --ctstatus ASSURED -j ACCEPT
-m conntrack --ctstatus NONE -j ACCEPT
-m conntrack --ctproto tcp -j ACCEPT
-m conntrack --ctproto 6 -j ACCEPT
-m conntrack --ctexpire 10 -j ACCEPT
-m conntrack --ctexpire 10:20 -j ACCEPT
-m conntrack --ctexpire 20:10 -j ACCEPT
-m conntrack --ctdir ORIGINAL -j ACCEPT
-m conntrack --ctorigdstport 80 -j ACCEPT
-m conntrack --ctorigdstport 80:90 -j ACCEPT
-m state --state NEW -j ACCEPT
-m state ! --state INVALID -j ACCEPT
-m addrtype --dst-type LOCAL -j ACCEPT
-m addrtype --dst-type LOCAL,UNICAST -j ACCEPT
-m addrtype --dst-type local -j ACCEPT
-m addrtype ! --src-type LOCAL --dst-type UNICAST -j ACCEPT
-m addrtype --dst-type LOCAL --limit-iface-in -j ACCEPT
-m statistic --mode random --probability 0.5 -j ACCEPT
-m statistic --mode random --probability 0 -j ACCEPT
-m statistic --mode random --probability 1 -j ACCEPT
-m statistic --mode nth --every 3 --packet 0 -j ACCEPT
-m statistic --mode nth --every 3 --packet 2 -j ACCEPT
-m recent --set -j ACCEPT
-m recent --rcheck -j ACCEPT
-m recent --rcheck --seconds 60 --reap -j ACCEPT
-m recent --rcheck --hitcount 0 -j ACCEPT
-m recent --rcheck --hitcount 300 -j ACCEPT
-m recent --update --rttl --hitcount 3 -j ACCEPT
-m recent --remove --rdest -j ACCEPT
-m recent --set --rsource --rdest -j ACCEPT
-m limit -j ACCEPT
-m limit --limit 5/s -j ACCEPT
-m limit --limit 5/minute -j ACCEPT
-m limit --limit 5 -j ACCEPT
-m limit --limit 5/s --limit-burst 10000 -j ACCEPT
-m limit --limit-burst 7 -j ACCEPT
-m hashlimit --hashlimit-upto 5/s --hashlimit-name a -j ACCEPT
-m hashlimit --hashlimit-above 5/s --hashlimit-name a --hashlimit-mode srcip,dstport -j ACCEPT
-m hashlimit --hashlimit-above 5kb/s --hashlimit-name a -j ACCEPT
-m hashlimit --hashlimit-above 5/s --hashlimit-name a --hashlimit-srcmask 24 -j ACCEPT
-m connlimit --connlimit-above 3 -j ACCEPT
-m connlimit --connlimit-upto 3 -j ACCEPT
-m connlimit --connlimit-above 3 --connlimit-mask 24 -j ACCEPT
-m length --length 100 -j ACCEPT
-m length --length 100:200 -j ACCEPT
-m length --length 200:100 -j ACCEPT
-m tos --tos 0x10 -j ACCEPT
-m tos --tos Minimize-Delay -j ACCEPT
-m tos --tos 0x10/0x3f -j ACCEPT
-m dscp --dscp 0x2e -j ACCEPT
-m dscp --dscp-class EF -j ACCEPT
-m physdev --physdev-in eth0 -j ACCEPT
-m physdev --physdev-is-bridged -j ACCEPT
-m pkttype --pkt-type broadcast -j ACCEPT
-m mac --mac-source 00:11:22:33:44:55 -j ACCEPT
-m time --timestart 08:00 --timestop 18:00 --weekdays Mon,Tue -j ACCEPT
-m time -j ACCEPT
-m u32 --u32 "0>>22&0x3C@0=0x1" -j ACCEPT
-m string --algo bm --string hello -j ACCEPT
-m string --algo bm --hex-string "|00 01|" -j ACCEPT
-m socket -j ACCEPT
-m socket --transparent -j ACCEPT
-m policy --dir in --pol ipsec -j ACCEPT
-m policy --dir in --pol ipsec --proto esp --mode tunnel -j ACCEPT
-m quota --quota 1000 -j ACCEPT
-m helper --helper ftp -j ACCEPT
-m helper --helper "" -j ACCEPT
-m connbytes --connbytes 1:2 --connbytes-dir both --connbytes-mode bytes -j ACCEPT
-m cpu --cpu 0 -j ACCEPT
-m devgroup --src-group 1 -j ACCEPT
-m cgroup --cgroup 1 -j ACCEPT
-m bpf --bytecode "1,6 0 0 65535" -j ACCEPT
-m connlabel --label 1 -j ACCEPT
-p tcp -m ecn --ecn-tcp-ece -j ACCEPT
-m ecn --ecn-ip-ect 1 -j ACCEPT
-p tcp -m tcpmss --mss 100:200 -j ACCEPT
-p tcp -m tcp -j ACCEPT
`,
  ),
  ...rules(
    'refused',
    `
-p tcp --dport 90:80 -j ACCEPT
-p tcp --dport 65536 -j ACCEPT
-p tcp --dport -1 -j ACCEPT
-p tcp --dport nosuch -j ACCEPT
-p tcp --dport 80,81 -j ACCEPT
-p tcp --dport "" -j ACCEPT
-p tcp --dport 80 --dport 81 -j ACCEPT
-p tcp --dport ! 80 -j ACCEPT
-p tcp --tcp-flags SYN -j ACCEPT
-p tcp --tcp-flags SYN,FOO SYN -j ACCEPT
-p tcp --tcp-option 256 -j ACCEPT
-p tcp --tcp-option 0 -j ACCEPT
-p udp --syn -j ACCEPT
-p icmp --dport 80 -j ACCEPT
-p sctp -m sctp --chunk-types some INIT -j ACCEPT
-p udplite -m udplite --dport 80 -j ACCEPT
-p udplite --dport 80 -j ACCEPT
-p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16 -j ACCEPT
-p tcp -m multiport --dports 90:80 -j ACCEPT
-p tcp -m multiport --dports 80, -j ACCEPT
-p tcp -m multiport --dports 70000 -j ACCEPT
-p tcp -m multiport --dports 80 --sports 80 -j ACCEPT
-p tcp -m multiport -j ACCEPT
-m multiport --dports 80 -j ACCEPT
-p icmp -m multiport --dports 80 -j ACCEPT
! -p tcp -m multiport --dports 80 -j ACCEPT
-m mark --mark 4294967296 -j ACCEPT
-m mark --mark x -j ACCEPT
-m mark --mark 1/ -j ACCEPT
-m mark --mark -j ACCEPT
-m mark -j ACCEPT
-m mark --mark ! 1 -j ACCEPT
-m mark --mark 1 --mark 2 -j ACCEPT
-m connmark -j ACCEPT
-m conntrack --ctstate NEW, -j ACCEPT
-m conntrack --ctstate ,NEW -j ACCEPT
-m conntrack --ctstate NEW ESTABLISHED -j ACCEPT
-m conntrack --ctstate FRESH -j ACCEPT
-m conntrack --ctstate "" -j ACCEPT
-m conntrack --ctstatus FINE -j ACCEPT
-m conntrack --ctproto nosuch -j ACCEPT
-m conntrack --ctdir SIDEWAYS -j ACCEPT
-m conntrack ! --ctdir REPLY -j ACCEPT
-m conntrack -j ACCEPT
-m conntrack --state NEW -j ACCEPT
-m state --state DNAT -j ACCEPT
-m state --state "" -j ACCEPT
-m state -j ACCEPT
-m addrtype --dst-type HERE -j ACCEPT
-m addrtype -j ACCEPT
-m addrtype --limit-iface-in -j ACCEPT
-m addrtype --dst-type LOCAL --limit-iface-in --limit-iface-out -j ACCEPT
-m statistic --mode random --probability 1.5 -j ACCEPT
-m statistic --mode random --probability -0.1 -j ACCEPT
-m statistic --mode random --probability half -j ACCEPT
-m statistic --mode random -j ACCEPT
-m statistic --probability 0.5 -j ACCEPT
-m statistic --mode nth --every 3 -j ACCEPT
-m statistic --mode nth --every 3 --packet 3 -j ACCEPT
-m statistic --mode nth --every 0 --packet 0 -j ACCEPT
-m statistic --mode nth --packet 1 -j ACCEPT
-m statistic --mode nth --every 3 --probability 0.5 -j ACCEPT
-m statistic --mode sometimes -j ACCEPT
-m statistic --mode random --every 3 --packet 0 -j ACCEPT
-m recent --rcheck --reap -j ACCEPT
-m recent --rcheck --seconds 0 -j ACCEPT
-m recent --set --rttl -j ACCEPT
-m recent --set --rcheck -j ACCEPT
-m recent --name x -j ACCEPT
-m recent -j ACCEPT
-m limit --limit 5/fortnight -j ACCEPT
-m limit --limit 0/s -j ACCEPT
-m limit --limit 10001/s -j ACCEPT
-m limit --limit -5/s -j ACCEPT
-m limit --limit 5/s --limit-burst 10001 -j ACCEPT
-m limit ! --limit 5/s -j ACCEPT
-m hashlimit --hashlimit-above 5/s -j ACCEPT
-m hashlimit --hashlimit-name a -j ACCEPT
-m hashlimit --hashlimit-above 5/s --hashlimit-upto 5/s --hashlimit-name a -j ACCEPT
-m hashlimit --hashlimit-above 5/s --hashlimit-name a --hashlimit-mode sideways -j ACCEPT
-m connlimit --connlimit-above 3 --connlimit-upto 4 -j ACCEPT
-m connlimit --connlimit-above x -j ACCEPT
-m connlimit --connlimit-saddr -j ACCEPT
-m connlimit -j ACCEPT
-m length --length 70000 -j ACCEPT
-m length -j ACCEPT
-m tos --tos 256 -j ACCEPT
-m tos -j ACCEPT
-m dscp --dscp 64 -j ACCEPT
-m dscp --dscp-class XX -j ACCEPT
-m dscp -j ACCEPT
-m dscp --dscp 1 --dscp-class EF -j ACCEPT
-m physdev -j ACCEPT
-m pkttype --pkt-type loud -j ACCEPT
-m pkttype -j ACCEPT
-m owner -j ACCEPT
-m mac --mac-source 00:11:22:33:44 -j ACCEPT
-m mac --mac-source zz:11:22:33:44:55 -j ACCEPT
-m mac -j ACCEPT
-m time --timestart 25:00 -j ACCEPT
-m time --weekdays Someday -j ACCEPT
-m u32 --u32 nonsense -j ACCEPT
-m u32 -j ACCEPT
-m string --string hello -j ACCEPT
-m string --algo bm -j ACCEPT
-m string --algo bm --hex-string "|0g|" -j ACCEPT
-m socket --nosuch -j ACCEPT
-m policy --dir sideways --pol ipsec -j ACCEPT
-m policy --pol ipsec -j ACCEPT
-m policy -j ACCEPT
-m quota --quota x -j ACCEPT
-m quota -j ACCEPT
-m helper -j ACCEPT
-m connbytes --connbytes 1:2 -j ACCEPT
-m connbytes -j ACCEPT
-m cpu -j ACCEPT
-m devgroup -j ACCEPT
-m bpf --bytecode "2,6 0 0 65535" -j ACCEPT
-m bpf -j ACCEPT
-m nfacct -j ACCEPT
-m ecn --ecn-ip-ect 4 -j ACCEPT
-m ecn -j ACCEPT
-m cluster --cluster-total-nodes 2 --cluster-local-node 1 -j ACCEPT
-m cluster --cluster-total-nodes 2 --cluster-local-node 3 -j ACCEPT
-p tcp -m tcpmss -j ACCEPT
-m set -j ACCEPT
-m set --match-set nosuch sideways -j ACCEPT
-m set --match-set nosuch -j ACCEPT
-m set --match-set ssssssssssssssssssssssssssssssss src -j ACCEPT
-m icmp6 -j ACCEPT
`,
  ),
  ...rules(
    { nft: 'refused', legacy: 'refused-at-load' },
    `
-p udp -m tcp --dport 53 -j ACCEPT
-m tcp --dport 80 -j ACCEPT
-m udp --dport 80 -j ACCEPT
`,
  ),
  ...rules(
    'refused-at-load',
    `
-p tcp -m esp --espspi 1 -j ACCEPT
-m recent --rcheck --hitcount 65536 -j ACCEPT
-m recent --set --name a/b -j ACCEPT
-m recent --set --name .. -j ACCEPT
-m recent --set --name "" -j ACCEPT
-m recent --set --seconds 5 -j ACCEPT
-m hashlimit --hashlimit-above 5/s --hashlimit-name a/b -j ACCEPT
-m owner --uid-owner 0 -j ACCEPT
-m owner --uid-owner root -j ACCEPT
-m owner --uid-owner 0-100 -j ACCEPT
-m owner --gid-owner 1337 -j ACCEPT
-m owner --socket-exists -j ACCEPT
-m string --algo zz --string hello -j ACCEPT
-m rpfilter -j ACCEPT
-m rpfilter --loose --invert -j ACCEPT
-m cgroup -j ACCEPT
-m tcpmss --mss 100 -j ACCEPT
-m sctp --dport 80 -j ACCEPT
-m dccp --dport 80 -j ACCEPT
-m sctp -j ACCEPT
-m dccp -j ACCEPT
-p udp -m tcp -j ACCEPT
-p tcp -m udp -j ACCEPT
`,
  ),
  ...rules(
    { nft: 'accepted', legacy: 'refused-at-load' },
    `
-m limit --limit 5/s --limit-burst 0 -j ACCEPT
`,
  ),
  ...rules(
    'refused-at-load',
    `
-m hashlimit --hashlimit-above 5/s --hashlimit-name a --hashlimit-mode srcip --hashlimit-srcmask 200 -j ACCEPT
-m icmp --icmp-type 8 -j ACCEPT
-m ah --ahspi 1 -j ACCEPT
`,
    'ipv4',
  ),
  ...rules(
    'refused',
    `
-m hashlimit --hashlimit-above 5/s --hashlimit-name a --hashlimit-mode srcip --hashlimit-srcmask 200 -j ACCEPT
-m connlimit --connlimit-above 3 --connlimit-mask 200 -j ACCEPT
-p tcp -m osf --genre Linux -j ACCEPT
-m hl --hl-lt 256 -j ACCEPT
-m hl -j ACCEPT
-m ttl --ttl-eq 64 -j ACCEPT
-m frag --fragmore --fraglast -j ACCEPT
-m ipv6header --header nosuch -j ACCEPT
-m ipv6header -j ACCEPT
-p icmpv6 -m icmp6 --icmpv6-type 256 -j ACCEPT
-p icmpv6 --icmpv6-type any -j ACCEPT
-m iprange --src-range 10.0.0.1-10.0.0.9 -j ACCEPT
-m realm --realm 1 -j ACCEPT
-m conntrack --ctorigdst 10.0.0.0/8 -j ACCEPT
-m recent --set --mask 255.255.255.0 -j ACCEPT
`,
    'ipv6',
  ),
  ...rules(
    'accepted',
    `
-m connlimit --connlimit-above 3 --connlimit-mask 200 -j ACCEPT
-p tcp -m osf --genre Linux -j ACCEPT
-p icmp --icmp-type 8 -j ACCEPT
-p icmp -m icmp --icmp-type 8/0 -j ACCEPT
-p icmp --icmp-type echo-request -j ACCEPT
-p icmp --icmp-type any -j ACCEPT
-m iprange --src-range 10.0.0.1-10.0.0.9 -j ACCEPT
-m iprange --src-range 10.0.0.9-10.0.0.1 -j ACCEPT
-m iprange --src-range 10.0.0.1 -j ACCEPT
-m conntrack --ctorigdst 10.0.0.0/8 -j ACCEPT
-m recent --set --mask 255.255.255.0 -j ACCEPT
-m recent --set --mask 24 -j ACCEPT
-m ttl --ttl-eq 64 -j ACCEPT
-m realm --realm 1 -j ACCEPT
-m realm --realm 1/0xff -j ACCEPT
-p ah -m ah --ahspi 1 -j ACCEPT
-m addrtype --dst-type BROADCAST -j ACCEPT
-m addrtype --dst-type BLACKHOLE -j ACCEPT
-m connlimit --connlimit-above 3 --connlimit-mask 33 -j ACCEPT
`,
    'ipv4',
  ),
  ...rules(
    'refused',
    `
-p icmp --icmp-type 256 -j ACCEPT
-p icmp --icmp-type 8/256 -j ACCEPT
-p icmp --icmp-type nosuch -j ACCEPT
-p icmp --icmp-type echo -j ACCEPT
-p icmp -m icmp -j ACCEPT
-p icmp --icmpv6-type 128 -j ACCEPT
-m icmp6 --icmpv6-type 128 -j ACCEPT
-m iprange --src-range fd00::1-fd00::2 -j ACCEPT
-m iprange --src-range 10.0.0.1- -j ACCEPT
-m iprange -j ACCEPT
-m conntrack --ctorigdst fd00::/8 -j ACCEPT
-m recent --set --mask ffff:: -j ACCEPT
-m ttl --ttl-eq 256 -j ACCEPT
-m ttl --ttl-eq 1 --ttl-lt 2 -j ACCEPT
-m ttl -j ACCEPT
-m hl --hl-eq 64 -j ACCEPT
-m rt --rt-type 0 -j ACCEPT
-m eui64 -j ACCEPT
`,
    'ipv4',
  ),
  ...rules(
    'accepted',
    `
-m hl --hl-eq 64 -j ACCEPT
-m rt --rt-type 0 -j ACCEPT
-m rt -j ACCEPT
-m eui64 -j ACCEPT
-m frag --fragid 1:2 --fragmore -j ACCEPT
-m frag -j ACCEPT
-m hbh --hbh-len 4 -j ACCEPT
-m dst --dst-len 4 -j ACCEPT
-m ipv6header --header frag --soft -j ACCEPT
-p ipv6-mh -m mh --mh-type 1 -j ACCEPT
-m srh --srh-next-hdr 6 -j ACCEPT
-m ah --ahspi 1 -j ACCEPT
-p icmpv6 -m icmp6 --icmpv6-type 128/0 -j ACCEPT
-m iprange --src-range fd00::1-fd00::9 -j ACCEPT
-m addrtype --dst-type LOCAL -j ACCEPT
-m conntrack --ctorigdst fd00::/8 -j ACCEPT
-m recent --set --mask ffff:: -j ACCEPT
`,
    'ipv6',
  ),
  ...rules(
    'refused-at-load',
    `
-m icmp6 --icmpv6-type 128 -j ACCEPT
-m addrtype --dst-type BROADCAST -j ACCEPT
-m addrtype --dst-type BLACKHOLE -j ACCEPT
`,
    'ipv6',
  ),
];
