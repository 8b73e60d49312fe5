/** For configuration kinds that refuse unknown fields: a typing error there would change nothing, silently. */
import { nearestWord } from '../nearest.ts';
import { type Cursor, fail, members } from './cursor.ts';

/** Throws when the object under `at` has a field that is not in `known`; names the nearest one that is. */
export function refuseUnknownFields(at: Cursor, known: readonly string[]): void {
  for (const member of members(at)) {
    const key = String(member.key);
    if (known.includes(key)) continue;
    const near = nearestWord(key, known);
    fail(
      member,
      `unknown field; ${near === undefined ? `expected ${known.join(', ')}` : `did you mean ${near}?`}`,
    );
  }
}
