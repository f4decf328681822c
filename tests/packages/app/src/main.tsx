/** The app of an integrator: songs, the running job by the client alone, and the result by the components. */
import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { createClient } from '@supabase/supabase-js';
import { followJob } from '@mashup-engine/client';
import type { MashupJob } from '@mashup-engine/client';
import { MashupView, MashupZone, StudioProvider, useMashupGenerator } from '@mashup-engine/react';
import type { StudioSong } from '@mashup-engine/react';
import './page.css';
import '@mashup-engine/react/styles.css';

const settings = new URLSearchParams(location.search);
const supabase = createClient(settings.get('url') ?? '', settings.get('key') ?? '');

function App() {
  const [songs, setSongs] = useState<StudioSong[]>([]);
  const [jobId, setJobId] = useState<string>();
  const [followed, setFollowed] = useState<MashupJob>();
  const { progress } = useMashupGenerator();

  useEffect(() => {
    if (jobId === undefined) return;
    const follower = followJob(supabase, jobId, { onChange: setFollowed });
    return () => follower.stop();
  }, [jobId]);

  return (
    <>
      <h1>My page</h1>
      <button type="button">Mine</button>
      <p data-testid="followed">
        {followed?.status} {followed?.currentStep} {followed?.songs.map((song) => song.songId).length}
      </p>
      <p data-testid="progress">{progress}</p>
      {jobId === undefined ? (
        <MashupZone
          selectedSongs={songs}
          onSongAdd={(song) => setSongs((known) => [...known, song])}
          onRemoveSong={(id) => setSongs((known) => known.filter((song) => song.id !== id))}
          onClearAll={() => setSongs([])}
          onStarted={setJobId}
        />
      ) : (
        <MashupView onOpen={setJobId} />
      )}
    </>
  );
}

createRoot(document.getElementById('root') as HTMLElement).render(
  <StudioProvider supabase={supabase}>
    <App />
  </StudioProvider>,
);
