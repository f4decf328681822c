/** Shows progress as a few lines that are redrawn: songs, progress bar, current step, remaining time. */
import { createLogUpdate } from 'log-update';
import pc from 'picocolors';
import type { JobSong, MashupJob } from '@mashup-engine/client';
import { truncate, duration, table } from '../output.ts';
import type { Display } from './display.ts';
import { CONNECTION_LOST, estimateText, songText, stepText } from './texts.ts';

/** Short enough to show elapsed seconds. */
const REDRAW_MS = 500;
const BAR_WIDTH = 28;
const NAME_WIDTH = 32;

const DOTS: Record<JobSong['state'], string> = {
  pending: pc.dim('○'),
  analyzing: pc.cyan('◐'),
  analyzed: pc.cyan('◑'),
  separating: pc.cyan('◕'),
  ready: pc.green('●'),
  excluded: pc.yellow('✕'),
  failed: pc.red('✕'),
};

function bar(progress: number): string {
  const filled = Math.round((BAR_WIDTH * progress) / 100);
  return pc.cyan('━'.repeat(filled)) + pc.dim('─'.repeat(BAR_WIDTH - filled));
}

function draw(job: MashupJob, startedAt: number, isLost: boolean): string {
  const songs = job.songs.map((song) => [
    `  ${DOTS[song.state]} ${truncate(song.name, NAME_WIDTH)}`,
    pc.dim(songText(song)),
  ]);
  const left = (!isLost && estimateText(job)) || duration((Date.now() - startedAt) / 1000);
  return [
    '',
    ...table(songs),
    '',
    `  ${bar(job.progress)} ${String(Math.floor(job.progress)).padStart(3)} %  ${pc.dim(left)}`,
    `  ${isLost ? CONNECTION_LOST : stepText(job)}`,
  ].join('\n');
}

/** Creates the display for a terminal. The last state stays on the screen. */
export function terminalDisplay(): Display {
  const write = createLogUpdate(process.stdout);
  const startedAt = Date.now();
  let job: MashupJob | undefined;
  let text = '';
  let isLost = false;
  let ended = false;
  const redraw = (): void => {
    if (ended) return;
    write(job === undefined ? pc.dim(`  ${text}…`) : draw(job, startedAt, isLost));
  };
  const timer = setInterval(redraw, REDRAW_MS);
  return {
    step(next) {
      text = next;
      redraw();
    },
    job(next) {
      job = next;
      isLost = false;
      redraw();
    },
    connection(isNowLost) {
      isLost = isNowLost;
      redraw();
    },
    end() {
      if (ended) return;
      clearInterval(timer);
      if (job === undefined) write.clear();
      else redraw();
      ended = true;
      write.done();
    },
  };
}
