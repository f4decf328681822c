/** Places of the packages. */
import { join } from 'node:path';

/** Root of the repository. */
export const ROOT = join(import.meta.dirname, '..', '..');

/** The packages that are published, by their folder from the root. */
export const PACKAGES = {
  '@mashup-engine/client': 'packages/client',
  '@mashup-engine/react': 'packages/react',
  'mashup-engine': '.',
} as const;

export type PackageName = keyof typeof PACKAGES;
