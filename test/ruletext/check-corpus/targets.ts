/** Targets, with good and bad options. */
import { type CorpusFile, rules } from './corpus-file.ts';

export const TARGET_FILES: readonly CorpusFile[] = [
  ...rules(
    { place: 'filter INPUT', verdict: 'accepted' },
    String.raw`
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
`,
  ),
  ...rules(
    { place: 'filter INPUT', verdict: 'refused-at-load' },
    String.raw`
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
`,
  ),
  ...rules(
    { place: 'filter INPUT', verdict: 'refused' },
    String.raw`
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
`,
  ),
  ...rules(
    { place: 'nat PREROUTING', verdict: 'refused-at-load' },
    String.raw`
-j REJECT
-j MASQUERADE
-p tcp -j TPROXY --on-port 15001
`,
  ),
  ...rules(
    { place: 'mangle FORWARD', verdict: 'refused-at-load' },
    String.raw`
-j REJECT
-j TCPMSS --set-mss 1400
-p tcp -j TPROXY --on-port 15001
`,
  ),
  ...rules(
    { place: 'raw PREROUTING', verdict: 'refused-at-load' },
    String.raw`
-j REJECT
-j CT --helper ftp
`,
  ),
  ...rules(
    { place: 'security INPUT', verdict: 'refused-at-load' },
    String.raw`
-j REJECT
`,
  ),
  ...rules(
    { place: 'nat PREROUTING', verdict: 'refused' },
    String.raw`
-j DROP
-p tcp -j DROP
-p tcp -j REDIRECT --to-ports 8090-8080
-p tcp -j REDIRECT --to-ports 70000
-j REDIRECT --to-ports 8080
-j DNAT
`,
  ),
  ...rules(
    { place: 'nat USER', verdict: 'refused' },
    String.raw`
-j DROP
-j DNAT
`,
  ),
  ...rules(
    { place: 'mangle PREROUTING', verdict: 'accepted' },
    String.raw`
-j DROP
-j MARK --set-mark 1
-j MARK --set-xmark 0x4000/0x4000
-j MARK --or-mark 0x4000
-j CONNMARK --save-mark
-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff
-j CONNMARK --restore-mark --mask 0xff
-j TOS --set-tos 0x10
-j DSCP --set-dscp 1
-j DSCP --set-dscp-class AF11
-p tcp -j TPROXY --on-port 15001
-p tcp -j TPROXY --on-port 15001 --tproxy-mark 0x1/0x1
-p tcp -j TCPOPTSTRIP --strip-options timestamp
-j HMARK --hmark-tuple src --hmark-mod 10 --hmark-rnd 1
`,
  ),
  ...rules(
    { place: 'raw PREROUTING', verdict: 'accepted' },
    String.raw`
-j DROP
-j TRACE
-j MARK --set-mark 1
-j CONNMARK --save-mark
-p tcp --syn -j TCPMSS --set-mss 1400
-j NOTRACK
-j CT --notrack
-j CT --zone 5
-j CT
-p tcp -j CT --helper ftp
-j CT --ctevents new
`,
  ),
  ...rules(
    { place: 'filter INPUT', verdict: { nft: 'accepted', legacy: 'refused-at-load' } },
    String.raw`
-j TRACE
`,
  ),
  ...rules(
    { place: 'mangle PREROUTING', verdict: 'refused' },
    String.raw`
-j MARK --set-mark 1 --or-mark 2
-j MARK
-j MARK --set-mark x
-j MARK --set-mark 0x100000000
-j CONNMARK --set-mark 1 --save-mark
-j CONNMARK --nfmask 0xff
-j CONNMARK
-j TOS
-j DSCP --set-dscp 64
-j DSCP
-p tcp -j TPROXY
-j TEE
-j SET
-p tcp -j TCPOPTSTRIP --strip-options nosuch
-j HMARK --hmark-mod 10
`,
  ),
  ...rules(
    { place: 'nat PREROUTING', verdict: 'accepted' },
    String.raw`
-j MARK --set-mark 1
-p tcp -j REDIRECT --to-ports 8080
-p tcp -j REDIRECT --to-ports 8080-8090
-p tcp -j REDIRECT --to-ports http
-p icmp -j REDIRECT --to-ports 8080
-j REDIRECT
-j REDIRECT --random
`,
  ),
  ...rules(
    { place: 'security INPUT', verdict: 'accepted' },
    String.raw`
-j MARK --set-mark 1
`,
  ),
  ...rules(
    { place: 'mangle FORWARD', verdict: 'accepted' },
    String.raw`
-p tcp --syn -j TCPMSS --set-mss 1400
-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu
-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu --set-mss 5
-p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1400
`,
  ),
  ...rules(
    { place: 'mangle FORWARD', verdict: 'refused' },
    String.raw`
-p tcp --syn -j TCPMSS
`,
  ),
  ...rules(
    { place: 'mangle FORWARD', verdict: { nft: 'accepted', legacy: 'refused-at-load' } },
    String.raw`
-p tcp -j TCPMSS --set-mss 1400
`,
  ),
  ...rules(
    { place: 'filter FORWARD', verdict: 'accepted' },
    String.raw`
-p tcp --syn -j TCPMSS --set-mss 1400
`,
  ),
  ...rules(
    { place: 'mangle PREROUTING', verdict: 'refused-at-load' },
    String.raw`
-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu
-j CLASSIFY --set-class 1:10
-j TPROXY --on-port 15001
-p icmp -j TPROXY --on-port 1
-j TCPOPTSTRIP --strip-options timestamp
`,
  ),
  ...rules(
    { place: 'mangle POSTROUTING', verdict: 'accepted' },
    String.raw`
-j CHECKSUM --checksum-fill
-j CLASSIFY --set-class 1:10
`,
  ),
  ...rules(
    { place: 'mangle POSTROUTING', verdict: 'refused' },
    String.raw`
-j CHECKSUM
-j CLASSIFY --set-class x
-j CLASSIFY
`,
  ),
  ...rules(
    { place: 'filter OUTPUT', verdict: 'refused-at-load' },
    String.raw`
-j CHECKSUM --checksum-fill
`,
  ),
  ...rules(
    { place: 'raw OUTPUT', verdict: 'accepted' },
    String.raw`
-j NOTRACK
`,
  ),
  ...rules(
    { place: 'raw PREROUTING', verdict: 'refused' },
    String.raw`
-j CT --zone 70000
-j CT --ctevents nosuch
`,
  ),
  ...rules(
    { place: 'nat OUTPUT', verdict: 'accepted' },
    String.raw`
-j REDIRECT
`,
  ),
  ...rules(
    { place: 'nat POSTROUTING', verdict: 'refused-at-load' },
    String.raw`
-j REDIRECT
`,
  ),
  ...rules(
    { place: 'nat INPUT', verdict: 'refused-at-load' },
    String.raw`
-j REDIRECT
-j MASQUERADE
`,
  ),
  ...rules(
    { place: 'nat POSTROUTING', verdict: 'accepted' },
    String.raw`
-j MASQUERADE
-j MASQUERADE --random-fully
-p tcp -j MASQUERADE --to-ports 1024-2048
`,
  ),
  ...rules(
    { place: 'nat POSTROUTING', verdict: 'refused' },
    String.raw`
-j MASQUERADE --to-ports 1024
-j MASQUERADE --to-source 1
-j SNAT
`,
  ),
  ...rules(
    { place: 'nat OUTPUT', verdict: 'refused-at-load' },
    String.raw`
-j MASQUERADE
`,
  ),
  ...rules(
    { place: 'filter FORWARD', verdict: 'refused-at-load' },
    String.raw`
-j MASQUERADE
-p tcp -j TCPOPTSTRIP --strip-options timestamp
`,
  ),
  ...rules(
    { place: 'mangle POSTROUTING', verdict: 'refused-at-load' },
    String.raw`
-j MASQUERADE
`,
  ),
  ...rules(
    { place: 'nat USER', verdict: 'accepted' },
    String.raw`
-j MASQUERADE
`,
  ),
  ...rules(
    { place: 'filter INPUT', verdict: 'refused-at-load', family: 'ipv4' },
    String.raw`
-p tcp -j ECN --ecn-tcp-remove
-j ULOG
-j DNAT --to-destination 10.0.0.1
-j NETMAP --to 10.0.0.0/24
`,
  ),
  ...rules(
    { place: 'filter INPUT', verdict: 'refused', family: 'ipv6' },
    String.raw`
-p tcp -j ECN --ecn-tcp-remove
-j REJECT --reject-with icmp-port-unreachable
`,
  ),
  ...rules(
    { place: 'filter INPUT', verdict: { nft: 'refused-at-load', legacy: 'refused' }, family: 'ipv6' },
    String.raw`
-j ULOG
`,
  ),
  ...rules(
    { place: 'filter INPUT', verdict: { nft: 'refused-at-load', legacy: 'refused' } },
    String.raw`
-j MIRROR
-j DENY
`,
  ),
  ...rules(
    { place: 'nat PREROUTING', verdict: 'accepted', family: 'ipv4' },
    String.raw`
-j DNAT --to-destination 10.0.0.1
-p tcp -j DNAT --to-destination 10.0.0.1:80
-p tcp -j DNAT --to-destination :80
-p tcp -j DNAT --to-destination 10.0.0.1-10.0.0.9:80-90
-p tcp -j DNAT --to-destination 10.0.0.9-10.0.0.1
-p tcp -j DNAT --to-destination 10.0.0.1:0
-p tcp -j DNAT --to-destination 10.0.0.1:http
-p icmp -j DNAT --to-destination 10.0.0.1:80
! -p tcp -j DNAT --to-destination 10.0.0.1:80
-p tcp -j DNAT --to-destination 10.0.0.1 --random --persistent
-j DNAT --to 10.0.0.1
-j NETMAP --to 10.0.0.0/24
-j NETMAP --to 10.0.0.1/24
`,
  ),
  ...rules(
    { place: 'nat PREROUTING', verdict: 'refused', family: 'ipv4' },
    String.raw`
-p tcp -j DNAT --to-destination 10.0.0.1:90-80
-p tcp -j DNAT --to-destination 10.0.0.1:65536
-p tcp -j DNAT --to-destination 10.0.0.1:nosuch
-p tcp -j DNAT --to-destination 10.0.0.1:
-p tcp -j DNAT --to-destination 10.0.0.256
-p tcp -j DNAT --to-destination 10.0.0.0/8
-p tcp -j DNAT --to-destination fd00::1
-p tcp -j DNAT --to-destination ""
-p tcp -j DNAT --to-destination 10.0.0.1 --to-destination 10.0.0.2
-j DNAT --to-destination 10.0.0.1:80
-p tcp -j DNAT --to-source 10.0.0.1
-j NETMAP
-j SNPT --src-pfx fd00::/64 --dst-pfx fd01::/64
`,
  ),
  ...rules(
    { place: 'nat OUTPUT', verdict: 'accepted', family: 'ipv4' },
    String.raw`
-j DNAT --to-destination 10.0.0.1
`,
  ),
  ...rules(
    { place: 'nat INPUT', verdict: 'refused-at-load', family: 'ipv4' },
    String.raw`
-j DNAT --to-destination 10.0.0.1
`,
  ),
  ...rules(
    { place: 'nat POSTROUTING', verdict: 'refused-at-load', family: 'ipv4' },
    String.raw`
-j DNAT --to-destination 10.0.0.1
`,
  ),
  ...rules(
    { place: 'nat USER', verdict: 'accepted', family: 'ipv4' },
    String.raw`
-j DNAT --to-destination 10.0.0.1
`,
  ),
  ...rules(
    { place: 'mangle PREROUTING', verdict: 'refused-at-load', family: 'ipv4' },
    String.raw`
-j DNAT --to-destination 10.0.0.1
-j ECN --ecn-tcp-remove
`,
  ),
  ...rules(
    { place: 'nat POSTROUTING', verdict: 'accepted', family: 'ipv4' },
    String.raw`
-j SNAT --to-source 10.0.0.1
-p tcp -j SNAT --to-source 10.0.0.1-10.0.0.9:1-1000
-j SNAT --to-source 10.0.0.1 --random-fully
-j NETMAP --to 10.0.0.0/24
`,
  ),
  ...rules(
    { place: 'nat POSTROUTING', verdict: 'refused', family: 'ipv4' },
    String.raw`
-j SNAT --to-source 10.0.0.1:1000
`,
  ),
  ...rules(
    { place: 'nat INPUT', verdict: 'accepted', family: 'ipv4' },
    String.raw`
-j SNAT --to-source 10.0.0.1
`,
  ),
  ...rules(
    { place: 'nat PREROUTING', verdict: 'refused-at-load', family: 'ipv4' },
    String.raw`
-j SNAT --to-source 10.0.0.1
`,
  ),
  ...rules(
    { place: 'nat OUTPUT', verdict: 'refused-at-load', family: 'ipv4' },
    String.raw`
-j SNAT --to-source 10.0.0.1
`,
  ),
  ...rules(
    { place: 'filter FORWARD', verdict: 'refused-at-load', family: 'ipv4' },
    String.raw`
-j SNAT --to-source 10.0.0.1
-j TTL --ttl-set 5
`,
  ),
  ...rules(
    { place: 'mangle PREROUTING', verdict: 'accepted', family: 'ipv4' },
    String.raw`
-j TTL --ttl-set 5
-j TEE --gateway 10.0.0.1
-p tcp -j TPROXY --on-port 15001 --on-ip 127.0.0.1
-p tcp -j ECN --ecn-tcp-remove
`,
  ),
  ...rules(
    { place: 'mangle PREROUTING', verdict: 'refused', family: 'ipv4' },
    String.raw`
-j TTL --ttl-inc 0
-j TTL --ttl-set 256
-j TTL --ttl-set 5 --ttl-inc 1
-j TTL
-j HL --hl-set 5
-j TEE --gateway fd00::1
`,
  ),
  ...rules(
    { place: 'filter INPUT', verdict: 'accepted', family: 'ipv4' },
    String.raw`
-j REJECT --reject-with icmp-net-unreachable
-j REJECT --reject-with icmp-admin-prohibited
-j REJECT --reject-with net-unreach
`,
  ),
  ...rules(
    { place: 'filter INPUT', verdict: 'refused', family: 'ipv4' },
    String.raw`
-j REJECT --reject-with icmp6-no-route
-j REJECT --reject-with echo-reply
`,
  ),
  ...rules(
    { place: 'nat PREROUTING', verdict: 'accepted', family: 'ipv6' },
    String.raw`
-j DNAT --to-destination fd00::1
-p tcp -j DNAT --to-destination [fd00::1]:80
-p tcp -j DNAT --to-destination fd00::1:80
-p tcp -j DNAT --to-destination [fd00::1]
-p tcp -j DNAT --to-destination [fd00::1-fd00::9]:80-90
-p tcp -j DNAT --to-destination fd00::1-fd00::9
-p tcp -j DNAT --to-destination :80
-j NETMAP --to fd00::/64
`,
  ),
  ...rules(
    { place: 'nat PREROUTING', verdict: 'refused', family: 'ipv6' },
    String.raw`
-p tcp -j DNAT --to-destination [fd00::1:80
-p tcp -j DNAT --to-destination 10.0.0.1
`,
  ),
  ...rules(
    { place: 'nat POSTROUTING', verdict: 'accepted', family: 'ipv6' },
    String.raw`
-j SNAT --to-source fd00::1
`,
  ),
  ...rules(
    { place: 'nat POSTROUTING', verdict: 'refused', family: 'ipv6' },
    String.raw`
-j SNAT --to-source 10.0.0.1
`,
  ),
  ...rules(
    { place: 'mangle PREROUTING', verdict: 'accepted', family: 'ipv6' },
    String.raw`
-j HL --hl-set 5
-j TEE --gateway fd00::1
-j DNPT --src-pfx fd00::/64 --dst-pfx fd01::/64
`,
  ),
  ...rules(
    { place: 'mangle PREROUTING', verdict: 'refused', family: 'ipv6' },
    String.raw`
-j HL --hl-inc 0
-j HL
-j TTL --ttl-set 5
`,
  ),
  ...rules(
    { place: 'filter FORWARD', verdict: 'refused-at-load', family: 'ipv6' },
    String.raw`
-j HL --hl-set 5
`,
  ),
  ...rules(
    { place: 'filter INPUT', verdict: 'accepted', family: 'ipv6' },
    String.raw`
-j REJECT --reject-with icmp6-adm-prohibited
-j REJECT --reject-with icmp6-policy-fail
-j REJECT --reject-with no-route
`,
  ),
  ...rules(
    { place: 'mangle POSTROUTING', verdict: 'accepted', family: 'ipv6' },
    String.raw`
-j SNPT --src-pfx fd00::/64 --dst-pfx fd01::/64
`,
  ),
];
