/** The worker thread of a render: performs one job at a time and sends its result back. */
import { parentPort } from 'node:worker_threads';
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { scrubText } from '../../http/scrub.ts';
import { RenderError } from '../errors.ts';
import { collectGarbage } from '../../http/collect-garbage.ts';
import type { JobMessage, ThreadMessage } from './messages.ts';

/** The code of a job is loaded with the first job of its kind: most threads perform few kinds. */
async function perform(job: JobMessage): Promise<unknown> {
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
    case 'mix':
      return (await import('../delivery/mix.ts')).mixSections(job.input);
    case 'gains':
      return (await import('../delivery/master.ts')).masterGains(job.input);
    case 'bus':
      return (await import('../delivery/buses.ts')).mixBus(job.input);
    case 'busPart':
      return (await import('../delivery/buses.ts')).encodeBusPart(job.input);
    case 'residual':
      return (await import('../delivery/buses.ts')).measureResidual(job.input);
    case 'hear':
      return (await import('../measure/heard-key.ts')).hearKey(job.input, SAMPLE_RATE);
    case 'master':
      return (await import('../delivery/master.ts')).masterMix(job.input);
    case 'encode':
      return (await import('../delivery/encode.ts')).encodeMaster(job.input);
    case 'measure':
      return (await import('../delivery/measure.ts')).measureDelivery(job.input);
  }
}

/** Buffers of earlier jobs of at most so many bytes wait for the next collection of garbage. */
const MAX_IDLE_BYTES = 48 * 2 ** 20;

/** Frees the buffers of a job, before the next one needs memory or the thread waits. */
function freeBuffers(): void {
  if (process.memoryUsage().arrayBuffers > MAX_IDLE_BYTES) collectGarbage();
}

parentPort?.on('message', (job: JobMessage) => {
  const send = (message: ThreadMessage): void => parentPort?.postMessage(message);
  perform(job).then(
    (output) => {
      send({ kind: 'done', output });
      freeBuffers();
    },
    (error: unknown) => {
      const message = scrubText(error instanceof Error ? error.message : String(error));
      const known = error instanceof RenderError ? { code: error.code, hint: error.hint } : {};
      send({ kind: 'failed', error: { message, ...known } });
    },
  );
});
