import type { JobSong } from '@mashup-engine/client';
import type { SongAnalysis } from '../../../../schema.ts';
import type { Problem } from '../../state/problem.ts';
import type { StudioSong } from '../../state/songs.ts';
import type { Upload } from '../../state/uploads.ts';

/** Props of a song card and its parts. */
export interface SongCardProps {
  song: StudioSong;
  /** Position among the selected songs, from 0. */
  place: number;
  /** Number of selected songs. */
  count: number;
  upload: Upload | undefined;
  /** The song in the draft's row. */
  card: JobSong | undefined;
  /** Why the engine could not use the song. */
  fault: Problem | undefined;
  analysis: SongAnalysis | undefined;
  onRemove: () => void;
  /** Repeats the upload. */
  onRetry: () => void;
  /** Receives the song with other stems of the user's own, and another id. Without it they cannot be changed. */
  onChange?: (song: StudioSong) => void;
  /** Moves the song by -1 (forward) or 1 (back). */
  onMove?: (by: number) => void;
}
