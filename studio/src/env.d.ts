declare module '*.css';

interface ImportMetaEnv {
  /** Project URL, for static hosting. Without it the page reads `studio-config.json` from its own host. */
  readonly VITE_SUPABASE_URL?: string;
  readonly VITE_SUPABASE_ANON_KEY?: string;
}

interface ImportMeta {
  readonly env: ImportMetaEnv;
}
