import { useEffect, useState } from 'react';
import type { Dispatch, SetStateAction } from 'react';
import type { Session } from '@supabase/supabase-js';
import { useOnline, useStore, useStudio } from '@mashup-engine/react';
import { loadedLater } from '@mashup-engine/react/kit';
import type { StudioSong } from '@mashup-engine/react';
import type { StudioConfig } from './config.ts';
import { Header } from './components/layout/Header.tsx';
import { OfflineBanner } from './components/layout/OfflineBanner.tsx';
import { SkipLink } from './components/layout/SkipLink.tsx';
import { useRoute } from './hooks/useRoute.ts';
import type { Page } from './hooks/useRoute.ts';
import { MakePage } from './pages/MakePage.tsx';
import { MashupPage } from './pages/MashupPage.tsx';
import { restoreSelection, saveSelection } from './songs.ts';

const LOADING = <p className="panel min-h-64 text-soft">Loading…</p>;
const AccountPage = loadedLater(() => import('./pages/AccountPage.tsx'), LOADING);
const LibraryPage = loadedLater(() => import('./pages/LibraryPage.tsx'), LOADING);
const OperatorPage = loadedLater(() => import('./pages/OperatorPage.tsx'), LOADING);

const TITLES: Record<Page, string> = {
  make: 'Make a mashup',
  mashup: 'Mashup',
  library: 'Library',
  operator: 'Operator',
  account: 'Account',
};

/** The whole studio. */
export function App({ config }: { config: StudioConfig }) {
  const { generator, session: sessionStore } = useStudio();
  const { session } = useStore(sessionStore);
  const userId = session?.user.id;
  const [{ page, id, query }, go] = useRoute();
  const [songs, setSongs] = useSavedSongs();
  const isOnline = useOnline();

  useEffect(() => {
    document.title = `${TITLES[page]} · Mashup studio`;
    // `userId` is a dependency: after a sign-in the mashup is read again, as that user.
    generator.open(page === 'mashup' && userId !== undefined ? id : undefined);
  }, [page, id, userId, generator]);

  return (
    <>
      <SkipLink />
      <Header page={page} />
      <main
        id="main"
        tabIndex={-1}
        className={`mx-auto min-h-[80vh] max-w-6xl px-3 pt-6 outline-none sm:px-6 sm:pt-8 ${isOnline ? 'pb-8' : 'pb-20'}`}
      >
        <PageContent
          {...{ page, id, query, config, session, songs, setSongs }}
          onOpen={(jobId) => go(`/mashup/${jobId}`)}
        />
      </main>
      <OfflineBanner isOnline={isOnline} />
    </>
  );
}

/** The selected songs. Uploaded ones are kept over a reload of the page. */
function useSavedSongs(): [StudioSong[], Dispatch<SetStateAction<StudioSong[]>>] {
  const [songs, setSongs] = useState<StudioSong[]>(restoreSelection);
  const { uploads } = useStore(useStudio().selection);
  useEffect(() => {
    saveSelection(
      songs.map((song) => ({
        ...song,
        storage_path: song.storage_path ?? uploads.get(song.id)?.submitted?.storagePath,
        own_stems: song.own_stems?.flatMap(({ file: _file, ...stem }) => {
          const storage_path = stem.storage_path ?? uploads.get(song.id)?.submitted?.stems?.[stem.stem];
          return storage_path === undefined ? [] : [{ ...stem, storage_path }];
        }),
      })),
    );
  }, [songs, uploads]);
  return [songs, setSongs];
}

function PageContent({
  page,
  id,
  query,
  config,
  session,
  songs,
  setSongs,
  onOpen,
}: {
  page: Page;
  id: string | undefined;
  query: string;
  config: StudioConfig;
  session: Session | null | undefined;
  songs: StudioSong[];
  setSongs: Dispatch<SetStateAction<StudioSong[]>>;
  /** Opens the page of a job. */
  onOpen: (jobId: string) => void;
}) {
  const start = (jobId: string): void => {
    setSongs([]);
    onOpen(jobId);
  };
  switch (page) {
    case 'make':
      return <MakePage songs={songs} onChange={setSongs} onStarted={start} />;
    case 'mashup':
      return <MashupPage session={session} onOpen={onOpen} />;
    case 'library':
      return <LibraryPage query={query} />;
    case 'account':
      return <AccountPage />;
    case 'operator':
      return <OperatorPage config={config} id={id} query={query} />;
  }
}
