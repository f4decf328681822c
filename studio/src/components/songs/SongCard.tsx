import type { SongAnalysis, SongCard as JobSong } from '../../../../schema.ts';
import type { Problem } from '../../state/problem.ts';
import type { Upload } from '../../state/song-selection.ts';
import type { StudioSong } from '../../state/songs.ts';
import { clock, percent } from '../../texts.ts';
import { Icon } from '../common/icons.tsx';
import { toneOf } from '../common/tones.ts';
import { TrackAnalysisDisplay } from './TrackAnalysisDisplay.tsx';

interface Props {
  song: StudioSong;
  place: number;
  count: number;
  upload: Upload | undefined;
  card: JobSong | undefined;
  /** Why the engine could not use the song. */
  fault: Problem | undefined;
  analysis: SongAnalysis | undefined;
  onRemove: () => void;
  /** Uploads the song once more. */
  onRetry: () => void;
  /** -1 forward, 1 back */
  onMove?: (by: number) => void;
}

/** What is happening to the song, in one line. */
function stateOf({ upload, card, analysis, fault }: Pick<Props, 'upload' | 'card' | 'analysis' | 'fault'>): string {
  if (upload?.problem) return 'Not uploaded';
  if (fault) return 'Cannot be used';
  if (upload?.submitted === undefined) return `Uploading ${percent(upload?.share ?? 0)}`;
  if (analysis) return 'Analysed';
  return card?.state === 'analyzing' ? 'Listening: tempo, key, voices' : 'Waiting to be analysed';
}

/** One chosen song: its way up, and what was heard in it. */
export function SongCard(props: Props) {
  const { song, place, count, upload, card, fault, analysis, onRemove, onRetry, onMove } = props;
  const tone = toneOf(place);
  const problem = upload?.problem ?? fault;
  const isUploading = upload?.submitted === undefined && problem === undefined;
  return (
    <li className="panel relative min-h-[19rem] overflow-hidden" data-testid="song-card">
      <div className={`absolute inset-x-0 top-0 h-1 ${tone.background}`} />
      <div className="flex items-start gap-2">
        <div className="min-w-0 flex-1">
          <h3 className="truncate text-base font-semibold" title={song.name}>
            {song.name}
          </h3>
          <p className="truncate text-sm text-soft">
            {song.artist || 'Unknown artist'}
            {analysis?.duration_sec ? ` · ${clock(analysis.duration_sec)}` : ''}
          </p>
        </div>
        {onMove && count > 1 && (
          <div className="flex">
            <button type="button" className="button-quiet" disabled={place === 0} onClick={() => onMove(-1)}>
              <Icon name="up" className="h-4 w-4 md:-rotate-90" />
              <span className="sr-only">Move {song.name} forward</span>
            </button>
            <button type="button" className="button-quiet" disabled={place === count - 1} onClick={() => onMove(1)}>
              <Icon name="down" className="h-4 w-4 md:-rotate-90" />
              <span className="sr-only">Move {song.name} back</span>
            </button>
          </div>
        )}
        <button type="button" className="button-quiet" onClick={onRemove}>
          <Icon name="close" />
          <span className="sr-only">Remove {song.name}</span>
        </button>
      </div>
      <p className="mt-2 flex items-center gap-1.5 text-xs text-soft" role="status">
        {analysis && !problem ? (
          <Icon name="check" className="h-3.5 w-3.5 text-good" />
        ) : (
          <span className={`h-2 w-2 rounded-full ${problem ? 'bg-bad' : `${tone.background} animate-pulse`}`} />
        )}
        <span className="sr-only">{song.name}: </span>
        {stateOf(props)}
      </p>
      <div className="mt-3">
        {problem ? (
          <div role="alert" className="rounded-xl bg-bad/10 p-3 text-sm">
            <p className="break-words font-medium">{problem.message}</p>
            <p className="mt-1 text-soft">{problem.hint}</p>
            {upload?.problem && (
              <button type="button" className="button mt-3" onClick={onRetry}>
                <Icon name="retry" />
                Try again
              </button>
            )}
          </div>
        ) : analysis ? (
          <TrackAnalysisDisplay analysis={analysis} tone={tone} />
        ) : isUploading ? (
          <div
            role="progressbar"
            aria-label={`Upload of ${song.name}`}
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.round((upload?.share ?? 0) * 100)}
            className="h-1.5 overflow-hidden rounded-full bg-raised"
          >
            <div
              className={`h-full rounded-full transition-[width] ${tone.background}`}
              style={{ width: `${Math.round((upload?.share ?? 0) * 100)}%` }}
            />
          </div>
        ) : (
          <div aria-hidden="true" className="flex h-14 animate-pulse items-center gap-0.5 opacity-40">
            {Array.from({ length: 48 }, (_, bar) => (
              <span
                key={bar}
                className={`flex-1 rounded-full ${tone.background}`}
                style={{ height: `${20 + 55 * Math.abs(Math.sin(bar * 0.7) * Math.cos(bar * 0.23))}%` }}
              />
            ))}
          </div>
        )}
        {!analysis && card?.bpm !== undefined && (
          <p className="mt-3 text-sm">
            {Math.round(card.bpm)} bpm · {card.key} {card.camelot}
          </p>
        )}
      </div>
    </li>
  );
}
