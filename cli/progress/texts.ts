/** Texts of the progress displays. */
import type { JobSong, MashupJob } from '@mashup-engine/client';
import { displayKeyWithCamelot } from '../../music/theory/keys.ts';
import { clock, duration } from '../output.ts';

const SONG_STATES: Record<JobSong['state'], string> = {
  pending: 'waiting',
  analyzing: 'analysing',
  analyzed: 'analysed',
  separating: 'separating',
  ready: 'ready',
  excluded: 'excluded',
  failed: 'failed',
};

/** Returns state and values of a song: `analysed · 124 bpm · A minor (8A) · 0:45`. */
export function songText(song: JobSong): string {
  return [
    SONG_STATES[song.state],
    song.bpm === undefined ? '' : `${Math.round(song.bpm)} bpm`,
    song.key === undefined ? '' : displayKeyWithCamelot(song.key),
    song.durationSec === undefined ? '' : clock(song.durationSec),
  ]
    .filter((part) => part !== '')
    .join(' · ');
}

/** What is shown while nothing can be read of the job. */
export const CONNECTION_LOST =
  'No connection to the server, trying again. If the local stack was stopped, start it with `mashup start`.';

/** Returns the current step, or what the job is waiting for. */
export function stepText(job: MashupJob): string {
  switch (job.waitingOn) {
    case 'slot':
      return job.queuePosition === null
        ? 'Waiting for a free slot'
        : `Waiting for a free slot (position ${job.queuePosition})`;
    case 'pause':
      return `${job.currentStep} (paused by the operator)`;
    default:
      return job.currentStep;
  }
}

/** Whether a job waits for something of which nobody knows when it is back: its estimate does not hold meanwhile. */
const isAway = ({ waitingOn }: MashupJob): boolean => waitingOn === 'circuit' || waitingOn === 'pause';

/** Returns the remaining time by the engine's estimate, or why there is none; empty while the step says what the job waits for. */
export function estimateText(job: MashupJob, now = Date.now()): string {
  if (job.status !== 'processing' || isAway(job)) return '';
  // As a part of a sentence.
  if (job.estimateNote) return job.estimateNote.replace(/^The/, 'the').replace(/\.$/, '');
  if (job.estimatedCompletionAt === null) return '';
  const seconds = (Date.parse(job.estimatedCompletionAt) - now) / 1000;
  return seconds < 1 ? 'a few more seconds' : `about ${duration(seconds)} left`;
}
