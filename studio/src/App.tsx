import { lazy, Suspense, useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import type { StudioConfig } from './config.ts';
import { Icon } from './components/common/icons.tsx';
import { useOnline } from './hooks/useOnline.ts';
import { useRoute } from './hooks/useRoute.ts';
import type { Page } from './hooks/useRoute.ts';
import { AccountPage } from './pages/AccountPage.tsx';
import { LibraryPage } from './pages/LibraryPage.tsx';
import { MakePage } from './pages/MakePage.tsx';
import { MashupPage } from './pages/MashupPage.tsx';
import { keepSelection, keptSelection } from './state/songs.ts';
import type { StudioSong } from './state/songs.ts';
import { useStore } from './state/store.ts';
import { useStudio } from './state/studio.tsx';

const OperatorPage = lazy(() => import('./pages/OperatorPage.tsx'));

const NAVIGATION: [Page, string][] = [
  ['make', 'Make'],
  ['library', 'Library'],
  ['operator', 'Operator'],
];
const TITLES: Record<Page, string> = {
  make: 'Make a mashup',
  mashup: 'Mashup',
  library: 'Library',
  operator: 'Operator',
  account: 'Account',
};

function ThemeButton() {
  const [isDark, setIsDark] = useState(document.documentElement.classList.contains('dark'));
  return (
    <button
      type="button"
      className="button-quiet"
      aria-label={isDark ? 'Light colours' : 'Dark colours'}
      onClick={() => {
        document.documentElement.classList.toggle('dark', !isDark);
        localStorage.setItem('mashup-theme', isDark ? 'light' : 'dark');
        setIsDark(!isDark);
      }}
    >
      <Icon name={isDark ? 'sun' : 'moon'} className="h-5 w-5" />
    </button>
  );
}

function Header({ page }: { page: Page }) {
  return (
    <header className="border-b border-line">
      <div className="mx-auto flex max-w-6xl items-center gap-1 px-3 py-2.5 sm:gap-3 sm:px-6">
        <a href="#/" className="mr-auto flex items-center gap-2.5 rounded-lg font-semibold">
          <img src="/icon.svg" alt="" width="32" height="32" className="h-8 w-8" />
          <span className="hidden sm:inline">Mashup studio</span>
          <span className="sr-only sm:hidden">Mashup studio</span>
        </a>
        <nav aria-label="Pages" className="flex">
          {NAVIGATION.map(([name, title]) => (
            <a
              key={name}
              href={`#/${name === 'make' ? '' : name}`}
              aria-current={page === name ? 'page' : undefined}
              className={`rounded-lg px-2.5 py-2 text-sm font-medium sm:px-3 ${
                page === name ? 'bg-raised text-ink' : 'text-soft hover:text-ink'
              }`}
            >
              {title}
            </a>
          ))}
        </nav>
        <ThemeButton />
        <a href="#/account" className="button-quiet" aria-label="Account">
          <Icon name="person" className="h-5 w-5" />
        </a>
      </div>
    </header>
  );
}

/** Over the foot of the page, so that nothing moves; what is below makes room for it. */
function OfflineBanner({ isOnline }: { isOnline: boolean }) {
  return (
    <div role="status" className="fixed inset-x-0 bottom-0 z-20">
      {!isOnline && (
        <p className="border-t border-warn/40 bg-panel px-4 py-2.5 text-center text-sm">
          You are offline. Mashups go on without you; this page catches up when the connection is back.
        </p>
      )}
    </div>
  );
}

/** The whole studio. */
export function App({ config }: { config: StudioConfig }) {
  const { generator, session: keeper } = useStudio();
  const { session } = useStore(keeper);
  const userId = session?.user.id;
  const [{ page, id }, go] = useRoute();
  const [songs, setSongs] = useState<StudioSong[]>(keptSelection);
  const { uploads } = useStore(useStudio().desk);
  const isOnline = useOnline();

  useEffect(() => {
    document.title = `${TITLES[page]} · Mashup studio`;
    // A visitor who signs in meanwhile asks again, as that user.
    generator.open(page === 'mashup' && userId !== undefined ? id : undefined);
  }, [page, id, userId, generator]);

  // What is uploaded survives a reload.
  useEffect(() => {
    keepSelection(
      songs.map((song) => ({
        ...song,
        storage_path: song.storage_path ?? uploads.get(song.id)?.submitted?.storage_path,
      })),
    );
  }, [songs, uploads]);

  const pages: Record<Page, () => ReactNode> = {
    make: () => (
      <MakePage
        songs={songs}
        onChange={setSongs}
        onStarted={(jobId) => {
          setSongs([]);
          go(`/mashup/${jobId}`);
        }}
      />
    ),
    mashup: () => <MashupPage session={session} onOpen={(jobId) => go(`/mashup/${jobId}`)} />,
    library: () => <LibraryPage />,
    operator: () => (
      <Suspense fallback={<p className="panel min-h-64 text-soft">Loading…</p>}>
        <OperatorPage config={config} />
      </Suspense>
    ),
    account: () => <AccountPage />,
  };

  return (
    <>
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:absolute focus:m-2 focus:rounded-lg focus:bg-panel focus:p-2"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById('main')?.focus();
        }}
      >
        Skip to the content
      </a>
      <Header page={page} />
      <main
        id="main"
        tabIndex={-1}
        className={`mx-auto min-h-[80vh] max-w-6xl px-3 pt-6 outline-none sm:px-6 sm:pt-8 ${isOnline ? 'pb-8' : 'pb-20'}`}
      >
        {pages[page]()}
      </main>
      <OfflineBanner isOnline={isOnline} />
    </>
  );
}
