import { useState } from 'react';
import { useMashupGenerator } from '../../hooks/useMashupGenerator.ts';
import { useOnline } from '../../hooks/useOnline.ts';
import { toProblem } from '../../state/problem.ts';
import type { Problem } from '../../state/problem.ts';
import type { MashupJob, SongCard } from '../../../../schema.ts';
import { ClaudeMonitor } from './ClaudeMonitor.tsx';
import { Countdown } from './Countdown.tsx';
import { Icon } from '../common/icons.tsx';
import { Notice } from '../common/Notice.tsx';
import { StageTrack } from './StageTrack.tsx';
import { toneOf } from '../common/tones.ts';
import type { Tone } from '../common/tones.ts';

const SONG_WORDS: Record<string, string> = {
  pending: 'waiting',
  analyzing: 'being analysed',
  analyzed: 'analysed',
  separating: 'being separated',
  ready: 'stems ready',
  excluded: 'left out',
  failed: 'cannot be used',
};

function SongProgress({ song, tone, isMoving }: { song: SongCard; tone: Tone; isMoving: boolean }) {
  const isAtWork = isMoving && (song.state === 'analyzing' || song.state === 'separating');
  const isLost = song.state === 'excluded' || song.state === 'failed';
  return (
    <li className="flex items-center gap-3 overflow-hidden rounded-xl bg-raised/60 p-3 text-sm">
      <span aria-hidden="true" className={`h-9 w-1 shrink-0 rounded-full ${tone.background}`} />
      <span className="min-w-0 flex-1">
        <span className="block truncate font-medium">{song.name}</span>
        <span className={`block truncate text-xs sm:text-sm ${isLost ? 'text-bad' : 'text-soft'}`}>
          {SONG_WORDS[song.state] ?? song.state}
          {song.bpm !== undefined && ` · ${Math.round(song.bpm)} bpm`}
          {song.key !== undefined && ` · ${song.key}`}
        </span>
      </span>
      {isAtWork && (
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

function waitingFor(job: MashupJob): string | undefined {
  if (job.waiting_on === 'slot') {
    return job.queue_position ? `Number ${job.queue_position} in the queue` : 'Waiting for a free slot';
  }
  if (job.waiting_on === 'circuit') return 'A service is away; it goes on by itself when it is back';
  if (job.waiting_on === 'pause') return 'Paused by the operator';
  return undefined;
}

/** A mashup on its way: stages, what happens now, each song's state, time left; cancel, retry, and another way out. */
export function JobProgress({ job, onStartOver }: { job: MashupJob; onStartOver?: () => void }) {
  const { cancel, retry, isLive, claudePlan, claudeThoughts } = useMashupGenerator();
  const isOnline = useOnline();
  const [refusal, setRefusal] = useState<Problem>();
  const attempt = (work: () => Promise<void>) => async (): Promise<void> => {
    setRefusal(undefined);
    await work().catch((error: unknown) => setRefusal(toProblem(error)));
  };
  const isStopped = job.status === 'failed' || job.status === 'cancelled';
  const step = waitingFor(job) ?? job.current_step;

  return (
    <section className="panel space-y-5" aria-label="Progress" data-testid="progress">
      <StageTrack job={job} />
      {job.status === 'processing' && (
        <div>
          {/* On a phone two lines are kept for the step, so that nothing moves when it grows. */}
          <div className="mb-2 items-baseline justify-between gap-4 sm:flex">
            <div className="flex min-h-10 items-end sm:min-h-0 sm:min-w-0">
              <p className="line-clamp-2 text-sm font-medium sm:line-clamp-1 sm:text-base" title={step}>
                {step}
              </p>
            </div>
            <Countdown job={job} />
          </div>
          <div
            role="progressbar"
            aria-label="Progress of the mashup"
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.round(job.progress)}
            className="h-2 overflow-hidden rounded-full bg-raised"
          >
            <div
              className="h-full rounded-full bg-accent transition-[width] duration-500"
              style={{ width: `${job.progress}%` }}
            />
          </div>
        </div>
      )}
      <p className="sr-only" aria-live="polite">
        {step}
      </p>
      {job.status === 'failed' && (
        <Notice
          problem={{
            message: job.error_message ?? 'The mashup could not be made.',
            hint: job.error_hint ?? 'Try it again.',
          }}
        />
      )}
      {job.status === 'cancelled' && (
        <Notice
          kind="warn"
          problem={{
            message: 'This mashup was cancelled.',
            hint: 'What was done is kept: Retry goes on where it stopped.',
          }}
        />
      )}
      <ul className={`grid gap-3 sm:grid-cols-2 ${job.songs.length > 2 ? 'lg:grid-cols-3' : ''}`} aria-label="Songs">
        {job.songs.map((song, place) => (
          <SongProgress key={song.song_id} song={song} tone={toneOf(place)} isMoving={job.status === 'processing'} />
        ))}
      </ul>
      {job.status === 'processing' &&
        (claudePlan.length > 0 ? (
          // The page draws the plan itself below.
          <ClaudeMonitor plan={[]} thoughts={claudeThoughts} />
        ) : (
          <p className="rounded-xl border border-dashed border-line p-4 text-sm text-soft">
            The plan is shown here as soon as it is made: which song plays when, with which stems, and why.
          </p>
        ))}
      {refusal && <Notice problem={refusal} />}
      <div className="flex flex-wrap items-center gap-3">
        {job.status === 'processing' && (
          <button type="button" className="button" onClick={() => void attempt(cancel)()}>
            Cancel
          </button>
        )}
        {isStopped && (
          <button type="button" className="button-primary" onClick={() => void attempt(retry)()}>
            <Icon name="retry" />
            Retry
          </button>
        )}
        {isStopped && onStartOver && (
          <button type="button" className="button" onClick={onStartOver}>
            Other songs
          </button>
        )}
        <span className="ml-auto flex items-center gap-2 text-xs text-soft">
          <span aria-hidden="true" className={`h-2 w-2 rounded-full ${isOnline && isLive ? 'bg-good' : 'bg-warn'}`} />
          {!isOnline ? 'Offline' : isLive ? 'Live' : 'Connecting'}
        </span>
      </div>
    </section>
  );
}
