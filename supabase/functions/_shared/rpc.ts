/** Calls to the SQL functions of the API. */
import type { SupabaseClient } from '@supabase/supabase-js';
import type { z } from 'zod';
import { toApiError } from './database-errors.ts';

/**
 * Calls an SQL function with the caller's rights and checks its result.
 * @param failure text for an unexpected error
 * @throws ApiError if the database refuses the call
 * @throws ZodError if the result does not match `shape`
 */
export async function callFunction<T>(
  supabase: SupabaseClient,
  name: string,
  parameters: Record<string, unknown>,
  shape: z.ZodType<T>,
  failure: string,
): Promise<T> {
  const { data, error, status } = await supabase.rpc(name, parameters);
  if (error) throw toApiError(error, status, failure);
  return shape.parse(data);
}
