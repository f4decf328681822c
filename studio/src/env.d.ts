interface ImportMetaEnv {
  /** Project URL, for static hosting. Without it the page asks its own host for `studio-config.json`. */
  readonly VITE_SUPABASE_URL?: string;
  readonly VITE_SUPABASE_ANON_KEY?: string;
}

interface ImportMeta {
  readonly env: ImportMetaEnv;
}

/** The address of a file that Vite puts beside the page. */
declare module '*?url' {
  const url: string;
  export default url;
}

declare module 'libflacjs/dist/libflac.min.wasm.js';
