/**
 * The API server's rules for names (k8s.io/apimachinery/pkg/util/validation). Each takes the text and
 * returns what is wrong with it, or undefined.
 */
const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const DNS_1123_LABEL = new RegExp(`^${LABEL}$`);
const DNS_1123_SUBDOMAIN = new RegExp(`^${LABEL}(\\.${LABEL})*$`);
const DNS_1035_LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const QUALIFIED_PART = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

type Problem = string | undefined;

const tooLong = (text: string, max: number): Problem =>
  text.length > max ? `${JSON.stringify(text)} is longer than ${max} characters` : undefined;

/** RFC 1123 label: namespaces, Service port names. */
export function dns1123Label(text: string): Problem {
  if (!DNS_1123_LABEL.test(text)) {
    return `${JSON.stringify(text)} is not an RFC 1123 label (lower-case letters, digits and '-', a letter or digit at both ends)`;
  }
  return tooLong(text, 63);
}

/** RFC 1123 subdomain: the names of most objects. */
export function dns1123Subdomain(text: string): Problem {
  if (!DNS_1123_SUBDOMAIN.test(text)) {
    return `${JSON.stringify(text)} is not an RFC 1123 subdomain (lower-case letters, digits, '-' and '.', a letter or digit at both ends)`;
  }
  return tooLong(text, 253);
}

/** RFC 1035 label: the names of Services. */
export function dns1035Label(text: string): Problem {
  if (!DNS_1035_LABEL.test(text)) {
    return `${JSON.stringify(text)} is not an RFC 1035 label (lower-case letters, digits and '-', a letter first, a letter or digit last)`;
  }
  return tooLong(text, 63);
}

/** RFC 6335 §5.1 service name: named container ports and target ports. */
export function ianaServiceName(text: string): Problem {
  const wellFormed =
    text.length <= 15 &&
    /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(text) &&
    /[a-z]/.test(text) &&
    !text.includes('--');
  if (wellFormed) return undefined;
  return `${JSON.stringify(text)} is not a port name (at most 15 lower-case letters, digits and single '-', at least one letter)`;
}

/** A label, annotation or taint key: `name` or `subdomain/name`. */
export function qualifiedName(text: string): Problem {
  const slash = text.indexOf('/');
  const name = text.slice(slash + 1);
  const prefix = slash < 0 ? undefined : text.slice(0, slash);
  if (name.length > 63 || !QUALIFIED_PART.test(name))
    return `${JSON.stringify(text)} is not a qualified name`;
  return prefix === undefined ? undefined : dns1123Subdomain(prefix);
}

/** The value of a label: empty, or at most 63 characters like a qualified name's last part. */
export function labelValue(text: string): Problem {
  if (text === '' || (text.length <= 63 && QUALIFIED_PART.test(text))) return undefined;
  return `${JSON.stringify(text)} is not a label value (at most 63 letters, digits, '-', '_' and '.', a letter or digit at both ends)`;
}
