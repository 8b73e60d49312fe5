/** Targets, with good and bad options. */
import { type CorpusFile, rules } from './corpus-file.ts';

export const TARGETS: readonly CorpusFile[] = [
  ...rules(
    'accepted',
    `
-j REJECT
-p tcp -j REJECT --reject-with tcp-reset
-j LOG
-j LOG --log-prefix "hello "
-j LOG --log-prefix 12345678901234567890123456789
-j LOG --log-prefix 123456789012345678901234567890
-j LOG --log-level 7
-j LOG --log-level debug
-j LOG --log-uid --log-ip-options --log-tcp-sequence
-j NFLOG --nflog-group 5 --nflog-prefix x
-j NFQUEUE --queue-num 1
-j NFQUEUE --queue-balance 1:3
-j NFQUEUE --queue-num 1 --queue-bypass
-j NFQUEUE
-j AUDIT --type accept
-j MARK --set-mark 1
-j CONNMARK --set-mark 1
-p tcp -j SYNPROXY --wscale 7 --mss 1460
-p tcp -j SYNPROXY --wscale 15
-j IDLETIMER --timeout 5 --label x
-j RATEEST --rateest-name x --rateest-interval 1s --rateest-ewmalog 4s
mangle PREROUTING | -j DROP
mangle PREROUTING | -j MARK --set-mark 1
mangle PREROUTING | -j MARK --set-xmark 0x4000/0x4000
mangle PREROUTING | -j MARK --or-mark 0x4000
mangle PREROUTING | -j CONNMARK --save-mark
mangle PREROUTING | -j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff
mangle PREROUTING | -j CONNMARK --restore-mark --mask 0xff
mangle PREROUTING | -j TOS --set-tos 0x10
mangle PREROUTING | -j DSCP --set-dscp 1
mangle PREROUTING | -j DSCP --set-dscp-class AF11
mangle PREROUTING | -p tcp -j TPROXY --on-port 15001
mangle PREROUTING | -p tcp -j TPROXY --on-port 15001 --tproxy-mark 0x1/0x1
mangle PREROUTING | -p tcp -j TCPOPTSTRIP --strip-options timestamp
mangle PREROUTING | -j HMARK --hmark-tuple src --hmark-mod 10 --hmark-rnd 1
raw PREROUTING | -j DROP
raw PREROUTING | -j TRACE
raw PREROUTING | -j MARK --set-mark 1
raw PREROUTING | -j CONNMARK --save-mark
raw PREROUTING | -p tcp --syn -j TCPMSS --set-mss 1400
raw PREROUTING | -j NOTRACK
raw PREROUTING | -j CT --notrack
raw PREROUTING | -j CT --zone 5
raw PREROUTING | -j CT
raw PREROUTING | -p tcp -j CT --helper ftp
raw PREROUTING | -j CT --ctevents new
nat PREROUTING | -j MARK --set-mark 1
nat PREROUTING | -p tcp -j REDIRECT --to-ports 8080
nat PREROUTING | -p tcp -j REDIRECT --to-ports 8080-8090
nat PREROUTING | -p tcp -j REDIRECT --to-ports http
nat PREROUTING | -p icmp -j REDIRECT --to-ports 8080
nat PREROUTING | -j REDIRECT
nat PREROUTING | -j REDIRECT --random
security INPUT | -j MARK --set-mark 1
mangle FORWARD | -p tcp --syn -j TCPMSS --set-mss 1400
mangle FORWARD | -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu
mangle FORWARD | -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu --set-mss 5
mangle FORWARD | -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1400
filter FORWARD | -p tcp --syn -j TCPMSS --set-mss 1400
mangle POSTROUTING | -j CHECKSUM --checksum-fill
mangle POSTROUTING | -j CLASSIFY --set-class 1:10
raw OUTPUT | -j NOTRACK
nat OUTPUT | -j REDIRECT
nat POSTROUTING | -j MASQUERADE
nat POSTROUTING | -j MASQUERADE --random-fully
nat POSTROUTING | -p tcp -j MASQUERADE --to-ports 1024-2048
nat USER | -j MASQUERADE
`,
  ),
  ...rules(
    'refused-at-load',
    `
-j REJECT --reject-with tcp-reset
-p udp -j REJECT --reject-with tcp-reset
! -p tcp -j REJECT --reject-with tcp-reset
-j TOS --set-tos 0x10
-j DSCP --set-dscp 1
-j NOTRACK
-j CT --notrack
-j REDIRECT
-j SYNPROXY
-j SECMARK --selctx x
-j CONNSECMARK --save
nat PREROUTING | -j REJECT
nat PREROUTING | -j MASQUERADE
nat PREROUTING | -p tcp -j TPROXY --on-port 15001
mangle FORWARD | -j REJECT
mangle FORWARD | -j TCPMSS --set-mss 1400
mangle FORWARD | -p tcp -j TPROXY --on-port 15001
raw PREROUTING | -j REJECT
raw PREROUTING | -j CT --helper ftp
security INPUT | -j REJECT
mangle PREROUTING | -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu
mangle PREROUTING | -j CLASSIFY --set-class 1:10
mangle PREROUTING | -j TPROXY --on-port 15001
mangle PREROUTING | -p icmp -j TPROXY --on-port 1
mangle PREROUTING | -j TCPOPTSTRIP --strip-options timestamp
filter OUTPUT | -j CHECKSUM --checksum-fill
nat POSTROUTING | -j REDIRECT
nat INPUT | -j REDIRECT
nat INPUT | -j MASQUERADE
nat OUTPUT | -j MASQUERADE
filter FORWARD | -j MASQUERADE
filter FORWARD | -p tcp -j TCPOPTSTRIP --strip-options timestamp
mangle POSTROUTING | -j MASQUERADE
`,
  ),
  ...rules(
    'refused',
    `
-j REJECT --reject-with nosuch
-j REJECT --reject-with
-j ACCEPT --log-prefix x
-j LOG --log-prefix ""
-j LOG --log-level 8
-j LOG --log-level loud
-j NFLOG --nflog-group 65536
-j NFQUEUE --queue-num 65536
-j NFQUEUE --queue-balance 3:1
-j AUDIT
-j IDLETIMER --timeout 5
-j SAME --to 1.2.3.4
nat PREROUTING | -j DROP
nat PREROUTING | -p tcp -j DROP
nat PREROUTING | -p tcp -j REDIRECT --to-ports 8090-8080
nat PREROUTING | -p tcp -j REDIRECT --to-ports 70000
nat PREROUTING | -j REDIRECT --to-ports 8080
nat PREROUTING | -j DNAT
nat USER | -j DROP
nat USER | -j DNAT
mangle PREROUTING | -j MARK --set-mark 1 --or-mark 2
mangle PREROUTING | -j MARK
mangle PREROUTING | -j MARK --set-mark x
mangle PREROUTING | -j MARK --set-mark 0x100000000
mangle PREROUTING | -j CONNMARK --set-mark 1 --save-mark
mangle PREROUTING | -j CONNMARK --nfmask 0xff
mangle PREROUTING | -j CONNMARK
mangle PREROUTING | -j TOS
mangle PREROUTING | -j DSCP --set-dscp 64
mangle PREROUTING | -j DSCP
mangle PREROUTING | -p tcp -j TPROXY
mangle PREROUTING | -j TEE
mangle PREROUTING | -j SET
mangle PREROUTING | -p tcp -j TCPOPTSTRIP --strip-options nosuch
mangle PREROUTING | -j HMARK --hmark-mod 10
mangle FORWARD | -p tcp --syn -j TCPMSS
mangle POSTROUTING | -j CHECKSUM
mangle POSTROUTING | -j CLASSIFY --set-class x
mangle POSTROUTING | -j CLASSIFY
raw PREROUTING | -j CT --zone 70000
raw PREROUTING | -j CT --ctevents nosuch
nat POSTROUTING | -j MASQUERADE --to-ports 1024
nat POSTROUTING | -j MASQUERADE --to-source 1
nat POSTROUTING | -j SNAT
`,
  ),
  ...rules(
    { nft: 'accepted', legacy: 'refused-at-load' },
    `
-j TRACE
mangle FORWARD | -p tcp -j TCPMSS --set-mss 1400
`,
  ),
  ...rules(
    'refused-at-load',
    `
-p tcp -j ECN --ecn-tcp-remove
-j ULOG
-j DNAT --to-destination 10.0.0.1
-j NETMAP --to 10.0.0.0/24
nat INPUT | -j DNAT --to-destination 10.0.0.1
nat POSTROUTING | -j DNAT --to-destination 10.0.0.1
mangle PREROUTING | -j DNAT --to-destination 10.0.0.1
mangle PREROUTING | -j ECN --ecn-tcp-remove
nat PREROUTING | -j SNAT --to-source 10.0.0.1
nat OUTPUT | -j SNAT --to-source 10.0.0.1
filter FORWARD | -j SNAT --to-source 10.0.0.1
filter FORWARD | -j TTL --ttl-set 5
`,
    'ipv4',
  ),
  ...rules(
    'refused',
    `
-p tcp -j ECN --ecn-tcp-remove
-j REJECT --reject-with icmp-port-unreachable
nat PREROUTING | -p tcp -j DNAT --to-destination [fd00::1:80
nat PREROUTING | -p tcp -j DNAT --to-destination 10.0.0.1
nat POSTROUTING | -j SNAT --to-source 10.0.0.1
mangle PREROUTING | -j HL --hl-inc 0
mangle PREROUTING | -j HL
mangle PREROUTING | -j TTL --ttl-set 5
`,
    'ipv6',
  ),
  ...rules(
    { nft: 'refused-at-load', legacy: 'refused' },
    `
-j ULOG
`,
    'ipv6',
  ),
  ...rules(
    { nft: 'refused-at-load', legacy: 'refused' },
    `
-j MIRROR
-j DENY
`,
  ),
  ...rules(
    'accepted',
    `
nat PREROUTING | -j DNAT --to-destination 10.0.0.1
nat PREROUTING | -p tcp -j DNAT --to-destination 10.0.0.1:80
nat PREROUTING | -p tcp -j DNAT --to-destination :80
nat PREROUTING | -p tcp -j DNAT --to-destination 10.0.0.1-10.0.0.9:80-90
nat PREROUTING | -p tcp -j DNAT --to-destination 10.0.0.9-10.0.0.1
nat PREROUTING | -p tcp -j DNAT --to-destination 10.0.0.1:0
nat PREROUTING | -p tcp -j DNAT --to-destination 10.0.0.1:http
nat PREROUTING | -p icmp -j DNAT --to-destination 10.0.0.1:80
nat PREROUTING | ! -p tcp -j DNAT --to-destination 10.0.0.1:80
nat PREROUTING | -p tcp -j DNAT --to-destination 10.0.0.1 --random --persistent
nat PREROUTING | -j DNAT --to 10.0.0.1
nat PREROUTING | -j NETMAP --to 10.0.0.0/24
nat PREROUTING | -j NETMAP --to 10.0.0.1/24
nat OUTPUT | -j DNAT --to-destination 10.0.0.1
nat USER | -j DNAT --to-destination 10.0.0.1
nat POSTROUTING | -j SNAT --to-source 10.0.0.1
nat POSTROUTING | -p tcp -j SNAT --to-source 10.0.0.1-10.0.0.9:1-1000
nat POSTROUTING | -j SNAT --to-source 10.0.0.1 --random-fully
nat POSTROUTING | -j NETMAP --to 10.0.0.0/24
nat INPUT | -j SNAT --to-source 10.0.0.1
mangle PREROUTING | -j TTL --ttl-set 5
mangle PREROUTING | -j TEE --gateway 10.0.0.1
mangle PREROUTING | -p tcp -j TPROXY --on-port 15001 --on-ip 127.0.0.1
mangle PREROUTING | -p tcp -j ECN --ecn-tcp-remove
-j REJECT --reject-with icmp-net-unreachable
-j REJECT --reject-with icmp-admin-prohibited
-j REJECT --reject-with net-unreach
`,
    'ipv4',
  ),
  ...rules(
    'refused',
    `
nat PREROUTING | -p tcp -j DNAT --to-destination 10.0.0.1:90-80
nat PREROUTING | -p tcp -j DNAT --to-destination 10.0.0.1:65536
nat PREROUTING | -p tcp -j DNAT --to-destination 10.0.0.1:nosuch
nat PREROUTING | -p tcp -j DNAT --to-destination 10.0.0.1:
nat PREROUTING | -p tcp -j DNAT --to-destination 10.0.0.256
nat PREROUTING | -p tcp -j DNAT --to-destination 10.0.0.0/8
nat PREROUTING | -p tcp -j DNAT --to-destination fd00::1
nat PREROUTING | -p tcp -j DNAT --to-destination ""
nat PREROUTING | -p tcp -j DNAT --to-destination 10.0.0.1 --to-destination 10.0.0.2
nat PREROUTING | -j DNAT --to-destination 10.0.0.1:80
nat PREROUTING | -p tcp -j DNAT --to-source 10.0.0.1
nat PREROUTING | -j NETMAP
nat PREROUTING | -j SNPT --src-pfx fd00::/64 --dst-pfx fd01::/64
nat POSTROUTING | -j SNAT --to-source 10.0.0.1:1000
mangle PREROUTING | -j TTL --ttl-inc 0
mangle PREROUTING | -j TTL --ttl-set 256
mangle PREROUTING | -j TTL --ttl-set 5 --ttl-inc 1
mangle PREROUTING | -j TTL
mangle PREROUTING | -j HL --hl-set 5
mangle PREROUTING | -j TEE --gateway fd00::1
-j REJECT --reject-with icmp6-no-route
-j REJECT --reject-with echo-reply
`,
    'ipv4',
  ),
  ...rules(
    'accepted',
    `
nat PREROUTING | -j DNAT --to-destination fd00::1
nat PREROUTING | -p tcp -j DNAT --to-destination [fd00::1]:80
nat PREROUTING | -p tcp -j DNAT --to-destination fd00::1:80
nat PREROUTING | -p tcp -j DNAT --to-destination [fd00::1]
nat PREROUTING | -p tcp -j DNAT --to-destination [fd00::1-fd00::9]:80-90
nat PREROUTING | -p tcp -j DNAT --to-destination fd00::1-fd00::9
nat PREROUTING | -p tcp -j DNAT --to-destination :80
nat PREROUTING | -j NETMAP --to fd00::/64
nat POSTROUTING | -j SNAT --to-source fd00::1
mangle PREROUTING | -j HL --hl-set 5
mangle PREROUTING | -j TEE --gateway fd00::1
mangle PREROUTING | -j DNPT --src-pfx fd00::/64 --dst-pfx fd01::/64
-j REJECT --reject-with icmp6-adm-prohibited
-j REJECT --reject-with icmp6-policy-fail
-j REJECT --reject-with no-route
mangle POSTROUTING | -j SNPT --src-pfx fd00::/64 --dst-pfx fd01::/64
`,
    'ipv6',
  ),
  ...rules(
    'refused-at-load',
    `
filter FORWARD | -j HL --hl-set 5
`,
    'ipv6',
  ),
];
