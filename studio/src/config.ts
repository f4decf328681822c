/** The Supabase project of the page: set at build time (static hosting), or by the host that serves the page. */
export interface StudioConfig {
  url: string;
  anonKey: string;
  /** URL of the site whose host serves the pages of shared mashups. Undefined: that of the page; null: there are no such pages. */
  shareUrl?: string | null;
}

/**
 * Reads the configuration.
 * @throws Error with instructions for the host of the page
 */
export async function loadConfig(): Promise<StudioConfig> {
  const { VITE_SUPABASE_URL: url, VITE_SUPABASE_ANON_KEY: anonKey, VITE_SHARE_URL: shareUrl } = import.meta.env;
  if (url && anonKey) return { url, anonKey, shareUrl: shareUrl === 'none' ? null : shareUrl || undefined };
  const response = await fetch('/studio-config.json', { cache: 'no-store' }).catch(() => undefined);
  const body: unknown = response?.ok ? await response.json().catch(() => undefined) : undefined;
  const member = (name: string): unknown =>
    typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined;
  const [projectUrl, key, sharing] = [member('url'), member('anonKey'), member('shareUrl')];
  if (typeof projectUrl !== 'string' || typeof key !== 'string') {
    throw new Error(
      'No Supabase project is configured. Build the page with VITE_SUPABASE_URL and VITE_SUPABASE_ANON_KEY, ' +
        'or serve studio-config.json with "url" and "anonKey" next to it.',
    );
  }
  return {
    url: new URL(projectUrl, location.href).href.replace(/\/$/, ''),
    anonKey: key,
    shareUrl: typeof sharing === 'string' ? new URL(sharing, location.href).href : sharing === null ? null : undefined,
  };
}
