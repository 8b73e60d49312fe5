/** Tools on the virtual clock: what they print is exact, times included. The kernel suites compare with the real ones. */
import { describe, expect, it } from 'vitest';
import { startUdpEcho } from '../../../src/cluster/apps/echo.ts';
import { startHttpServer } from '../../../src/cluster/apps/http/http-server.ts';
import { podPages } from '../../../src/cluster/apps/http/pod-pages.ts';
import { runTool, smallNetwork } from './small-network.ts';

const SLOW = { latency: 0.005 };

function withPages(rules?: string) {
  const network = smallNetwork({ wire: SLOW, ...(rules === undefined ? {} : { rules }) });
  startHttpServer(network.server.sockets, { port: 80, handler: podPages('web-0') });
  return network;
}

const FILTER = (rule: string) =>
  `*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${rule}\nCOMMIT\n`;

describe('ping', () => {
  it('tells round trips and their statistics', () => {
    const { client } = smallNetwork({ wire: SLOW });
    expect(runTool(client, 'ping -c 2 10.2.0.2')).toEqual({
      code: 0,
      error: '',
      // The first one has to find the router first: a question and an answer over the slow wire.
      out: [
        'PING 10.2.0.2 (10.2.0.2) 56(84) bytes of data.',
        '64 bytes from 10.2.0.2: icmp_seq=1 ttl=63 time=20.0 ms',
        '64 bytes from 10.2.0.2: icmp_seq=2 ttl=63 time=10.0 ms',
        '',
        '--- 10.2.0.2 ping statistics ---',
        '2 packets transmitted, 2 received, 0% packet loss, time 1000ms',
        'rtt min/avg/max/mdev = 10.000/15.000/20.000/5.000 ms',
        '',
      ].join('\n'),
    });
  });

  it('without -c ends after four', () => {
    const { client } = smallNetwork();
    expect(runTool(client, 'ping -q 10.2.0.2').out).toContain('4 packets transmitted, 4 received');
  });

  it('counts what was lost on the way', () => {
    const { client } = smallNetwork({ rules: FILTER('-A INPUT -p icmp -j DROP') });
    const { code, out } = runTool(client, 'ping -c 3 -W 1 10.2.0.2');
    expect(code).toBe(1);
    expect(out).toContain('3 packets transmitted, 0 received, 100% packet loss, time 2000ms');
  });

  it('says which neighbour is not there, and how many were waiting for it', () => {
    const { client } = smallNetwork();
    const { code, out } = runTool(client, 'ping -c 2 10.1.0.9');
    expect(code).toBe(1);
    expect(out).toContain('From 10.1.0.2 icmp_seq=1 Destination Host Unreachable\n');
    expect(out).toMatch(
      /2 packets transmitted, 0 received, \+2 errors, 100% packet loss, time 1000ms\npipe 2\n$/,
    );
  });

  it.each([
    [
      'an MTU on the way',
      'ping -c 1 -s 3000 -M do 10.2.0.2',
      1,
      'ping: local error: message too long, mtu=1500\n',
    ],
    ['no destination', 'ping', 1, 'ping: usage error: Destination address required\n'],
    ['a bad count', 'ping -c x 10.2.0.2', 1, "ping: invalid argument: 'x'\n"],
    ['a name without a resolver', 'ping -c 1 web', 2, 'ping: web: Temporary failure in name resolution\n'],
    [
      'an address that is not ours',
      'ping -c 1 -I 10.9.9.9 10.2.0.2',
      2,
      'ping: bind: Cannot assign requested address\n',
    ],
  ])('%s', (_, command, code, error) => {
    const printed = runTool(smallNetwork().client, command);
    expect(printed.error).toBe(error);
    expect(printed.code).toBe(code);
  });
});

