/** Calls of the engine: edge functions, and SQL functions. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { fromDatabaseError, fromFunctionError } from './errors.ts';

export interface CallOptions {
  signal?: AbortSignal;
}

/**
 * Invokes an edge function.
 * @throws MashupClientError with the error of the function
 */
export async function invoke<Answer>(
  supabase: SupabaseClient,
  name: string,
  body: Record<string, unknown>,
  options: CallOptions & { headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { data, error } = await supabase.functions.invoke<Answer>(name, {
    body,
    headers: options.headers,
    signal: options.signal,
  });
  if (error) {
    options.signal?.throwIfAborted();
    throw await fromFunctionError(error);
  }
  return data as Answer;
}

/**
 * Calls an SQL function of the API.
 * @throws MashupClientError with the error of the database
 */
export async function rpc<Answer>(
  supabase: SupabaseClient,
  name: string,
  parameters: Record<string, unknown>,
): Promise<Answer> {
  const { data, error, status } = await supabase.rpc(name, parameters);
  if (error) throw fromDatabaseError(error, status);
  return data as Answer;
}
