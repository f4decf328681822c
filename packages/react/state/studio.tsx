/** The state that all hooks share: client, session, song selection and current mashup. */
import { createContext, useContext, useState } from 'react';
import type { ReactNode } from 'react';
import type { SupabaseClient } from '@supabase/supabase-js';
import { createGenerator } from './generator.ts';
import type { Generator } from './generator.ts';
import { createSessionStore } from './session.ts';
import type { SessionStore } from './session.ts';
import { createSongSelection } from './song-selection.ts';
import type { SongSelection } from './song-selection.ts';

/** The shared state of one app. */
export interface Studio {
  supabase: SupabaseClient;
  session: SessionStore;
  selection: SongSelection;
  generator: Generator;
  /** URL of the site that has the pages of shared mashups; null: there is none. */
  shareUrl: string | null;
}

const StudioContext = createContext<Studio | undefined>(undefined);

function createStudio(supabase: SupabaseClient, shareUrl: string | null): Studio {
  const session = createSessionStore(supabase);
  const selection = createSongSelection(supabase, session);
  return { supabase, session, selection, generator: createGenerator(supabase, session, selection), shareUrl };
}

/**
 * Provides the app's own Supabase client, and the state that depends on it, to the hooks below. `shareUrl` is the URL of the site
 * whose host serves the pages of shared mashups (`createSharePages`), by default the origin of the page; null: mashups cannot be shared.
 */
export function StudioProvider({
  supabase,
  shareUrl,
  children,
}: {
  supabase: SupabaseClient;
  shareUrl?: string | null;
  children: ReactNode;
}) {
  // Without a page, as on a server, there is no origin, and nobody shares.
  const [studio] = useState(() =>
    createStudio(supabase, shareUrl === undefined ? (globalThis.location?.origin ?? null) : shareUrl),
  );
  return <StudioContext.Provider value={studio}>{children}</StudioContext.Provider>;
}

/**
 * Returns the shared state.
 * @throws Error without a `StudioProvider` above
 */
export function useStudio(): Studio {
  const studio = useContext(StudioContext);
  if (studio === undefined) throw new Error('This hook needs a StudioProvider above it.');
  return studio;
}
