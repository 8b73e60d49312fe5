/** Files that iptables-restore refuses, with the line to blame and what the message says. */
import type { IpFamily } from '../../src/wire/ip-address.ts';

export interface BadFile {
  readonly label: string;
  readonly family: IpFamily;
  readonly text: string;
  readonly line: number;
  readonly message: RegExp;
  /** False where iptables-restore lets it pass and we do not, on purpose. */
  readonly refusedByAll: boolean;
}

function file(
  label: string,
  text: string,
  line: number,
  message: RegExp,
  { family = 'ipv4', refusedByAll = true }: { family?: IpFamily; refusedByAll?: boolean } = {},
): BadFile {
  return { label, family, text, line, message, refusedByAll };
}

/** A rule of the filter table's INPUT chain, on line 3. */
function rule(label: string, text: string, message: RegExp, options?: { family?: IpFamily }): BadFile {
  return file(label, `*filter\n:USER - [0:0]\n-A INPUT ${text}\nCOMMIT\n`, 3, message, options);
}

/** A rule of another table, on line 3. */
function ruleIn(place: string, text: string, message: RegExp, options?: { family?: IpFamily }): BadFile {
  const [table = '', chain = ''] = place.split(' ');
  const label = `${text} in ${place}`;
  return file(label, `*${table}\n:USER - [0:0]\n-A ${chain} ${text}\nCOMMIT\n`, 3, message, options);
}

