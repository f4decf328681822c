/** The Supabase clients of the page. */
import { createClient } from '@supabase/supabase-js';
import type { SupabaseClient } from '@supabase/supabase-js';
import { fetchWithUploadProgress } from '@mashup-engine/react';
import type { StudioConfig } from './config.ts';

/** Creates the user's client. Its uploads report their progress. */
export function createStudioClient({ url, anonKey }: StudioConfig): SupabaseClient {
  return createClient(url, anonKey, { global: { fetch: fetchWithUploadProgress } });
}

/** Creates a client for an operator, whose session is stored beside that of the page's user. */
export function createOperatorClient({ url, anonKey }: StudioConfig): SupabaseClient {
  return createClient(url, anonKey, { auth: { detectSessionInUrl: false, storageKey: 'mashup-operator' } });
}
