/** The chains that each table has from the start, in hook order: the engine's own table of them. */
export { BUILTIN_CHAINS as BUILT_IN_CHAINS } from '../netfilter/hooks.ts';
