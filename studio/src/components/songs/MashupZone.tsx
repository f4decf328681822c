import { useEffect, useState } from 'react';
import { MAX_SONGS, MIN_SONGS } from '../../../../schema/constants.ts';
import type { SubmittedOptions } from '../../../../schema.ts';
import { useAudioAnalysis } from '../../hooks/useAudioAnalysis.ts';
import { useMashupGenerator } from '../../hooks/useMashupGenerator.ts';
import { useOnline } from '../../hooks/useOnline.ts';
import type { Problem } from '../../state/problem.ts';
import { refuseFile, songFromFile } from '../../state/songs.ts';
import type { StudioSong } from '../../state/songs.ts';
import { useStore } from '../../state/store.ts';
import { useStudio } from '../../state/studio.tsx';
import { DropArea } from './DropArea.tsx';
import { Icon } from '../common/icons.tsx';
import { MashupView } from '../result/MashupView.tsx';
import { Notice } from '../common/Notice.tsx';
import { PairScores } from './PairScores.tsx';
import { SongCard } from './SongCard.tsx';
import { WishForm } from './WishForm.tsx';

export interface MashupZoneProps {
  selectedSongs: StudioSong[];
  onRemoveSong: (id: string) => void;
  onClearAll: () => void;
  onSongAdd?: (song: StudioSong) => void;
  /** Songs that may be dragged here by their id. */
  allSongs?: StudioSong[];
  className?: string;
  onReorder?: (ids: string[]) => void;
  /** Told of the job that was made. Without it the zone itself shows the job below the songs. */
  onStarted?: (jobId: string) => void;
}

/** Where songs become a mashup: choose two or three, hear what the engine makes of them, and start. */
export function MashupZone(props: MashupZoneProps) {
  const {
    selectedSongs,
    onRemoveSong,
    onClearAll,
    onSongAdd,
    allSongs = [],
    className = '',
    onReorder,
    onStarted,
  } = props;
  const { desk } = useStudio();
  const { uploads, draft, problem: deskProblem } = useStore(desk);
  const { getAnalysis, getCard, getPair } = useAudioAnalysis();
  const generator = useMashupGenerator();
  const isOnline = useOnline();
  const [refusals, setRefusals] = useState<Problem[]>([]);
  const [options, setOptions] = useState<SubmittedOptions>({});

  useEffect(() => desk.lay(selectedSongs), [desk, selectedSongs]);

  const add = async (files: File[]): Promise<void> => {
    const refused: Problem[] = [];
    let room = MAX_SONGS - selectedSongs.length;
    for (const file of files) {
      const refusal =
        room <= 0
          ? {
              message: `${file.name} was left out: a mashup takes ${MAX_SONGS} songs at most.`,
              hint: 'Remove a song first.',
            }
          : await refuseFile(file);
      if (refusal) refused.push(refusal);
      else {
        room -= 1;
        onSongAdd?.(songFromFile(file));
      }
    }
    setRefusals(refused);
  };

  const addById = (id: string): void => {
    const song = allSongs.find((one) => one.id === id);
    if (song !== undefined && !selectedSongs.some((one) => one.id === id) && selectedSongs.length < MAX_SONGS)
      onSongAdd?.(song);
  };

  const move = (id: string, by: number): void => {
    const ids = selectedSongs.map((song) => song.id);
    const at = ids.indexOf(id);
    ids.splice(at + by, 0, ...ids.splice(at, 1));
    onReorder?.(ids);
  };

  const make = async (): Promise<void> => {
    const jobId = await generator.generateMashup(selectedSongs, options);
    if (jobId !== undefined) onStarted?.(jobId);
  };

  const faultOf = (id: string): Problem | undefined => {
    const card = getCard(id);
    if (card?.state !== 'failed' && card?.state !== 'excluded') return undefined;
    return {
      message: draft?.error_message ?? 'The engine cannot read this song.',
      hint: draft?.error_hint ?? 'Remove it and choose another file.',
    };
  };

  const pairs = selectedSongs.flatMap((a, index) =>
    selectedSongs.slice(index + 1).flatMap((b) => getPair(a.id, b.id) ?? []),
  );
  const isStuck = selectedSongs.some(
    (song) => uploads.get(song.id)?.problem !== undefined || faultOf(song.id) !== undefined,
  );
  const missing = MIN_SONGS - selectedSongs.length;

  return (
    <section aria-label="Songs for the mashup" className={`space-y-5 ${className}`}>
      {selectedSongs.length === 0 && onSongAdd && <DropArea onFiles={(files) => void add(files)} onSongId={addById} />}
      <div aria-live="polite" className="space-y-2 empty:hidden">
        {refusals.map((refusal) => (
          <Notice
            key={refusal.message}
            problem={refusal}
            onDismiss={() => setRefusals(refusals.filter((one) => one !== refusal))}
          />
        ))}
        {deskProblem && <Notice problem={deskProblem} />}
        {generator.problem && generator.job === undefined && <Notice problem={generator.problem} />}
      </div>
      {selectedSongs.length > 0 && (
        <>
          <ol className={`grid gap-4 md:grid-cols-2 ${selectedSongs.length > 2 ? 'xl:grid-cols-3' : ''}`}>
            {selectedSongs.map((song, place) => (
              <SongCard
                key={song.id}
                song={song}
                place={place}
                count={selectedSongs.length}
                upload={uploads.get(song.id)}
                card={getCard(song.id)}
                fault={faultOf(song.id)}
                analysis={getAnalysis(song.id)}
                onRemove={() => onRemoveSong(song.id)}
                onRetry={() => desk.again(song)}
                onMove={onReorder && ((by) => move(song.id, by))}
              />
            ))}
            {selectedSongs.length === 1 && onSongAdd && (
              <li className="grid">
                <DropArea isSmall onFiles={(files) => void add(files)} onSongId={addById} />
              </li>
            )}
          </ol>
          {pairs.length > 0 && (
            <div>
              <h2 className="label mb-3">How they go together</h2>
              <PairScores pairs={pairs} songs={selectedSongs} />
            </div>
          )}
          {selectedSongs.length === MIN_SONGS && onSongAdd && (
            <DropArea isSmall onFiles={(files) => void add(files)} onSongId={addById} />
          )}
          <div
            className={`panel flex flex-col gap-4 lg:sticky lg:z-10 ${isOnline ? 'lg:bottom-4' : 'lg:bottom-14'} lg:flex-row lg:items-end lg:shadow-xl lg:shadow-ground`}
          >
            <WishForm options={options} onChange={setOptions} />
            <div className="flex items-center gap-2 lg:justify-end">
              <button type="button" className="button-quiet order-last lg:order-first" onClick={onClearAll}>
                Clear all
              </button>
              <button
                type="button"
                className="button-primary grow lg:grow-0"
                disabled={
                  missing > 0 ||
                  isStuck ||
                  (generator.problem?.message === undefined && generator.isProcessing && generator.job === undefined)
                }
                onClick={() => void make()}
              >
                <Icon name="spark" />
                {missing > 0 ? 'Add one more song' : 'Create the mashup'}
              </button>
            </div>
          </div>
        </>
      )}
      {onStarted === undefined && generator.job !== undefined && <MashupView />}
    </section>
  );
}
