/** What goes wrong in a plugin, by the codes of the CNI specification (§ Error). */

export const CNI_ERRORS = {
  /** The configuration asks for a version of the specification that is not spoken here. */
  'incompatible-version': 1,
  /** A field of the configuration is not emulated. */
  'unsupported-field': 2,
  /** Nothing is known of the container: it was not added, or was deleted. */
  'unknown-container': 3,
  /** A parameter of the call is missing or malformed. */
  'invalid-parameter': 4,
  /** The configuration, or what it is to be applied to, is not as the plugin needs it. */
  'invalid-configuration': 7,
  /** ADD requests cannot be served (STATUS). */
  'not-available': 50,
  /** A plugin's own failure: no address is free, a device has the wrong address. */
  failed: 100,
  /** CHECK found something other than what ADD left. */
  'check-failed': 101,
} as const;

export type CniErrorName = keyof typeof CNI_ERRORS;

export class CniError extends Error {
  override readonly name = 'CniError';
  readonly kind: CniErrorName;
  /** The plugin that failed; absent: the runtime. */
  readonly plugin: string | undefined;

  constructor(kind: CniErrorName, message: string, plugin?: string) {
    super(plugin === undefined ? message : `${plugin}: ${message}`);
    this.kind = kind;
    this.plugin = plugin;
  }

  /** As a plugin prints it. */
  toJson(cniVersion: string): { readonly cniVersion: string; readonly code: number; readonly msg: string } {
    return { cniVersion, code: CNI_ERRORS[this.kind], msg: this.message };
  }
}
