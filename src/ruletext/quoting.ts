/** Free text in rules: bare when harmless, else in double quotes with escapes. */

const HARMLESS = /^[A-Za-z0-9_-]+$/;
const SPECIAL = /["\\']/g;
const HAS_SPECIAL = /["\\']/;

/** `text` as saves print it (libxtables/xtables.c, xtables_save_string). */
export function quote(text: string): string {
  if (HARMLESS.test(text)) return text;
  return HAS_SPECIAL.test(text) ? `"${text.replace(SPECIAL, '\\$&')}"` : `"${text}"`;
}
