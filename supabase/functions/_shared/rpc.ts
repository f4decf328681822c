/** One SQL function, called under the caller's rights, its answer checked. */
import type { SupabaseClient } from '@supabase/supabase-js';
import type { z } from 'zod';
import { databaseError } from './database-errors.ts';

/**
 * Calls an SQL function of the API.
 * @param failure text for an error that nobody foresaw
 * @throws ApiError for what the database refuses; ZodError when it answers something else than `shape`
 */
export async function callFunction<T>(
  supabase: SupabaseClient,
  name: string,
  parameters: Record<string, unknown>,
  shape: z.ZodType<T>,
  failure: string,
): Promise<T> {
  const { data, error, status } = await supabase.rpc(name, parameters);
  if (error) throw databaseError(error, status, failure);
  return shape.parse(data);
}