describe('traceroute', () => {
  it.each(['', '-I ', '-T '])('%s shows each hop once', (flag) => {
    const { client } = withPages();
    runTool(client, 'ping -c 1 10.2.0.2');
    expect(runTool(client, `traceroute -n ${flag}10.2.0.2`).out).toBe(
      [
        'traceroute to 10.2.0.2 (10.2.0.2), 30 hops max, 60 byte packets',
        ' 1  10.1.0.1  10.000 ms  10.000 ms  10.000 ms',
        ' 2  10.2.0.2  10.000 ms  10.000 ms  10.000 ms',
        '',
      ].join('\n'),
    );
  });

  it('shows stars where nobody answers', () => {
    const { client } = withPages(FILTER('-A INPUT -j DROP'));
    expect(runTool(client, 'traceroute -n -m 3 -q 2 -w 1 10.2.0.2').out).toMatch(
      /\n 2 {2}\* \*\n 3 {2}\* \*\n$/,
    );
  });
});

describe('curl', () => {
  it('prints the page', () => {
    expect(runTool(withPages().client, 'curl 10.2.0.2')).toEqual({ code: 0, out: 'web-0\n', error: '' });
  });

  it('takes as long as the wire does', () => {
    const { client } = withPages();
    runTool(client, 'ping -c 1 10.2.0.2');
    const format = '%{http_code}|%{time_connect}|%{time_starttransfer}|%{time_total}|%{remote_ip}';
    expect(runTool(client, `curl -s -o /dev/null -w ${format} 10.2.0.2`).out).toBe(
      '200|0.010000|0.020000|0.020000|10.2.0.2',
    );
  });

  it.each([
    [
      'a closed port',
      'curl 10.2.0.2:81',
      undefined,
      7,
      "curl: (7) Failed to connect to 10.2.0.2 port 81 after 20 ms: Couldn't connect to server\n",
    ],
    [
      'a silent one',
      'curl -m 2 10.2.0.2:81',
      '-A INPUT -p tcp -j DROP',
      28,
      'curl: (28) Connection timed out after 2000 milliseconds\n',
    ],
    [
      'a silent one, patiently',
      'curl 10.2.0.2:81',
      '-A INPUT -p tcp -j DROP',
      28,
      'curl: (28) Failed to connect to 10.2.0.2 port 81 after 127000 ms: Timeout was reached\n',
    ],
    [
      'another protocol',
      'curl https://10.2.0.2',
      undefined,
      1,
      'curl: (1) Protocol "https" not supported or disabled in libcurl\n',
    ],
    [
      'a file',
      'curl -o page.html 10.2.0.2',
      undefined,
      23,
      'curl: (23) Failure writing output to destination: there are no files here but /dev/null\n',
    ],
  ])('%s', (_, command, rule, code, error) => {
    const { client } = withPages(rule === undefined ? undefined : FILTER(rule));
    expect(runTool(client, command)).toEqual({ code, out: '', error });
  });
});

describe('tcpdump', () => {
  it('shows what others do meanwhile, on the virtual clock', () => {
    const { client, router } = smallNetwork({ wire: SLOW });
    const { out, error } = runTool(router, 'tcpdump -ni left icmp', {
      meanwhile: () => runTool(client, 'ping -c 1 10.2.0.2'),
    });
    expect(out).toMatch(
      /^00:00:00\.015000 IP 10\.1\.0\.2 > 10\.2\.0\.2: ICMP echo request, id \d+, seq 1, length 64\n/,
    );
    expect(out.trimEnd().split('\n')).toHaveLength(2);
    expect(error).toContain(
      'listening on left, link-type EN10MB (Ethernet), snapshot length 262144 bytes\n2 packets captured\n',
    );
  });

  const filters: readonly [string, number][] = [
    ['arp', 2],
    ['icmp', 2],
    ['icmp or arp', 4],
    ['not icmp', 2],
    ['src 10.1.0.2 and icmp', 1],
    ['( src host 10.1.0.2 or dst net 10.1.0.0/24 ) and ip', 2],
    ['tcp port 80', 0],
    ['ip6', 0],
    ['host 10.1.0.1', 2],
  ];
  it.each(filters)('filter: %s', (filter, lines) => {
    const { client, router } = smallNetwork();
    const { out } = runTool(router, `tcpdump -nti left ${filter}`, {
      // No link-local chatter before it.
      meanwhile: () => runTool(client, 'ping -c 1 10.2.0.2'),
    });
    expect(out.split('\n').filter((line) => line !== '')).toHaveLength(lines);
  });

  it.each([
    ['icmp and', "tcpdump: can't parse filter expression: syntax error\n"],
    ['port nosuch', "tcpdump: unknown port 'nosuch'\n"],
  ])('refuses the filter %s', (filter, error) => {
    const printed = runTool(smallNetwork().router, `tcpdump -ni left ${filter}`);
    expect(printed).toEqual({ code: 1, out: '', error });
  });
});

