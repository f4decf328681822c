interface ImportMetaEnv {
  /** Project URL, for static hosting. Without it the page reads `studio-config.json` from its own host. */
  readonly VITE_SUPABASE_URL?: string;
  readonly VITE_SUPABASE_ANON_KEY?: string;
}

interface ImportMeta {
  readonly env: ImportMetaEnv;
}

/** The URL of a file that Vite adds to the build. */
declare module '*?url' {
  const url: string;
  export default url;
}

declare module 'libflacjs/dist/libflac.min.wasm.js';
