/** Shows progress as one line per event, for logs, pipes and CI. */
import type { MashupJob } from '@mashup-engine/client';
import { print } from '../output.ts';
import type { Display } from './display.ts';
import { CONNECTION_LOST, estimateText, songText, stepText } from './texts.ts';

/** Progress alone is shown only after a change of this many percent. */
const PROGRESS_STEP = 10;

/** Creates the display for outputs without cursor control. */
export function plainDisplay(): Display {
  const startedAt = Date.now();
  const songs = new Map<string, string>();
  let shown = '';
  let shownProgress = 0;
  const line = (text: string): void => {
    const seconds = Math.round((Date.now() - startedAt) / 1000);
    print(`${String(seconds).padStart(4)} s  ${text}`);
  };
  return {
    step: (text) => line(text),
    job(job: MashupJob) {
      for (const song of job.songs) {
        if (songs.get(song.songId) === song.state) continue;
        songs.set(song.songId, song.state);
        if (song.state !== 'pending') line(`       ${song.name}: ${songText(song)}`);
        if (song.state === 'analyzed') for (const warning of song.warnings ?? []) line(`       ! ${warning}`);
      }
      const step = `${job.stage} ${stepText(job)}`;
      if (step === shown && Math.abs(job.progress - shownProgress) < PROGRESS_STEP) return;
      shown = step;
      shownProgress = job.progress;
      const left = estimateText(job);
      const percent = String(Math.floor(job.progress)).padStart(3);
      line(`${percent} %  ${stepText(job)}${left === '' ? '' : ` (${left})`}`);
    },
    connection: (isLost) => line(isLost ? CONNECTION_LOST : 'Connected again'),
    end: () => {},
  };
}