describe('what earlier tools leave behind', () => {
  const NAT =
    '*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n-A PREROUTING -p udp -m udp --dport 53 -j REDIRECT --to-ports 5353\nCOMMIT\n';

  it('conntrack: entries with their timeouts', () => {
    const { client, server } = smallNetwork({ rules: NAT });
    startUdpEcho(server.sockets, 5353);
    runTool(client, 'nc -zu -p 4000 10.2.0.2 53');
    const { out, error } = runTool(server, 'conntrack -L');
    expect(error).toBe('conntrack v1.4.7 (conntrack-tools): 1 flow entries have been shown.\n');
    expect(out).toMatch(
      /^udp {6}17 \d+ src=10\.1\.0\.2 dst=10\.2\.0\.2 sport=4000 dport=53 src=10\.2\.0\.2 dst=10\.1\.0\.2 sport=5353 dport=4000 (\[ASSURED\] )?mark=0 use=1\n$/,
    );
  });

  it.each([
    ['-L -p tcp', 0],
    ['-L -p udp', 1],
    ['-L -g', 1],
    ['-L -n', 0],
    ['-L -s 10.1.0.2', 1],
    ['-L --dport 53', 1],
    ['-L --dport 54', 0],
    ['-L -f ipv6', 0],
  ])('conntrack %s', (args, count) => {
    const { client, server } = smallNetwork({ rules: NAT });
    startUdpEcho(server.sockets, 5353);
    runTool(client, 'nc -zu 10.2.0.2 53');
    expect(runTool(server, `conntrack ${args}`).error).toContain(`: ${count} flow entries have been shown.`);
  });

  it('ip neigh: the router, and who was not there', () => {
    const { client } = smallNetwork();
    runTool(client, 'ping -c 1 -W 4 10.1.0.9');
    runTool(client, 'ping -c 1 10.2.0.2');
    const { out } = runTool(client, 'ip -4 neigh');
    expect(out).toMatch(/10\.1\.0\.1 dev eth0 lladdr [0-9a-f:]{17} REACHABLE \n/);
    expect(out).toContain('10.1.0.9 dev eth0 FAILED \n');
  });

  it('iptables-save: counters', () => {
    const { client, server } = smallNetwork({ rules: FILTER('-A INPUT -p icmp -j ACCEPT') });
    runTool(client, 'ping -c 2 10.2.0.2');
    expect(runTool(server, 'iptables-save -c -t filter').out).toContain(
      '[2:168] -A INPUT -p icmp -j ACCEPT\n',
    );
  });

  it('sysctl: read, written, refused', () => {
    const { router } = smallNetwork();
    expect(runTool(router, 'sysctl -n net.ipv4.ip_forward').out).toBe('1\n');
    expect(runTool(router, 'sysctl -w net.ipv4.conf.left.rp_filter=1').out).toBe(
      'net.ipv4.conf.left.rp_filter = 1\n',
    );
    expect(runTool(router, 'sysctl net/ipv4/conf/left/rp_filter').out).toBe(
      'net.ipv4.conf.left.rp_filter = 1\n',
    );
    expect(runTool(router, 'sysctl net.ipv4.conf.nosuch.rp_filter')).toEqual({
      code: 1,
      out: '',
      error: 'sysctl: cannot stat /proc/sys/net/ipv4/conf/nosuch/rp_filter: No such file or directory\n',
    });
    expect(runTool(router, 'sysctl net.ipv4.ip_forward=yes').error).toBe(
      'sysctl: setting key "net.ipv4.ip_forward": Invalid argument\n',
    );
    expect(runTool(router, 'sysctl -a -r ^net.ipv4.conf.left.arp_ignore$').out).toBe(
      'net.ipv4.conf.left.arp_ignore = 0\n',
    );
  });

  it('ss: listeners', () => {
    const { server } = withPages();
    expect(runTool(server, 'ss -tln').out).toBe(
      'State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n' +
        'LISTEN 0      4096               *:80              *:*          \n',
    );
  });
});
