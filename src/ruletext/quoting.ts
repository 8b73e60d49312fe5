/** Free text in rules: bare when harmless, else in double quotes with escapes; cut to the kernel's fields. */

const HARMLESS = /^[A-Za-z0-9_-]+$/;
const SPECIAL = /["\\']/g;
const HAS_SPECIAL = /["\\']/;

/** `text` as saves print it (libxtables/xtables.c, xtables_save_string). */
export function quote(text: string): string {
  if (HARMLESS.test(text)) return text;
  return HAS_SPECIAL.test(text) ? `"${text.replace(SPECIAL, '\\$&')}"` : `"${text}"`;
}

/**
 * The first `bytes` bytes of `text` in UTF-8, whole characters only: iptables cuts what does not fit into a
 * field of the kernel's without a word.
 */
export function cutToBytes(text: string, bytes: number): string {
  // No UTF-16 unit takes more than three bytes.
  if (text.length * 3 <= bytes) return text;
  let used = 0;
  let end = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    used += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (used > bytes) return text.slice(0, end);
    end += character.length;
  }
  return text;
}
