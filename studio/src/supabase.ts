/** The page's Supabase client. */
import { createClient } from '@supabase/supabase-js';
import type { SupabaseClient } from '@supabase/supabase-js';
import type { StudioConfig } from './config.ts';
import { fetchWithUploadProgress } from './upload-progress.ts';

export function openSupabase({ url, anonKey }: StudioConfig): SupabaseClient {
  return createClient(url, anonKey, { global: { fetch: fetchWithUploadProgress } });
}

/** A client with the operator's key; the key lives as long as the page and is stored nowhere. */
export function openOperator({ url }: StudioConfig, serviceKey: string): SupabaseClient {
  return createClient(url, serviceKey, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false, storageKey: 'mashup-operator' },
  });
}
