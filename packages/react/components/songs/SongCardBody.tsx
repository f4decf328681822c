import { displayKeyWithCamelot } from '../../../../music/theory/keys.ts';
import type { Problem } from '../../state/problem.ts';
import { Icon } from '../common/icons.tsx';
import { MusicText } from '../common/MusicText.tsx';
import { ProgressBar } from '../common/ProgressBar.tsx';
import type { Tone } from '../common/tones.ts';
import type { SongCardProps } from './song-card-props.ts';
import { TrackAnalysisDisplay } from './TrackAnalysisDisplay.tsx';

type Props = Pick<SongCardProps, 'song' | 'upload' | 'card' | 'analysis' | 'onRetry'> & {
  problem: Problem | undefined;
  tone: Tone;
};

/** A song's problem, or its analysis, or the progress towards it. */
export function SongCardBody(props: Props) {
  const { card, analysis } = props;
  return (
    <div className="mt-3">
      <Content {...props} />
      {!analysis && card?.bpm !== undefined && (
        <p className="mt-3 text-sm">
          {Math.round(card.bpm)} bpm · <MusicText text={displayKeyWithCamelot(card.key ?? '')} />
        </p>
      )}
    </div>
  );
}

function Content({ song, upload, analysis, problem, tone, onRetry }: Props) {
  if (problem)
    return <SongProblem problem={problem} onRetry={upload?.problem || problem.isOfService ? onRetry : undefined} />;
  if (analysis) return <TrackAnalysisDisplay analysis={analysis} tone={tone} />;
  if (upload?.submitted === undefined) return <UploadBar name={song.name} share={upload?.share ?? 0} tone={tone} />;
  return <WaveformPlaceholder tone={tone} />;
}

function SongProblem({ problem, onRetry }: { problem: Problem; onRetry: (() => void) | undefined }) {
  return (
    <div role="alert" className="rounded-xl bg-bad/10 p-3 text-sm">
      <p className="break-words font-medium">{problem.message}</p>
      <p className="mt-1 text-soft">{problem.hint}</p>
      {onRetry && (
        <button type="button" className="button mt-3" onClick={onRetry}>
          <Icon name="retry" />
          Try again
        </button>
      )}
    </div>
  );
}

function UploadBar({ name, share, tone }: { name: string; share: number; tone: Tone }) {
  return <ProgressBar label={`Upload of ${name}`} percent={share * 100} tone={tone.background} className="h-1.5" />;
}

/** Shown until the analysis has a waveform. */
function WaveformPlaceholder({ tone }: { tone: Tone }) {
  return (
    <div aria-hidden="true" className="flex h-14 animate-pulse items-center gap-0.5 opacity-40">
      {Array.from({ length: 48 }, (_, bar) => (
        <span
          key={bar}
          className={`flex-1 rounded-full ${tone.background}`}
          style={{ height: `${20 + 55 * Math.abs(Math.sin(bar * 0.7) * Math.cos(bar * 0.23))}%` }}
        />
      ))}
    </div>
  );
}
