/** The Supabase clients of the page. */
import { createClient } from '@supabase/supabase-js';
import type { SupabaseClient } from '@supabase/supabase-js';
import { fetchWithUploadProgress } from '@mashup-engine/react';
import type { StudioConfig } from './config.ts';

/** Creates the user's client. Its uploads report their progress. */
export function createStudioClient({ url, anonKey }: StudioConfig): SupabaseClient {
  return createClient(url, anonKey, { global: { fetch: fetchWithUploadProgress } });
}

/** Creates a client with the service role key. The key is kept in memory only. */
export function createOperatorClient({ url }: StudioConfig, serviceKey: string): SupabaseClient {
  return createClient(url, serviceKey, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false, storageKey: 'mashup-operator' },
  });
}