const STRUCTURE: readonly BadFile[] = [
  file('an unknown table', '# x\n*natt\nCOMMIT\n', 2, /unknown table 'natt'; expected one of raw, mangle/),
  file('a rule outside a table', '-A INPUT -j ACCEPT\n', 1, /outside a table; expected \*TABLE/),
  file('a chain outside a table', ':INPUT ACCEPT [0:0]\n', 1, /outside a table/),
  file('COMMIT outside a table', 'COMMIT\n', 1, /outside a table/),
  file('no COMMIT', '*filter\n-A INPUT -j ACCEPT\n', 3, /\*filter has no COMMIT/),
  file('a table within a table', '*filter\n*nat\nCOMMIT\n', 2, /\*nat inside \*filter; expected COMMIT/),
  file('an indented COMMIT', '*filter\n COMMIT\n', 2, /bad argument 'COMMIT'/),
  file('a line of blanks', '*filter\n  \nCOMMIT\n', 2, /no command/),
  file('an indented remark', '*filter\n # x\nCOMMIT\n', 2, /bad argument '#'/),
  file('carriage returns', '*filter\r\nCOMMIT\r\n', 1, /carriage return/),
  file('an undeclared chain', '*filter\n-A X -j ACCEPT\nCOMMIT\n', 2, /chain X is not declared/),
  file(
    'a jump to nowhere',
    '*filter\n-A INPUT -j X\nCOMMIT\n',
    2,
    /'X' is neither a chain of \*filter nor a target/,
  ),
  file('a goto to nowhere', '*filter\n-A INPUT -g X\nCOMMIT\n', 2, /'X' is neither a chain/),
  file(
    'a jump before the chain',
    '*filter\n-A INPUT -j X\n:X - [0:0]\nCOMMIT\n',
    2,
    /'X' is neither a chain/,
  ),
  file('a jump to a built-in chain', '*filter\n-A INPUT -j FORWARD\nCOMMIT\n', 2, /FORWARD is built in/),
  file(
    'a chain of another table',
    '*filter\n-A PREROUTING -j ACCEPT\nCOMMIT\n',
    2,
    /chain PREROUTING is not declared/,
  ),
  file(
    'a loop',
    '*filter\n:X - [0:0]\n:Y - [0:0]\n-A INPUT -j X\n-A X -j Y\n-A Y -g X\nCOMMIT\n',
    6,
    /expected no loop/,
  ),
  file(
    'a chain that jumps to itself',
    '*filter\n:X - [0:0]\n-A INPUT -j X\n-A X -j X\nCOMMIT\n',
    4,
    /expected no loop/,
  ),
  file(
    'a chain deleted while in use',
    '*filter\n:X - [0:0]\n-A INPUT -j X\n-X X\nCOMMIT\n',
    3,
    /no chain X in \*filter/,
  ),
  file(
    'a chain deleted with rules',
    '*filter\n:X - [0:0]\n-A X -j DROP\n-X X\nCOMMIT\n',
    4,
    /chain X is not empty/,
  ),
  file('a long chain name', `*filter\n:${'A'.repeat(29)} - [0:0]\nCOMMIT\n`, 2, /longer than 28 characters/),
  file('a chain named as a verdict', '*filter\n:ACCEPT - [0:0]\nCOMMIT\n', 2, /'ACCEPT' is a verdict's/),
  file('a new chain named as a target', '*filter\n-N LOG\nCOMMIT\n', 2, /'LOG' is the name of a target/),
  file('a chain made twice', '*filter\n-N X\n-N X\nCOMMIT\n', 3, /chain X exists already/),
  file('a chain without a policy', '*filter\n:INPUT\nCOMMIT\n', 2, /chain INPUT has no policy/),
  file(
    'a policy that is none',
    '*filter\n:INPUT REJECT [0:0]\nCOMMIT\n',
    2,
    /bad policy 'REJECT'; expected ACCEPT or DROP/,
  ),
  file('-P DROP in nat', '*nat\n-P PREROUTING DROP\nCOMMIT\n', 2, /not for filtering/),
  file(
    'an insertion beyond the end',
    '*filter\n-I INPUT 2 -j DROP\nCOMMIT\n',
    2,
    /has 0 rules; there is no place 2/,
  ),
  file('a deletion of nothing', '*filter\n-D INPUT -j DROP\nCOMMIT\n', 2, /no such rule/),
  file(
    'unclosed counters',
    '*filter\n[1:2 -A INPUT -j DROP\nCOMMIT\n',
    2,
    /bad counters; expected \[packets:bytes\]/,
  ),
  file(
    'an open quote',
    '*filter\n-A INPUT -m comment --comment "x -j DROP\nCOMMIT\n',
    2,
    /expected a closing "/,
    { refusedByAll: false },
  ),
];

const SYNTAX: readonly BadFile[] = [
  rule('an unknown option', '--frobnicate', /unknown option '--frobnicate'/),
  rule('an option of a match that is not there', '--dport 80', /unknown option '--dport'/),
  rule('an option that could be two', '-m recent --s', /unknown option '--s'/),
  rule('a stray word', 'foo', /bad argument 'foo'; expected an option/),
  rule('a missing value', '-s', /option '-s' needs a value/),
  rule('a value glued to -s', '-s1.2.3.4', /a word of its own/),
  rule('nothing after !', '!', /nothing follows '!'/),
  rule('! twice', '! ! -s 1.1.1.1', /two '!' in a row/),
  rule('! before -j', '! -j ACCEPT', /'!' cannot stand before -j/),
  rule('! in the middle', '-s ! 1.1.1.1', /bad address '!'/),
  rule('! before what cannot be inverted', '-m limit ! --limit 1/s', /cannot be inverted/),
  rule('-s twice', '-s 1.1.1.1 -s 2.2.2.2', /-s is given twice/),
  rule('two targets', '-j ACCEPT -j DROP', /more than one -j or -g/),
  rule('an option twice', '-p tcp --dport 1 --dport 2', /--dport can only be used once/),
  rule('two spellings of one option', '-p tcp --dport 1 --destination-port 2', /can only be used once/),
  rule('-t', '-t nat -j ACCEPT', /-t cannot stand in a restore file/),
  rule('-o on the way in', '-o eth0', /-o cannot be used in INPUT/),
  rule('a long device name', '-i sixteen-letters-', /longer than 15 characters/),
  rule('a long target name', `-j ${'A'.repeat(29)}`, /bad target name/),
  rule('a long word', `-m comment --comment ${'a'.repeat(1024)}`, /longer than the 1023 bytes/),
  rule('! with several addresses', '! -s 1.1.1.1,2.2.2.2', /not allowed with several/),
];

const VALUES: readonly BadFile[] = [
  rule(
    'an IPv6 address among IPv4 rules',
    '-s fd00::1',
    /an IPv6 address 'fd00::1' for -s; this file holds ipv4 rules/,
  ),
  rule('an IPv4 address among IPv6 rules', '-d 10.0.0.1', /an IPv4 address '10.0.0.1' for -d/, {
    family: 'ipv6',
  }),
  rule('an octet too large', '-s 10.0.0.256', /bad address '10.0.0.256' for -s; expected an IPv4 address/),
  rule('a length too large', '-s 10.0.0.0/33', /bad mask '\/33' for -s; expected a length from 0 to 32/),
  rule('an IPv6 length too large', '-s fd00::/129', /expected a length from 0 to 128/, { family: 'ipv6' }),
  rule('an unknown protocol', '-p tpc', /unknown protocol 'tpc' for -p/),
  rule('! -p all', '! -p all', /never matches/),
  rule(
    'a port too large',
    '-p tcp --dport 65536',
    /bad port '65536' for --dport; expected a number from 0 to 65535/,
  ),
  rule('a port that nobody assigned', '-p udp --dport nosuch', /bad port 'nosuch'/),
  rule('a port range upside down', '-p tcp --dport 90:80', /expected the lower port first/),
  rule('an unknown TCP flag', '-p tcp --tcp-flags SYN,FOO SYN', /unknown TCP flag 'FOO'/),
  rule(
    'sixteen ports',
    '-p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16',
    /too many ports/,
  ),
  rule('ports without a protocol', '-m tcp --dport 80', /tcp needs -p tcp/),
  rule('ports of another protocol', '-p udp -m tcp --dport 80', /tcp needs -p tcp/),
  rule('multiport without a protocol', '-m multiport --dports 80', /multiport needs -p tcp/),
  rule('an ICMP type that could be two', '-p icmp --icmp-type echo', /may be echo-reply or echo-request/),
  rule('an unknown ICMP type', '-p icmp --icmp-type nosuch', /expected a type name, TYPE or TYPE\/CODE/),
  rule('a mark too large', '-m mark --mark 0x100000000', /expected VALUE or VALUE\/MASK/),
  rule(
    'a probability above one',
    '-m statistic --mode random --probability 1.1',
    /bad probability '1.1'; expected a number from 0 to 1/,
  ),
  rule('a probability that is none', '-m statistic --mode random --probability x', /bad probability 'x'/),
  rule('a packet never reached', '-m statistic --mode nth --every 3 --packet 3', /expected 0 to 2/),
  rule('every without packet', '-m statistic --mode nth --every 3', /needs --every and --packet/),
  rule(
    'an unknown state',
    '-m conntrack --ctstate OLD',
    /bad value 'OLD' for --ctstate; expected a comma list of/,
  ),
  rule('an unknown address type', '-m addrtype --dst-type HERE', /bad address type 'HERE'/),
  rule('conntrack without options', '-m conntrack', /needs at least one/),
  rule('recent without an action', '-m recent --name x', /needs --set/),
  rule('reap without seconds', '-m recent --rcheck --reap', /--reap needs --seconds/),
  rule('a rate of nothing', '-m limit --limit 0/s', /bad rate '0\/s'/),
  rule('a rate in an unknown unit', '-m limit --limit 5/week', /bad rate '5\/week'/),
  rule('a rate too fast', '-m limit --limit 20000/s', /faster than --limit can hold/),
  rule('an IPv4 match among IPv6 rules', '-m ttl --ttl-eq 1', /-m ttl is not for ipv6/, { family: 'ipv6' }),
  rule('a type IPv6 does not have', '-m addrtype --dst-type BROADCAST', /BROADCAST is not for IPv6/, {
    family: 'ipv6',
  }),
  rule('an unknown reject type', '-j REJECT --reject-with rudely', /unknown reject type 'rudely'/),
  rule(
    'an IPv6 reject type among IPv4 rules',
    '-j REJECT --reject-with icmp6-no-route',
    /unknown reject type/,
  ),
  rule('tcp-reset without -p tcp', '-j REJECT --reject-with tcp-reset', /needs -p tcp/),
  rule('a name that is no match', '-m -j ACCEPT', /cannot be the name of a match/),
];

const PLACES: readonly BadFile[] = [
  ruleIn(
    'filter INPUT',
    '-j DNAT --to-destination 1.1.1.1',
    /-j DNAT cannot stand in \*filter; expected it in \*nat/,
  ),
  ruleIn('nat POSTROUTING', '-j DNAT --to-destination 1.1.1.1', /-j DNAT cannot be reached from POSTROUTING/),
  ruleIn('nat PREROUTING', '-j SNAT --to-source 1.1.1.1', /-j SNAT cannot be reached from PREROUTING/),
  ruleIn('nat INPUT', '-j MASQUERADE', /-j MASQUERADE cannot be reached from INPUT/),
  ruleIn('nat POSTROUTING', '-j REDIRECT', /-j REDIRECT cannot be reached from POSTROUTING/),
  ruleIn('nat PREROUTING', '-j DROP', /nat table is not for filtering/),
  ruleIn('nat PREROUTING', '-j REJECT', /-j REJECT cannot stand in \*nat/),
  ruleIn('filter INPUT', '-j NOTRACK', /-j NOTRACK cannot stand in \*filter; expected it in \*raw/),
  ruleIn('filter INPUT', '-j CT --zone 1', /-j CT cannot stand in \*filter/),
  ruleIn('filter INPUT', '-j TTL --ttl-set 1', /-j TTL cannot stand in \*filter; expected it in \*mangle/),
  ruleIn('filter INPUT', '-j CHECKSUM --checksum-fill', /-j CHECKSUM cannot stand in \*filter/),
  ruleIn('filter INPUT', '-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu', /cannot be reached from INPUT/),
  ruleIn('mangle FORWARD', '-j TCPMSS --set-mss 9', /TCPMSS needs -p tcp/),
  ruleIn('filter OUTPUT', '-m physdev --physdev-out a', /cannot be reached from OUTPUT/),
  ruleIn('filter OUTPUT', '-m addrtype --dst-type LOCAL --limit-iface-in', /cannot be reached from OUTPUT/),
  ruleIn(
    'nat PREROUTING',
    '-j DNAT --to-destination 1.1.1.1:80',
    /needs -p tcp, udp, sctp or dccp before it/,
  ),
  ruleIn('nat PREROUTING', '-p tcp -j DNAT --to-destination fd00::1', /an IPv6 address/),
  ruleIn('nat PREROUTING', '-p tcp -j DNAT --to-destination 1.1.1.1:90-80', /expected the lower port first/),
  ruleIn('nat PREROUTING', '-p tcp -j REDIRECT --to-ports 1-2/3', /takes no \/BASE/),
  ruleIn('nat PREROUTING', '-j DNAT', /needs --to-destination/),
  file(
    'DNAT two chains away from POSTROUTING',
    '*nat\n:X - [0:0]\n:Y - [0:0]\n-A POSTROUTING -j X\n-A X -g Y\n-A Y -j DNAT --to-destination 1.1.1.1\nCOMMIT\n',
    6,
    /-j DNAT cannot be reached from POSTROUTING/,
  ),
];

export const BAD_FILES: readonly BadFile[] = [...STRUCTURE, ...SYNTAX, ...VALUES, ...PLACES];
