interface ImportMetaEnv {
  /** Project URL, for static hosting. Without it the page asks its own host for `studio-config.json`. */
  readonly VITE_SUPABASE_URL?: string;
  readonly VITE_SUPABASE_ANON_KEY?: string;
}

interface ImportMeta {
  readonly env: ImportMetaEnv;
}
