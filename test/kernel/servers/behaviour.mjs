/** Servers that misbehave in every way a client has a message for, as data: what they say, and then do. */
import dnsPacket from 'dns-packet';

const BODY = 'web-0\n';
const page = (status, ...headers) =>
  `HTTP/1.1 ${status}\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`;

export const BEHAVIOURS = [
  { port: 8080, says: `${page('200 OK', 'Content-Type: text/plain', `Content-Length: ${BODY.length}`)}${BODY}`, then: 'wait' },
  { port: 81, says: '', then: 'close' },
  { port: 82, says: '', then: 'reset' },
  { port: 83, says: '', then: 'wait' },
  { port: 84, says: `${page('200 OK', 'Content-Length: 100')}abc`, then: 'close' },
  { port: 85, says: `${page('200 OK', 'Transfer-Encoding: chunked')}4\r\nweb-\r\n2\r\n0\n\r\n0\r\n\r\n`, then: 'wait' },
  { port: 86, says: `${page('200 OK')}${BODY}`, then: 'close' },
  { port: 87, says: `${page('404 Not Found', 'Content-Length: 3')}no\n`, then: 'wait' },
  { port: 88, says: page('302 Found', 'Location: http://10.77.2.2:8080/there', 'Content-Length: 0'), then: 'wait' },
  { port: 89, says: 'SSH-2.0-nobody\r\n', then: 'wait' },
  { port: 90, says: `${page('204 No Content')}`, then: 'wait' },
  { port: 91, says: `${page('200 OK', 'Content-Length: 100')}abc`, then: 'wait' },
];

/** Answers of the name server: records by name and type, or a response code. */
const ZONE = {
  'web.test A': [{ type: 'A', name: 'web.test', ttl: 30, data: '10.77.2.2' }],
  'web.test AAAA': [{ type: 'AAAA', name: 'web.test', ttl: 30, data: 'fd77:2::2' }],
  'two.test A': [
    { type: 'A', name: 'two.test', ttl: 5, data: '10.77.2.2' },
    { type: 'A', name: 'two.test', ttl: 100000, data: '10.77.2.3' },
  ],
  'alias.test A': [
    { type: 'CNAME', name: 'alias.test', ttl: 30, data: 'web.test' },
    { type: 'A', name: 'web.test', ttl: 30, data: '10.77.2.2' },
  ],
  '_http._tcp.a-rather-long-name-of-a-service.test SRV': [
    {
      type: 'SRV',
      name: '_http._tcp.a-rather-long-name-of-a-service.test',
      ttl: 30,
      data: { priority: 0, weight: 50, port: 80, target: 'web-0.test' },
    },
  ],
  '2.2.77.10.in-addr.arpa PTR': [{ type: 'PTR', name: '2.2.77.10.in-addr.arpa', ttl: 30, data: 'web.test' }],
  'text.test TXT': [{ type: 'TXT', name: 'text.test', ttl: 30, data: 'hello world' }],
  'fail.test A': 'SERVFAIL',
  'refused.test A': 'REFUSED',
  'empty.test A': [],
};

const RCODES = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 };

/** The answer to `query`; undefined: silence. */
export function answerName(query) {
  const asked = dnsPacket.decode(Buffer.from(query));
  const [question] = asked.questions ?? [];
  if (question === undefined || question.name === 'silent.test') return undefined;
  const found = ZONE[`${question.name} ${question.type}`] ?? 'NXDOMAIN';
  const answers = typeof found === 'string' ? [] : [...found];
  const wanted = asked.flag_rd ? dnsPacket.RECURSION_DESIRED : 0;
  const edns = asked.additionals?.some(({ type }) => type === 'OPT');
  const option = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: 1232,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
  const bytes = dnsPacket.encode({
    type: 'response',
    ...(asked.id === undefined ? {} : { id: asked.id }),
    flags: dnsPacket.AUTHORITATIVE_ANSWER | wanted | (typeof found === 'string' ? (RCODES[found] ?? 0) : 0),
    questions: [question],
    answers,
    additionals: edns ? [option] : [],
  });
  return new Uint8Array(bytes);
}

