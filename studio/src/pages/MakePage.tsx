import type { Dispatch, SetStateAction } from 'react';
import { MashupZone } from '@mashup-engine/react';
import type { StudioSong } from '@mashup-engine/react';
import { ExampleMashup } from '../components/start/ExampleMashup.tsx';
import { ExampleSongs } from '../components/start/ExampleSongs.tsx';
import { HeroWave } from '../components/start/HeroWave.tsx';
import { Steps } from '../components/start/Steps.tsx';

/** The start page: selection of songs and the start of a mashup. */
export function MakePage({
  songs,
  onChange,
  onStarted,
}: {
  songs: StudioSong[];
  onChange: Dispatch<SetStateAction<StudioSong[]>>;
  onStarted: (jobId: string) => void;
}) {
  const add = (song: StudioSong): void => onChange((known) => [...known, song]);
  return (
    <div className="space-y-6">
      <header className={songs.length === 0 ? 'pb-2 pt-4 text-center sm:pt-8' : ''}>
        {songs.length === 0 && <HeroWave />}
        <h1
          className={songs.length === 0 ? 'text-3xl font-semibold sm:text-5xl' : 'text-2xl font-semibold sm:text-3xl'}
        >
          {songs.length === 0 ? 'Two songs in, one mashup out' : 'Your songs'}
        </h1>
        <p className={`mt-3 text-soft ${songs.length === 0 ? 'mx-auto max-w-xl' : ''}`}>
          {songs.length === 0
            ? 'Drop two songs, watch the mashup being made, listen, and ask for another version in your own words.'
            : 'Songs are analysed as soon as they are uploaded. Start when you are ready.'}
        </p>
      </header>
      <MashupZone
        selectedSongs={songs}
        onSongAdd={add}
        onRemoveSong={(id) => onChange((known) => known.filter((song) => song.id !== id))}
        onClearAll={() => onChange([])}
        onReorder={(ids) => onChange((known) => ids.flatMap((id) => known.find((song) => song.id === id) ?? []))}
        onSongChange={(id, changed) => onChange((known) => known.map((song) => (song.id === id ? changed : song)))}
        onStarted={onStarted}
      />
      {songs.length === 0 && <ExampleMashup />}
      <ExampleSongs chosen={songs} onAdd={add} />
      {songs.length === 0 && <Steps />}
    </div>
  );
}
