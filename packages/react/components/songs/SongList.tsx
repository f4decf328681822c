import type { ReactNode } from 'react';
import { useAudioAnalysis } from '../../hooks/useAudioAnalysis.ts';
import type { Problem } from '../../state/problem.ts';
import type { StudioSong } from '../../state/songs.ts';
import { useStore } from '../../state/store.ts';
import { useStudio } from '../../state/studio.tsx';
import { SongCard } from './SongCard.tsx';

/** The selected songs as cards. */
export function SongList({
  songs,
  faultOf,
  onRemove,
  onReorder,
  onChange,
  children,
}: {
  songs: StudioSong[];
  faultOf: (id: string) => Problem | undefined;
  onRemove: (id: string) => void;
  /** Receives all ids in their new order. Without it songs cannot be moved. */
  onReorder?: (ids: string[]) => void;
  /** Receives a song's id, and the song that replaces it. Without it songs cannot get stems of the user's own. */
  onChange?: (id: string, song: StudioSong) => void;
  /** A further list item behind the songs. */
  children?: ReactNode;
}) {
  const { selection } = useStudio();
  const { uploads } = useStore(selection);
  const { getAnalysis, getCard } = useAudioAnalysis();

  const move = (id: string, by: number): void => {
    const ids = songs.map((song) => song.id);
    const place = ids.indexOf(id);
    ids.splice(place + by, 0, ...ids.splice(place, 1));
    onReorder?.(ids);
  };

  return (
    <ol className={`grid gap-4 md:grid-cols-2 ${songs.length > 2 ? 'xl:grid-cols-3' : ''}`}>
      {songs.map((song, place) => (
        <SongCard
          key={song.id}
          song={song}
          place={place}
          count={songs.length}
          upload={uploads.get(song.id)}
          card={getCard(song.id)}
          fault={faultOf(song.id)}
          analysis={getAnalysis(song.id)}
          onRemove={() => onRemove(song.id)}
          onRetry={() => selection.retry(song)}
          onChange={onChange && ((changed) => onChange(song.id, changed))}
          onMove={onReorder && ((by) => move(song.id, by))}
        />
      ))}
      {children}
    </ol>
  );
}
