declare module '*.css';

interface ImportMetaEnv {
  /** Project URL, for static hosting. Without it the page reads `studio-config.json` from its own host. */
  readonly VITE_SUPABASE_URL?: string;
  readonly VITE_SUPABASE_ANON_KEY?: string;
  /** URL of the site that has the pages of shared mashups, if it is not that of the page; `none`: there are no such pages. */
  readonly VITE_SHARE_URL?: string;
}

interface ImportMeta {
  readonly env: ImportMetaEnv;
}
