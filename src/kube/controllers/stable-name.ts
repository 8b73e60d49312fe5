/**
 * Generated names, in the shape the control plane gives them, but the same for the same input: the API
 * server's random suffixes would make every run print something else.
 */

/** apimachinery's alphabet (util/rand): no vowels and no 0, 1 or 3, so that no words come about. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;
/** names.simpleNameGenerator: 63 characters less the suffix. */
const MAX_BASE = 58;

/** FNV-1a, 32 bits, over the UTF-16 units of `text`; unsigned. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** rand.SafeEncodeString: decimal digits as letters nobody reads a word in. */
function safeEncode(text: string): string {
  return [...text].map((char) => ALPHABET[char.charCodeAt(0) % ALPHABET.length]).join('');
}

/** What `pod-template-hash` looks like: up to ten characters. */
export function templateHash(value: unknown): string {
  return safeEncode(String(fnv1a(canonical(value))));
}

/** JSON with sorted keys: equal values give equal text. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(',')}}`;
}

function suffix(seed: string): string {
  let hash = fnv1a(seed);
  let text = '';
  for (let i = 0; i < SUFFIX_LENGTH; i++) {
    // FNV's low bits alone are weak; a product with a large odd number mixes before each letter is taken.
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
    text += ALPHABET[hash % ALPHABET.length];
  }
  return text;
}

/** `base` and a suffix of five characters, decided by `seed` and none of `taken`. */
export function generateName(base: string, seed: string, taken: Pick<ReadonlySet<string>, 'has'>): string {
  const stem = base.slice(0, MAX_BASE);
  for (let attempt = 0; ; attempt++) {
    const name = `${stem}${suffix(`${seed}/${attempt}`)}`;
    if (!taken.has(name)) return name;
  }
}
