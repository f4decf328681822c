import { useState } from 'react';
import { MAX_SONGS, MIN_SONGS } from '../../../../schema/constants.ts';
import type { MashupOptions } from '@mashup-engine/client';
import { useMashupGenerator } from '../../hooks/useMashupGenerator.ts';
import type { MashupGenerator } from '../../hooks/useMashupGenerator.ts';
import type { StudioSong } from '../../state/songs.ts';
import { MashupView } from '../result/MashupView.tsx';
import { CreateBar } from './CreateBar.tsx';
import { DropArea } from './DropArea.tsx';
import { SelectedPairs } from './SelectedPairs.tsx';
import { SongList } from './SongList.tsx';
import { SongRoles } from './SongRoles.tsx';
import { useFileIntake, useSongSelection } from './useSongSelection.ts';
import { Notice } from '../common/Notice.tsx';
import { useWishCheck } from './useWishCheck.ts';
import { ZoneNotices } from './ZoneNotices.tsx';

export interface MashupZoneProps {
  selectedSongs: StudioSong[];
  onRemoveSong: (id: string) => void;
  onClearAll: () => void;
  /** Without it no songs can be added here. */
  onSongAdd?: (song: StudioSong) => void;
  /** Songs that may be dragged here by their id. */
  allSongs?: StudioSong[];
  className?: string;
  /** Receives all ids in their new order. Without it songs cannot be moved. */
  onReorder?: (ids: string[]) => void;
  /** Receives a song's id, and the song that replaces it. Without it songs cannot get stems of the user's own. */
  onSongChange?: (id: string, song: StudioSong) => void;
  /** Receives the id of the created job. Without it the zone itself shows the job below the songs. */
  onStarted?: (jobId: string) => void;
}

/** Selection of two or three songs, with their analyses, and the start of a mashup. */
export function MashupZone(props: MashupZoneProps) {
  const { selectedSongs: songs, onRemoveSong, onClearAll, onSongAdd, className = '', onReorder, onStarted } = props;
  const intake = useFileIntake(songs.length, onSongAdd);
  const { faultOf, isBlocked } = useSongSelection(songs);
  const generator = useMashupGenerator();
  const [options, setOptions] = useState<MashupOptions>({ length: 'full' });
  const { names, refusal, isUnderstood, dismiss } = useWishCheck(songs);

  const create = async (): Promise<void> => {
    const wanted = { ...options, roles: rolesAmong(songs, options.roles) };
    const jobId = (await isUnderstood(options.wishes)) ? await generator.generateMashup(songs, wanted) : undefined;
    if (jobId !== undefined) onStarted?.(jobId);
  };
  const dropArea = onSongAdd && (
    <DropArea
      isSmall={songs.length > 0}
      onFiles={(files) => void intake.addFiles(files)}
      onSongId={(id) => addKnownSong(id, props)}
    />
  );

  return (
    <section aria-label="Songs for the mashup" className={`mashup-ui space-y-5 ${className}`}>
      {songs.length === 0 && dropArea}
      <ZoneNotices intake={intake} generatorProblem={generator.job === undefined ? generator.problem : undefined} />
      {songs.length > 0 && (
        <>
          <SongList
            songs={songs}
            faultOf={faultOf}
            onRemove={onRemoveSong}
            onReorder={onReorder}
            onChange={props.onSongChange}
          >
            {songs.length === 1 && dropArea && <li className="grid">{dropArea}</li>}
          </SongList>
          <SelectedPairs songs={songs} />
          {songs.length === MIN_SONGS && dropArea}
          <RolesPanel songs={songs} roles={options.roles} onChange={(roles) => setOptions({ ...options, roles })} />
          {refusal && <Notice problem={refusal} kind="warn" onDismiss={dismiss} />}
          <CreateBar
            songs={names}
            isDisabled={isBlocked || isStarting(generator)}
            options={options}
            onChangeOptions={(changed) => (dismiss(), setOptions(changed))}
            onCreate={() => void create()}
            onClearAll={onClearAll}
          />
        </>
      )}
      {onStarted === undefined && generator.job !== undefined && <MashupView />}
    </section>
  );
}

/** The chosen roles of songs that are still selected; undefined if there are none. */
function rolesAmong(songs: StudioSong[], { sings, plays }: MashupOptions['roles'] = {}): MashupOptions['roles'] {
  const known = (id: string | undefined): string | undefined => songs.find((song) => song.id === id)?.id;
  const roles = { sings: known(sings), plays: known(plays) };
  return roles.sings === undefined && roles.plays === undefined ? undefined : roles;
}

/** The choice of which song sings and which one plays; nothing for one song. */
function RolesPanel({
  songs,
  roles,
  onChange,
}: {
  songs: readonly StudioSong[];
  roles: MashupOptions['roles'];
  onChange: (roles: MashupOptions['roles']) => void;
}) {
  if (songs.length < MIN_SONGS) return null;
  return (
    <div className="panel">
      <SongRoles songs={songs.map(({ id, name }) => ({ songId: id, name }))} roles={roles} onChange={onChange} />
    </div>
  );
}

/** Adds a song that was dragged here from a list. */
function addKnownSong(id: string, { allSongs = [], selectedSongs, onSongAdd }: MashupZoneProps): void {
  const song = allSongs.find((one) => one.id === id);
  const isSelected = selectedSongs.some((one) => one.id === id);
  if (song !== undefined && !isSelected && selectedSongs.length < MAX_SONGS) onSongAdd?.(song);
}

/** Whether a mashup has been requested whose job is not known yet. */
function isStarting({ problem, isProcessing, job }: MashupGenerator): boolean {
  return problem === undefined && isProcessing && job === undefined;
}
