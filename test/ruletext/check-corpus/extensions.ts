/** Extensions that are kept as text, with good and bad options. */
import { type CorpusFile, file, ruleFile, rules } from './corpus-file.ts';

export const EXTENSIONS: readonly CorpusFile[] = [
  ...rules(
    'accepted',
    `
-m policy --dir in --pol none -j ACCEPT
-m policy --dir in --pol ipsec --strict --reqid 1 --next --reqid 2 -j ACCEPT
-m policy --dir in --pol ipsec ! --reqid 5 -j ACCEPT
-m policy --dir in --pol ipsec --spi 0x10 -j ACCEPT
-m time --datestart 2024-01-01 --datestop 2024-12-31 -j ACCEPT
-m time --datestart 2024-01-01T10:00:00 -j ACCEPT
-m time --timestart 8:5 -j ACCEPT
-m time --weekdays 1,2,7 -j ACCEPT
-m time ! --weekdays Sun -j ACCEPT
-m time --weekdays Mo,Tuesday -j ACCEPT
-m time --monthdays 1,15,31 -j ACCEPT
-m time --kerneltz --timestart 10:00 -j ACCEPT
-m u32 --u32 "6&0xFF=1" -j ACCEPT
-m u32 --u32 "6 & 0xFF = 1 && 4 = 5:6,7" -j ACCEPT
-m u32 ! --u32 "6=1" -j ACCEPT
-m u32 --u32 "1=1&&1=1&&1=1&&1=1&&1=1&&1=1&&1=1&&1=1&&1=1&&1=1" -j ACCEPT
-m string --algo kmp --string x --from 1 --to 100 -j ACCEPT
-m string --algo bm ! --string x --icase -j ACCEPT
-m string --algo bm --hex-string "a|0d 0a|b" -j ACCEPT
-m mac ! --mac-source 0:1:2:3:4:5 -j ACCEPT
-m socket --nowildcard -j ACCEPT
-m socket --restore-skmark -j ACCEPT
-m quota ! --quota 5 -j ACCEPT
-m quota --quota 18446744073709551615 -j ACCEPT
-m quota --quota 0x10 -j ACCEPT
-m helper ! --helper ftp -j ACCEPT
-m connbytes --connbytes 1 --connbytes-dir reply --connbytes-mode packets -j ACCEPT
-m connbytes --connbytes :5 --connbytes-dir reply --connbytes-mode packets -j ACCEPT
-m cpu ! --cpu 1 -j ACCEPT
-m devgroup --src-group 0x10/0xff -j ACCEPT
-m ecn ! --ecn-ip-ect 1 -j ACCEPT
-p tcp -m ecn --ecn-tcp-cwr -j ACCEPT
-m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 1 -j ACCEPT
-p tcp -m tcpmss --mss 100 -j ACCEPT
-p tcp -m tcpmss ! --mss 100 -j ACCEPT
-p esp -m esp --espspi 0x10 -j ACCEPT
-p esp -m esp --espspi :5 -j ACCEPT
-p esp -m esp --espspi 5: -j ACCEPT
-p esp -m esp ! --espspi 5 -j ACCEPT
-p esp -m esp -j ACCEPT
-p 108 -m ipcomp --ipcompspi 5 -j ACCEPT
-p sctp -m sctp --dport 80 --chunk-types any DATA:Be -j ACCEPT
-p sctp -m sctp --chunk-types all INIT,INIT_ACK -j ACCEPT
-p sctp -m sctp --chunk-types only ALL -j ACCEPT
-p dccp -m dccp --dccp-types REQUEST -j ACCEPT
-p dccp -m dccp --dccp-option 5 -j ACCEPT
-m hashlimit --hashlimit-above 5kb/s --hashlimit-name a --hashlimit-burst 10k -j ACCEPT
-m hashlimit --hashlimit-above 5xb/s --hashlimit-name a -j ACCEPT
-m hashlimit --hashlimit-above 5/s --hashlimit-name a --hashlimit-rate-match -j ACCEPT
-j NFQUEUE --queue-balance 0:65534
-j NFQUEUE --queue-balance 1:2 --queue-cpu-fanout
-j IDLETIMER --timeout 10 --label y --alarm
-j RATEEST --rateest-name x --rateest-interval 250ms --rateest-ewmalog 1s
-p tcp -j SYNPROXY --wscale 14
mangle POSTROUTING | -j CLASSIFY --set-class ffff:ffff
mangle POSTROUTING | -m cgroup --cgroup 5 -j ACCEPT
mangle POSTROUTING | -m policy --dir out --pol none -j ACCEPT
mangle OUTPUT | -j CLASSIFY --set-class 1:1
mangle FORWARD | -j CLASSIFY --set-class 1:1
mangle PREROUTING | -j HMARK --hmark-tuple src,dst,sport --hmark-mod 10 --hmark-rnd 0xfeed --hmark-offset 5
mangle PREROUTING | -j HMARK --hmark-src-prefix 24 --hmark-mod 10 --hmark-rnd 1
mangle PREROUTING | -p tcp -j TPROXY --on-port 70000
mangle PREROUTING | -p udp -j TPROXY --on-port 1 --tproxy-mark 0x1/0x1
mangle PREROUTING | -p tcp -j TPROXY --on-port http
mangle PREROUTING | -p tcp -j TCPOPTSTRIP
mangle PREROUTING | -p tcp -j TCPOPTSTRIP --strip-options mss,md5,5
mangle PREROUTING | -m policy --dir in --pol none -j ACCEPT
mangle USER | -p tcp -j TPROXY --on-port 1
filter FORWARD | -p tcp -j SYNPROXY --sack-perm --timestamp --mss 1460
filter FORWARD | -m devgroup --src-group 1 --dst-group 2 -j ACCEPT
raw PREROUTING | -p udp -j CT --helper tftp
raw PREROUTING | -j CT --zone mark
raw PREROUTING | -j CT --zone-orig 5 --zone 6
raw PREROUTING | -j CT --ctevents new,destroy --expevents new
nat OUTPUT | -m owner --uid-owner 0 -j RETURN
nat OUTPUT | -p tcp -m owner ! --gid-owner 1337 -j REDIRECT --to-ports 15001
raw OUTPUT | -m owner --uid-owner 0 -j ACCEPT
mangle INPUT | -m socket -j ACCEPT
nat PREROUTING | -m mac --mac-source 00:11:22:33:44:55 -j ACCEPT
filter OUTPUT | -m devgroup --dst-group 2 -j ACCEPT
nat POSTROUTING | -m policy --dir out --pol none -j MASQUERADE
security INPUT | -j CONNSECMARK --restore
`,
  ),
  ...rules(
    'refused',
    `
-m policy --dir in --pol none --strict -j ACCEPT
-m policy --dir in --pol ipsec --strict -j ACCEPT
-m policy --dir in --pol ipsec --next -j ACCEPT
-m policy --dir in --pol ipsec --proto tcp -j ACCEPT
-m policy --dir in --pol ipsec --mode bridge -j ACCEPT
-m policy --dir in --pol ipsec ! --strict -j ACCEPT
-m policy --dir in --pol ipsec --spi x -j ACCEPT
-m policy --dir in --dir in -j ACCEPT
-m time --datestart 2024-13-01 -j ACCEPT
-m time --datestart 1960 -j ACCEPT
-m time --datestart 2024-01-01T25 -j ACCEPT
-m time --timestart 08:00:61 -j ACCEPT
-m time --timestart 0800 -j ACCEPT
-m time --weekdays 0 -j ACCEPT
-m time --monthdays 32 -j ACCEPT
-m time --monthdays x -j ACCEPT
-m time --utc --localtz -j ACCEPT
-m time --utc --kerneltz -j ACCEPT
-m time --timestart 10:00 --timestart 11:00 -j ACCEPT
-m u32 --u32 "6&0xFF" -j ACCEPT
-m u32 --u32 "=1" -j ACCEPT
-m u32 --u32 "6=1&&" -j ACCEPT
-m u32 --u32 "6=1&2" -j ACCEPT
-m u32 --u32 "6<4=1" -j ACCEPT
-m u32 --u32 "6=0x100000000" -j ACCEPT
-m u32 --u32 "" -j ACCEPT
-m u32 --u32 "1=1&&1=1&&1=1&&1=1&&1=1&&1=1&&1=1&&1=1&&1=1&&1=1&&1=1" -j ACCEPT
-m string --algo bm --string x --from 70000 -j ACCEPT
-m string --algo bm --string x --hex-string y -j ACCEPT
-m string --algo bm --hex-string "|0d0|" -j ACCEPT
-m string --algo bm --hex-string "|0d" -j ACCEPT
-m string --algo bm --hex-string "" -j ACCEPT
-m owner --uid-owner -1 -j ACCEPT
-m owner --uid-owner 4294967295 -j ACCEPT
-m owner --suppl-groups -j ACCEPT
-m owner --pid-owner 1 -j ACCEPT
-m owner --uid-owner 0 --uid-owner 1 -j ACCEPT
-m mac --mac-source 00-11-22-33-44-55 -j ACCEPT
-m mac --mac-source 00:11:22:33:44:55:66 -j ACCEPT
-m rpfilter --nosuch -j ACCEPT
-m socket ! --transparent -j ACCEPT
-m quota --quota 18446744073709551616 -j ACCEPT
-m quota --quota -1 -j ACCEPT
-m connbytes --connbytes x --connbytes-dir reply --connbytes-mode packets -j ACCEPT
-m connbytes --connbytes 1 --connbytes-dir sideways --connbytes-mode packets -j ACCEPT
-m connbytes --connbytes 1 --connbytes-dir reply --connbytes-mode loud -j ACCEPT
-m cpu --cpu x -j ACCEPT
-m devgroup --src-group lan -j ACCEPT
-m cgroup --cgroup x -j ACCEPT
-m bpf --bytecode "0," -j ACCEPT
-m bpf --bytecode "1,6 0 0" -j ACCEPT
-m bpf --bytecode x -j ACCEPT
-m cluster --cluster-total-nodes 2 --cluster-local-node 3 --cluster-hash-seed 1 -j ACCEPT
-m cluster --cluster-total-nodes 2 --cluster-local-node 33 --cluster-hash-seed 1 -j ACCEPT
-m cluster --cluster-total-nodes 2 --cluster-hash-seed 1 -j ACCEPT
-m cluster --cluster-total-nodes 33 --cluster-local-node 1 --cluster-hash-seed 1 -j ACCEPT
-m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-local-nodemask 1 --cluster-hash-seed 1 -j ACCEPT
-p tcp -m tcpmss --mss 200:100 -j ACCEPT
-p tcp -m tcpmss --mss 70000 -j ACCEPT
-p esp -m esp --espspi 1:2:3 -j ACCEPT
-p sctp -m sctp --chunk-types any NOSUCH -j ACCEPT
-p sctp -m sctp --chunk-types any DATA:x -j ACCEPT
-p sctp -m sctp --chunk-types any -j ACCEPT
-p sctp -m sctp --dport 70000 --chunk-types any DATA -j ACCEPT
-p dccp -m dccp --dccp-types NOSUCH -j ACCEPT
-m set --nosuch -j ACCEPT
-j NFQUEUE --queue-balance 1
-j NFQUEUE --queue-num 1 --queue-balance 1:2
-j NFQUEUE --queue-num 1 --queue-cpu-fanout
-j NFQUEUE ! --queue-num 1
-j IDLETIMER --timeout x --label y
-j RATEEST --rateest-name x
-j RATEEST --rateest-name x --rateest-interval x --rateest-ewmalog 1s
-p tcp -j SYNPROXY --mss x
mangle POSTROUTING | -j CLASSIFY --set-class 1:
mangle PREROUTING | -j HMARK --hmark-tuple src,nosuch --hmark-mod 10 --hmark-rnd 1
mangle PREROUTING | -j HMARK --hmark-tuple ct --hmark-mod 0 --hmark-rnd 1
mangle PREROUTING | -j HMARK --hmark-tuple src --hmark-mod 10
mangle PREROUTING | -j HMARK --hmark-mod 10 --hmark-rnd 1
mangle PREROUTING | -j HMARK --hmark-tuple spi,sport --hmark-mod 10 --hmark-rnd 1
mangle PREROUTING | -p tcp -j TPROXY --on-port 1 --tproxy-mark x
mangle PREROUTING | -p tcp -j TCPOPTSTRIP --strip-options 1
mangle PREROUTING | -p tcp -j TCPOPTSTRIP --strip-options mss,mss
mangle PREROUTING | -p tcp -j TCPOPTSTRIP --strip-options mss,2
mangle PREROUTING | -j SET --exist
mangle PREROUTING | -j SET --add-set nosuch
mangle INPUT | -j CONNSECMARK --save --restore
mangle INPUT | -j CONNSECMARK
security INPUT | -j SECMARK
`,
  ),
  ...rules(
    'refused-at-load',
    `
-m string --algo bm --string "" -j ACCEPT
-m owner ! --uid-owner 0 -j ACCEPT
-m owner --uid-owner 0:100 -j ACCEPT
-m owner --uid-owner 0x10 -j ACCEPT
-m owner --gid-owner 0 --suppl-groups -j ACCEPT
-m devgroup --dst-group 1 -j ACCEPT
-m cgroup --path a --cgroup 1 -j ACCEPT
-m connlabel --label 200 -j ACCEPT
-m ecn --ecn-tcp-cwr -j ACCEPT
-m esp --espspi 5 -j ACCEPT
-m ipcomp --ipcompspi 5 -j ACCEPT
-m sctp --chunk-types any DATA -j ACCEPT
-p tcp -m tcp --dport 80 -m owner --uid-owner 0 -j ACCEPT
-j NFQUEUE --queue-balance 0:65535
-j IDLETIMER --timeout 0 --label y
-m devgroup --dst-group 2 -j ACCEPT
mangle INPUT | -j CLASSIFY --set-class 1:1
mangle PREROUTING | ! -p tcp -j TPROXY --on-port 1
mangle PREROUTING | -m cgroup --cgroup 5 -j ACCEPT
mangle PREROUTING | -m policy --dir out --pol none -j ACCEPT
filter OUTPUT | -p tcp -j SYNPROXY
raw PREROUTING | -p tcp -j SYNPROXY
raw PREROUTING | -p tcp -j CT --helper tftp
raw PREROUTING | ! -p udp -j CT --helper tftp
nat INPUT | -m owner --uid-owner 0 -j ACCEPT
raw OUTPUT | -m rpfilter -j ACCEPT
mangle OUTPUT | -m socket -j ACCEPT
nat POSTROUTING | -m mac --mac-source 00:11:22:33:44:55 -j ACCEPT
mangle POSTROUTING | -m policy --dir in --pol none -j ACCEPT
`,
  ),
  ...rules(
    'accepted',
    `
-m frag --fragfirst --fragmore -j ACCEPT
-m frag ! --fragid 1 -j ACCEPT
-m frag --fraglen 5 -j ACCEPT
-m hbh --hbh-opts 1:2,3 -j ACCEPT
-m hbh -j ACCEPT
-m dst --dst-opts 1 -j ACCEPT
-m dst ! --dst-len 4 -j ACCEPT
-m ipv6header --header hop,frag -j ACCEPT
-m ipv6header --header hop-by-hop --soft -j ACCEPT
-m ipv6header ! --header 44 -j ACCEPT
-p ipv6-mh -m mh --mh-type binding-update -j ACCEPT
-p ipv6-mh -m mh --mh-type 1:3 -j ACCEPT
-m rt --rt-type 0 --rt-len 2 -j ACCEPT
-m rt --rt-type 0 --rt-segsleft 1:2 -j ACCEPT
-m rt --rt-type 0 --rt-0-res -j ACCEPT
-m rt --rt-type 0 --rt-0-addrs fd00::1 -j ACCEPT
-m srh --srh-hdr-len-eq 5 -j ACCEPT
-m srh ! --srh-segs-left-gt 1 -j ACCEPT
-m srh --srh-tag 5 -j ACCEPT
-m srh --srh-psid fd00::/64 -j ACCEPT
-m srh -j ACCEPT
-p ah -m ah --ahspi 5 --ahres -j ACCEPT
-m ah --ahlen 5 -j ACCEPT
-m policy --dir in --pol ipsec --mode tunnel --tunnel-src fd00::/64 -j ACCEPT
`,
    'ipv6',
  ),
  ...rules(
    'refused',
    `
-m frag --fragid x -j ACCEPT
-m frag ! --fragfirst -j ACCEPT
-m hbh --hbh-opts x -j ACCEPT
-m ipv6header --header 45 -j ACCEPT
-m ipv6header --header tcp -j ACCEPT
-p ipv6-mh -m mh --mh-type 3:1 -j ACCEPT
-p ipv6-mh -m mh --mh-type nosuch -j ACCEPT
-p ipv6-mh -m mh --mh-type 300 -j ACCEPT
-m rt --rt-0-res -j ACCEPT
-m rt --rt-type 0 --rt-0-addrs nosuch -j ACCEPT
-m rt --rt-type 1 --rt-0-addrs fd00::1 -j ACCEPT
-m rt --rt-type 0 --rt-0-not-strict -j ACCEPT
-m srh --srh-next-hdr 300 -j ACCEPT
-m srh --srh-psid 10.0.0.1 -j ACCEPT
-m eui64 --x -j ACCEPT
-m policy --dir in --pol ipsec --tunnel-src 10.0.0.0/8 -j ACCEPT
mangle PREROUTING | -j DNPT --src-pfx fd00::/64
mangle PREROUTING | -j DNPT --src-pfx fd00::/64 --dst-pfx 10.0.0.0/8
nat POSTROUTING | -j NETMAP --to fd00::/129
`,
    'ipv6',
  ),
  ...rules(
    'refused-at-load',
    `
-m mh --mh-type 1 -j ACCEPT
filter FORWARD | -j DNPT --src-pfx fd00::/64 --dst-pfx fd01::/64
mangle PREROUTING | -j SNPT --src-pfx fd00::/64 --dst-pfx fd01::/48
`,
    'ipv6',
  ),
  ...rules(
    'accepted',
    `
-p ah -m ah --ahspi 1:2 -j ACCEPT
-p ah -m ah ! --ahspi 1 -j ACCEPT
-p tcp -m osf ! --genre Linux --ttl 2 --log 1 -j ACCEPT
-m realm ! --realm 1 -j ACCEPT
-m policy --dir in --pol ipsec --mode tunnel --tunnel-src 10.0.0.0/8 -j ACCEPT
-m realm --realm 1 -j ACCEPT
nat PREROUTING | -j NETMAP --to 10.0.0.0/255.255.0.0
nat PREROUTING | -j NETMAP --to 10.0.0.0/255.0.255.0
nat INPUT | -j NETMAP --to 10.0.0.0/24
nat OUTPUT | -j NETMAP --to 10.0.0.0/24
nat OUTPUT | -m realm --realm 1 -j ACCEPT
mangle PREROUTING | -p tcp -j ECN --ecn-tcp-cwr 1
mangle PREROUTING | -j ECN --ecn-ip-ect 1
filter FORWARD | -p tcp -m osf --genre Linux -j ACCEPT
`,
    'ipv4',
  ),
  ...rules(
    'refused',
    `
-p tcp -m osf --genre Linux --ttl 3 -j ACCEPT
-m realm --realm x -j ACCEPT
-m policy --dir in --pol ipsec --tunnel-src 10.0.0.0/8 -j ACCEPT
-m policy --dir in --pol ipsec --mode transport --tunnel-src 10.0.0.0/8 -j ACCEPT
nat PREROUTING | -j NETMAP --to x
mangle PREROUTING | -p tcp -j ECN --ecn-tcp-cwr 2
mangle PREROUTING | -p tcp -j ECN
mangle PREROUTING | -p tcp -j ECN --ecn-tcp-remove --ecn-tcp-cwr 1
`,
    'ipv4',
  ),
  ...rules(
    'refused-at-load',
    `
-m osf --genre Linux -j ACCEPT
mangle PREROUTING | -j NETMAP --to 10.0.0.0/24
filter OUTPUT | -p tcp -m osf --genre Linux -j ACCEPT
`,
    'ipv4',
  ),
  ...file(
    'a string of 128 characters',
    ruleFile('filter INPUT', `-m string --algo bm --string ${'s'.repeat(128)} -j ACCEPT`),
    'accepted',
  ),
  ...file(
    'a string of 129 characters',
    ruleFile('filter INPUT', `-m string --algo bm --string ${'s'.repeat(129)} -j ACCEPT`),
    'refused',
  ),
];
