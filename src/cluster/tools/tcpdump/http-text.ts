/** The first line of an HTTP message as tcpdump shows it. */

const METHODS: ReadonlySet<string> = new Set(
  (
    'GET PUT COPY HEAD LOCK MOVE POLL POST BCOPY BMOVE MKCOL TRACE LABEL MERGE DELETE SEARCH UNLOCK REPORT UPDATE ' +
    'NOTIFY BDELETE CONNECT OPTIONS CHECKIN PROPFIND CHECKOUT CCM_POST SUBSCRIBE PROPPATCH BPROPFIND BPROPPATCH ' +
    'UNCHECKOUT MKACTIVITY MKWORKSPACE UNSUBSCRIBE RPC_CONNECT VERSION-CONTROL BASELINE-CONTROL'
  ).split(' '),
);

/** `HTTP: GET / HTTP/1.1`; `HTTP` alone for what begins with neither a request nor a status line. */
export function httpText(data: Uint8Array): string {
  const text = Array.from(data.subarray(0, 512), (byte) => String.fromCharCode(byte)).join('');
  const line = /^[\x20-\x7e\t]*/.exec(text)?.[0] ?? '';
  const [first = '', second = ''] = line.split(/[ \t]+/);
  const isRequest = METHODS.has(first.toUpperCase());
  const isStatus = first !== '' && /^\d{3}$/.test(second);
  return isRequest || isStatus ? `HTTP: ${line}` : 'HTTP';
}
