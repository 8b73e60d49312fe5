/**
 * Extensions of iptables whose options are known but not what they mean to a packet: they are kept as text.
 * Knowing the options tells where one extension's words end and the next one's begin. `NAME option=VALUES`,
 * VALUES being how many words follow the option.
 */
import { type ExtensionModule, type OptionShape, optionShapes } from './match-module.ts';

const MATCHES = `
ah ahspi=1 ahlen=1 ahres=0
bpf bytecode=1 object-pinned=1
cgroup cgroup=1 path=1
cluster cluster-total-nodes=1 cluster-local-node=1 cluster-local-nodemask=1 cluster-hash-seed=1
connbytes connbytes=1 connbytes-dir=1 connbytes-mode=1
connlabel label=1 set=0
cpu cpu=1
devgroup src-group=1 dst-group=1
dst dst-len=1 dst-opts=1
ecn ecn-tcp-cwr=0 ecn-tcp-ece=0 ecn-ip-ect=1
esp espspi=1
eui64
frag fragid=1 fraglen=1 fragres=0 fragfirst=0 fragmore=0 fraglast=0
hbh hbh-len=1 hbh-opts=1
helper helper=1
ipcomp ipcompspi=1 compres=0
ipv6header header=1 soft=0
ipvs ipvs=0 vproto=1 vaddr=1 vport=1 vdir=1 vmethod=1 vportctl=1
mac mac-source=1
mh mh-type=1
osf genre=1 ttl=1 log=1
owner uid-owner=1 gid-owner=1 pid-owner=1 sid-owner=1 cmd-owner=1 socket-exists=0 suppl-groups=0
policy dir=1 pol=1 strict=0 reqid=1 spi=1 tunnel-src=1 tunnel-dst=1 proto=1 mode=1 next=0
quota quota=1
realm realm=1
rpfilter loose=0 validmark=0 accept-local=0 invert=0
rt rt-type=1 rt-segsleft=1 rt-len=1 rt-0-res=0 rt-0-addrs=1 rt-0-not-strict=0
socket transparent=0 nowildcard=0 restore-skmark=0
srh srh-next-hdr=1 srh-hdr-len-eq=1 srh-hdr-len-gt=1 srh-hdr-len-lt=1 srh-segs-left-eq=1 srh-segs-left-gt=1
  srh-segs-left-lt=1 srh-last-entry-eq=1 srh-last-entry-gt=1 srh-last-entry-lt=1 srh-tag=1 srh-psid=1 srh-nsid=1
  srh-lsid=1
string from=1 to=1 algo=1 string=1 hex-string=1 icase=0
tcpmss mss=1
time datestart=1 datestop=1 timestart=1 timestop=1 contiguous=0 weekdays=1 monthdays=1 localtz=0 utc=0 kerneltz=0
u32 u32=1
`;

const TARGETS = `
CLASSIFY set-class=1
CLUSTERIP new=0 hashmode=1 clustermac=1 total-nodes=1 local-node=1 hash-init=1
CONNSECMARK save=0 restore=0
DNPT src-pfx=1 dst-pfx=1
ECN ecn-tcp-remove=0 ecn-tcp-cwr=1 ecn-tcp-ece=1 ecn-ip-ect=1
HMARK hmark-tuple=1 hmark-src-prefix=1 hmark-dst-prefix=1 hmark-sport-mask=1 hmark-dport-mask=1 hmark-spi-mask=1
  hmark-sport=1 hmark-dport=1 hmark-spi=1 hmark-proto-mask=1 hmark-rnd=1 hmark-mod=1 hmark-offset=1
IDLETIMER timeout=1 label=1 alarm=0
LED led-trigger-id=1 led-delay=1 led-always-blink=0
NETMAP to=1
NFQUEUE queue-num=1 queue-balance=1 queue-bypass=0 queue-cpu-fanout=0
QUEUE
RATEEST rateest-name=1 rateest-interval=1 rateest-ewmalog=1
SECMARK selctx=1
SET add-set=2 del-set=2 exist=0 timeout=1 map-set=2 map-mark=0 map-prio=0 map-queue=0
SNPT src-pfx=1 dst-pfx=1
SYNPROXY sack-perm=0 timestamp=0 wscale=1 mss=1 ecn=0
TCPOPTSTRIP strip-options=1
TEE gateway=1 oif=1
TPROXY on-port=1 on-ip=1 tproxy-mark=1
ULOG ulog-nlgroup=1 ulog-prefix=1 ulog-cprange=1 ulog-qthreshold=1
`;

function isCount(text: string): text is '0' | '1' | '2' {
  return text === '0' || text === '1' || text === '2';
}

/** What may be negated and repeated is left to the kernel's own programs. */
function readOptions(words: readonly string[]): ReadonlyMap<string, OptionShape> {
  const counts = { '0': 0, '1': 1, '2': 2 } as const;
  return optionShapes(
    Object.fromEntries(
      words.map((word) => {
        const [option = '', count = ''] = word.split('=');
        return [option, { values: isCount(count) ? counts[count] : 0, invert: true, multi: true }];
      }),
    ),
  );
}

function readTable<Value>(text: string): readonly ExtensionModule<Value>[] {
  return text
    .trim()
    .replaceAll('\n  ', ' ')
    .split('\n')
    .map((line) => {
      const [name = '', ...words] = line.split(' ');
      return { name, family: undefined, protocol: undefined, options: readOptions(words), open: undefined };
    });
}

/** Match modules that are kept as text. */
export function unmodelledMatches<Value>(): readonly ExtensionModule<Value>[] {
  return readTable(MATCHES);
}

/** Targets that are kept as text. */
export function unmodelledTargets<Value>(): readonly ExtensionModule<Value>[] {
  return readTable(TARGETS);
}
