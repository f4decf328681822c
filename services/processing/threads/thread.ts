/** The worker thread of a render: performs one job at a time and sends its result back. */
import { parentPort } from 'node:worker_threads';
import { scrubText } from '../../http/scrub.ts';
import { changePhrases } from '../corrections/phrase-changes.ts';
import { finishMashup } from '../delivery/finish.ts';
import { RenderError } from '../errors.ts';
import { analyzeStems } from '../song/analyze-stems.ts';
import { measureDrums } from '../song/measure-drums.ts';
import { renderSection } from '../sound/section.ts';
import { renderStem } from '../sound/stem.ts';
import type { JobMessage, ThreadMessage } from './messages.ts';

async function perform(job: JobMessage, onProgress: (message: string) => void): Promise<unknown> {
  switch (job.kind) {
    case 'analyze':
      return analyzeStems(job.input);
    case 'drums':
      return measureDrums(job.input);
    case 'phrases':
      return changePhrases(job.input);
    case 'stem':
      return renderStem(job.input);
    case 'section':
      return renderSection(job.input);
    case 'finish':
      return finishMashup(job.input, onProgress);
  }
}

parentPort?.on('message', (job: JobMessage) => {
  const send = (message: ThreadMessage): void => parentPort?.postMessage(message);
  perform(job, (message) => send({ kind: 'progress', message })).then(
    (output) => send({ kind: 'done', output }),
    (error: unknown) => {
      const message = scrubText(error instanceof Error ? error.message : String(error));
      const known = error instanceof RenderError ? { code: error.code, hint: error.hint } : {};
      send({ kind: 'failed', error: { message, ...known } });
    },
  );
});
