/** What the hooks share: one client, one desk, one mashup in focus. An app wraps its pages in `StudioProvider`. */
import { createContext, useContext, useState } from 'react';
import type { ReactNode } from 'react';
import type { SupabaseClient } from '@supabase/supabase-js';
import { openGenerator } from './generator.ts';
import type { Generator } from './generator.ts';
import { keepSession } from './session.ts';
import type { SessionKeeper } from './session.ts';
import { openSongDesk } from './song-selection.ts';
import type { SongDesk } from './song-selection.ts';

export interface Studio {
  supabase: SupabaseClient;
  session: SessionKeeper;
  desk: SongDesk;
  generator: Generator;
}

const StudioContext = createContext<Studio | undefined>(undefined);

function openStudio(supabase: SupabaseClient): Studio {
  const session = keepSession(supabase);
  const desk = openSongDesk(supabase, session);
  return { supabase, session, desk, generator: openGenerator(supabase, session, desk) };
}

/** Gives the hooks below it a Supabase client: the app's own. */
export function StudioProvider({ supabase, children }: { supabase: SupabaseClient; children: ReactNode }) {
  const [studio] = useState(() => openStudio(supabase));
  return <StudioContext value={studio}>{children}</StudioContext>;
}

export function useStudio(): Studio {
  const studio = useContext(StudioContext);
  if (studio === undefined) throw new Error('This hook needs a StudioProvider with a Supabase client above it.');
  return studio;
}
