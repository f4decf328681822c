/** The worker thread of a render: performs one job at a time and sends its result back. */
import { parentPort } from 'node:worker_threads';
import { scrubText } from '../../http/scrub.ts';
import { RenderError } from '../errors.ts';
import type { JobMessage, ThreadMessage } from './messages.ts';

/** The code of a job is loaded with the first job of its kind: most threads perform few kinds. */
async function perform(job: JobMessage, onProgress: (message: string) => void): Promise<unknown> {
  switch (job.kind) {
    case 'analyze':
      return (await import('../song/analyze-stems.ts')).analyzeStems(job.input);
    case 'drums':
      return (await import('../song/measure-drums.ts')).measureDrums(job.input);
    case 'phrases':
      return (await import('../corrections/phrase-changes.ts')).changePhrases(job.input);
    case 'stem':
      return (await import('../sound/stem.ts')).loadStem(job.input);
    case 'run':
      return (await import('../sound/stretch-run.ts')).stretchRun(job.input);
    case 'section':
      return (await import('../sound/section.ts')).renderSection(job.input);
    case 'finish':
      return (await import('../delivery/finish.ts')).finishMashup(job.input, onProgress);
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
