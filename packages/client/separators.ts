/** What separates songs into stems. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { rpc } from './calls.ts';
import { toCamel } from './wire.ts';

/** The separation models that the engine has. Names are null if there is none, or if the service does not name them. */
export interface Separators {
  /** The classical method, without a model. */
  classical: string | null;
  /** The model that is installed. */
  neural: string | null;
  /** What separates songs if a job does not choose. */
  used: string | null;
  /** Whether mashups have a studio version where their submission does not say it. */
  studioVersionByDefault: boolean;
}

/** Reads what separates songs: whether `options.separation` and `options.studioVersion` make a difference. @throws MashupClientError */
export async function readSeparators(supabase: SupabaseClient): Promise<Separators> {
  return toCamel(await rpc<object>(supabase, 'get_separators', {})) as Separators;
}
