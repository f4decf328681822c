/** One line for each thing that happens: for logs, pipes and CI. */
import type { MashupJob } from '../../schema.ts';
import { print } from '../output.ts';
import type { Display } from './display.ts';
import { estimateWords, songWords, stepWords } from './words.ts';

/** Progress alone is worth a line only when it has grown by this much. */
const PROGRESS_STEP = 10;

/** The display where lines stay. */
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
        if (songs.get(song.song_id) === song.state) continue;
        songs.set(song.song_id, song.state);
        if (song.state !== 'pending') line(`       ${song.name}: ${songWords(song)}`);
      }
      const step = `${job.stage} ${stepWords(job)}`;
      if (step === shown && Math.abs(job.progress - shownProgress) < PROGRESS_STEP) return;
      shown = step;
      shownProgress = job.progress;
      const left = estimateWords(job);
      const percent = String(Math.floor(job.progress)).padStart(3);
      line(`${percent} %  ${stepWords(job)}${left === '' ? '' : ` (${left})`}`);
    },
    end: () => {},
  };
}
