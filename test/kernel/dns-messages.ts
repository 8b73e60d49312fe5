/** DNS messages by hand, for printers of them. */

const name = (text: string): number[] =>
  text === '.'
    ? [0]
    : [...text.split('.').flatMap((label) => [label.length, ...new TextEncoder().encode(label)]), 0];
const u16 = (value: number) => [value >> 8, value & 255];

function header(id: number, flags: number, ...counts: number[]): number[] {
  return [...u16(id), ...u16(flags), ...counts.flatMap(u16)];
}

const question = (text: string, type: number) => [...name(text), ...u16(type), ...u16(1)];
/** A record whose name is the question's. */
const record = (type: number, data: readonly number[]) => [
  0xc0,
  12,
  ...u16(type),
  ...u16(1),
  0,
  0,
  0,
  30,
  ...u16(data.length),
  ...data,
];

const WEB = 'web.default.svc.cluster.local';

/** Questions and answers of the kinds a cluster sees. */
export function writeDnsMessage(): readonly { readonly asks: boolean; readonly bytes: Uint8Array }[] {
  const opt = [0, ...u16(41), ...u16(1232), 0, 0, 0, 0, 0, 0];
  const ask = (type: number) => [...header(7, 0x100, 1, 0, 0, 0), ...question(WEB, type)];
  const answer = (type: number, ...records: (readonly number[])[]) => [
    ...header(7, 0x8580, 1, records.length, 0, 0),
    ...question(WEB, type),
    ...records.flat(),
  ];
  return [
    ...[1, 28, 33, 12, 16, 15, 5, 6, 2, 255, 65].map((type) => ({ asks: true, bytes: ask(type) })),
    { asks: true, bytes: [...header(8, 0x120, 1, 0, 0, 1), ...question(WEB, 1), ...opt] },
    { asks: false, bytes: answer(1, record(1, [10, 96, 0, 10])) },
    { asks: false, bytes: answer(1, record(1, [10, 244, 1, 5]), record(1, [10, 244, 2, 6])) },
    { asks: false, bytes: answer(28, record(28, [0xfd, ...new Array<number>(14).fill(0), 10])) },
    { asks: false, bytes: answer(33, record(33, [0, 0, 0, 100, 0, 80, ...name(`web-0.${WEB}`)])) },
    { asks: false, bytes: answer(12, record(12, name(WEB))) },
    { asks: false, bytes: answer(16, record(16, [3, 97, 98, 99, 2, 100, 101])) },
    { asks: false, bytes: answer(15, record(15, [0, 10, ...name('mail.example')])) },
    { asks: false, bytes: answer(5, record(5, [3, 97, 98, 99, 0xc0, 12]), record(1, [1, 2, 3, 4])) },
    { asks: false, bytes: [...header(9, 0x8583, 1, 0, 0, 0), ...question('nosuch.example', 1)] },
    { asks: false, bytes: [...header(9, 0x8182, 1, 0, 0, 0), ...question('nosuch.example', 1)] },
    { asks: false, bytes: [...header(9, 0x8305, 1, 0, 0, 0), ...question('nosuch.example', 28)] },
    { asks: false, bytes: [...header(10, 0x8180, 1, 0, 0, 1), ...question(WEB, 1), ...opt] },
  ].map(({ asks, bytes }) => ({ asks, bytes: Uint8Array.from(bytes) }));
}
