/** The edge functions of this project, run by the Deno runner of the local Supabase. */
import { join } from 'node:path';

import { denoArguments } from '@mashup-engine/supabase-local/functions/deno';
import { INSTALL_ROOT, PROJECT_ROOT } from './layout.ts';

export { locateDeno } from '@mashup-engine/supabase-local/functions/deno';

/** Folder of the edge functions. */
export const FUNCTIONS_DIR = join(PROJECT_ROOT, 'supabase', 'functions');

/**
 * Returns the arguments of Deno that run the functions of a folder.
 * @param serviceUrls services that the functions may call besides loopback
 */
export function functionsArguments(functionsDir: string, port: number, serviceUrls: readonly string[]): string[] {
  return denoArguments({ functionsDir, root: INSTALL_ROOT, port, serviceUrls });
}
