/** What the mashup zone does with its songs. */
import { useEffect, useState } from 'react';
import { MAX_SONGS } from '../../../../schema/constants.ts';
import { useAudioAnalysis } from '../../hooks/useAudioAnalysis.ts';
import { isServiceCode } from '../../state/problem.ts';
import type { Problem } from '../../state/problem.ts';
import { findFileProblem, songFromFile } from '../../state/songs.ts';
import type { StudioSong } from '../../state/songs.ts';
import { useStore } from '../../state/store.ts';
import { useStudio } from '../../state/studio.tsx';

export interface FileIntake {
  /** Adds the files that can be used; the others become `refusals`. */
  addFiles(files: File[]): Promise<void>;
  /** One problem for each refused file. */
  refusals: Problem[];
  dismiss(refusal: Problem): void;
}

/** Checks files and adds them as songs, up to the limit. */
export function useFileIntake(selectedCount: number, onSongAdd?: (song: StudioSong) => void): FileIntake {
  const [refusals, setRefusals] = useState<Problem[]>([]);
  return {
    async addFiles(files) {
      const refused: Problem[] = [];
      let room = MAX_SONGS - selectedCount;
      for (const file of files) {
        const problem = room <= 0 ? tooManySongs(file) : await findFileProblem(file);
        if (problem) refused.push(problem);
        else {
          room -= 1;
          onSongAdd?.(await songFromFile(file));
        }
      }
      setRefusals(refused);
    },
    refusals,
    dismiss: (refusal) => setRefusals((known) => known.filter((one) => one !== refusal)),
  };
}

function tooManySongs(file: File): Problem {
  return {
    message: `${file.name} was not added: a mashup has at most ${MAX_SONGS} songs.`,
    hint: 'Remove a song first.',
  };
}

export interface SelectionStatus {
  /** Why the engine cannot use a song. */
  faultOf(id: string): Problem | undefined;
  /** Whether a song has a problem, so that no mashup can be made. */
  isBlocked: boolean;
}

/** Uploads and analyses the selected songs, and reports their problems. */
export function useSongSelection(songs: StudioSong[]): SelectionStatus {
  const { selection } = useStudio();
  const { uploads, draft } = useStore(selection);
  const { getCard } = useAudioAnalysis();
  useEffect(() => selection.select(songs), [selection, songs]);

  const faultOf = (id: string): Problem | undefined => {
    const state = getCard(id)?.state;
    if (state !== 'failed' && state !== 'excluded') return undefined;
    return {
      message: draft?.errorMessage ?? 'The engine cannot read this song.',
      hint: draft?.errorHint ?? 'Remove it and choose another file.',
      isOfService: isServiceCode(draft?.errorCode ?? ''),
    };
  };
  const isBlocked = songs.some(({ id }) => uploads.get(id)?.problem !== undefined || faultOf(id) !== undefined);
  return { faultOf, isBlocked };
}
