import type { JobSong } from '@mashup-engine/client';
import { displayKeyWithCamelot } from '../../../../music/theory/keys.ts';
import { Icon } from '../common/icons.tsx';
import { MusicText } from '../common/MusicText.tsx';
import type { Tone } from '../common/tones.ts';

const SONG_STATE_TEXTS: Record<string, string> = {
  pending: 'waiting',
  analyzing: 'being analysed',
  analyzed: 'analysed',
  separating: 'being separated',
  ready: 'stems ready',
  excluded: 'left out',
  failed: 'cannot be used',
};

/** The state of one song in a job. */
export function SongProgress({ song, tone, isProcessing }: { song: JobSong; tone: Tone; isProcessing: boolean }) {
  const isActive = isProcessing && (song.state === 'analyzing' || song.state === 'separating');
  const isUnusable = song.state === 'excluded' || song.state === 'failed';
  return (
    <li className="flex items-center gap-3 overflow-hidden rounded-xl bg-raised/60 p-3 text-sm">
      <span aria-hidden="true" className={`h-9 w-1 shrink-0 rounded-full ${tone.background}`} />
      <span className="min-w-0 flex-1">
        <span className="block truncate font-medium">{song.name}</span>
        <span className={`block truncate text-xs sm:text-sm ${isUnusable ? 'text-bad' : 'text-soft'}`}>
          {SONG_STATE_TEXTS[song.state] ?? song.state}
          {song.bpm !== undefined && ` · ${Math.round(song.bpm)} bpm`}
          {song.key !== undefined && <MusicText text={` · ${displayKeyWithCamelot(song.key)}`} />}
        </span>
        {song.warnings?.map((warning) => (
          <span key={warning} className="block break-words text-xs text-warn">
            <MusicText text={warning} />
          </span>
        ))}
      </span>
      {isActive && (
        <span aria-hidden="true" className="flex h-5 items-center gap-0.5">
          {[0, 150, 300].map((delay) => (
            <span
              key={delay}
              className={`h-full w-1 animate-pulse rounded-full ${tone.background}`}
              style={{ animationDelay: `${delay}ms` }}
            />
          ))}
        </span>
      )}
      {song.state === 'ready' && <Icon name="check" className="h-4 w-4 text-good" />}
    </li>
  );
}
