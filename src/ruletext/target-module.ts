/** How one target (`-j NAME`) is described: as a match module, and where the kernel lets it stand. */
import type { Target } from '../netfilter/target.ts';
import type { ExtensionModule } from './match-module.ts';

export type TargetModule = ExtensionModule<Target>;
