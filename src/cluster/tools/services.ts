/** Names of well-known ports as /etc/services has them, for tools that print names instead of numbers. */

const NAMES: Readonly<Record<string, readonly (readonly [port: number, name: string])[]>> = {
  tcp: [
    [7, 'echo'],
    [9, 'discard'],
    [20, 'ftp-data'],
    [21, 'ftp'],
    [22, 'ssh'],
    [23, 'telnet'],
    [25, 'smtp'],
    [53, 'domain'],
    [80, 'http'],
    [88, 'kerberos'],
    [110, 'pop3'],
    [111, 'sunrpc'],
    [143, 'imap2'],
    [179, 'bgp'],
    [389, 'ldap'],
    [443, 'https'],
    [465, 'submissions'],
    [587, 'submission'],
    [636, 'ldaps'],
    [873, 'rsync'],
    [993, 'imaps'],
    [995, 'pop3s'],
    [1433, 'ms-sql-s'],
    [2049, 'nfs'],
    [3306, 'mysql'],
    [3389, 'ms-wbt-server'],
    [5060, 'sip'],
    [5222, 'xmpp-client'],
    [5432, 'postgresql'],
    [5672, 'amqp'],
    [6379, 'redis'],
    [8080, 'http-alt'],
    [10050, 'zabbix-agent'],
  ],
  udp: [
    [7, 'echo'],
    [9, 'discard'],
    [53, 'domain'],
    [67, 'bootps'],
    [68, 'bootpc'],
    [69, 'tftp'],
    [88, 'kerberos'],
    [111, 'sunrpc'],
    [123, 'ntp'],
    [137, 'netbios-ns'],
    [161, 'snmp'],
    [443, 'https'],
    [500, 'isakmp'],
    [514, 'syslog'],
    [2049, 'nfs'],
    [4500, 'ipsec-nat-t'],
    [5060, 'sip'],
    [5353, 'mdns'],
  ],
};

const BY_PROTOCOL = new Map(Object.entries(NAMES).map(([protocol, list]) => [protocol, new Map(list)]));

/** The service's name; undefined when the port has none. */
export function serviceName(protocol: 'tcp' | 'udp', port: number): string | undefined {
  return BY_PROTOCOL.get(protocol)?.get(port);
}

/** The port of a service by its name. */
export function servicePort(protocol: 'tcp' | 'udp', name: string): number | undefined {
  return NAMES[protocol]?.find(([, known]) => known === name)?.[0];
}
