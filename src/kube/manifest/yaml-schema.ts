/**
 * How kubectl reads a plain YAML scalar. kubectl's parser (sigs.k8s.io/yaml over go-yaml v2) follows neither
 * YAML 1.1 nor 1.2: `y`, `on` and `Off` are booleans and `017` is octal, as in 1.1, but `22:22` and
 * `2024-01-01` stay text and `0o17` is octal, as in 1.2. Every row of the table in
 * test/kube/yaml-schema.test.ts was read off kubectl itself.
 */
import {
  boolYaml11Tag,
  defineScalarTag,
  FAILSAFE_SCHEMA,
  mergeTag,
  NOT_RESOLVED,
  nullYaml11Tag,
  type Schema,
} from 'js-yaml';

const NUMBER_START = [...'0123456789+-.'];
const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|([1-9][0-9]*|0))$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

/** The bases in the order of INTEGER's groups. */
const BASES = [16, 2, 8, 10];

/** What go-yaml's resolve() makes of a scalar that starts like a number: underscores are dropped first. */
function resolveNumber(source: string): number | typeof NOT_RESOLVED {
  const plain = source.includes('_') ? source.replaceAll('_', '') : source;
  const integer = INTEGER.exec(plain);
  if (integer !== null) {
    const group = integer.findIndex((digits, index) => index >= 2 && digits !== undefined);
    const magnitude = Number.parseInt(integer[group] ?? '', BASES[group - 2] ?? 10);
    return integer[1] === '-' && magnitude !== 0 ? -magnitude : magnitude;
  }
  if (!FLOAT.test(plain)) return NOT_RESOLVED;
  const value = Number(plain);
  if (!Number.isFinite(value)) return NOT_RESOLVED;
  return value === 0 ? 0 : value;
}

const numberTag = defineScalarTag('tag:yaml.org,2002:float', {
  implicit: true,
  implicitFirstChars: NUMBER_START,
  resolve: resolveNumber,
  identify: () => false,
});

/** `!!int` written out; plain integers are resolved by `numberTag`. */
const integerTag = defineScalarTag('tag:yaml.org,2002:int', {
  resolve: (source) => {
    const value = resolveNumber(source);
    return typeof value === 'number' && Number.isInteger(value) ? value : NOT_RESOLVED;
  },
  identify: () => false,
});

/** Resolves scalars as kubectl does; mappings become plain objects, sequences arrays. */
export const KUBECTL_SCHEMA: Schema = FAILSAFE_SCHEMA.withTags(
  nullYaml11Tag,
  boolYaml11Tag,
  numberTag,
  integerTag,
  mergeTag,
);
