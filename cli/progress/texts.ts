/** Texts of the progress displays. */
import type { MashupJob, SongCard } from '../../schema.ts';
import { clock, duration } from '../output.ts';

const SONG_STATES: Record<SongCard['state'], string> = {
  pending: 'waiting',
  analyzing: 'analysing',
  analyzed: 'analysed',
  separating: 'separating',
  ready: 'ready',
  excluded: 'excluded',
  failed: 'failed',
};

/** Returns state and values of a song: `analysed · 124 bpm · A minor · 0:45`. */
export function songText(song: SongCard): string {
  return [
    SONG_STATES[song.state],
    song.bpm === undefined ? '' : `${Math.round(song.bpm)} bpm`,
    song.key ?? '',
    song.duration_sec === undefined ? '' : clock(song.duration_sec),
  ]
    .filter((part) => part !== '')
    .join(' · ');
}

/** Returns the current step, or what the job is waiting for. */
export function stepText(job: MashupJob): string {
  switch (job.waiting_on) {
    case 'slot':
      return job.queue_position === null
        ? 'Waiting for a free slot'
        : `Waiting for a free slot (position ${job.queue_position})`;
    case 'circuit':
      return `${job.current_step} (it is retried automatically)`;
    case 'pause':
      return `${job.current_step} (paused by the operator)`;
    default:
      return job.current_step;
  }
}

/** Returns the remaining time by the engine's estimate; empty without an estimate. */
export function estimateText(job: MashupJob, now = Date.now()): string {
  if (job.status !== 'processing' || job.estimated_completion_at === null) return '';
  const seconds = (Date.parse(job.estimated_completion_at) - now) / 1000;
  return seconds < 1 ? 'a few more seconds' : `about ${duration(seconds)} left`;
}
