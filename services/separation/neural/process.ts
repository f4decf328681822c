/**
 * The process that runs a model for one song. A process of its own: a fault in native code ends it and not the service, ending it cancels a
 * segment at once, and all of its memory goes back to the system.
 */
import { readFile } from 'node:fs/promises';
import { AudioError } from '../../../audio/errors.ts';
import { CLASSICAL } from '../classical.ts';
import { planOwnStems } from '../own-stems/read-own.ts';
import { needsSeparation } from '../own-stems/recipe.ts';
import { costOfFile, separateFile } from '../separate-file.ts';
import type { SeparatedFiles } from '../separate-file.ts';
import { ModelError } from './errors.ts';
import { Graph } from './graph.ts';
import type { ModelJob, ModelMessage } from './messages.ts';
import { neuralMethod } from './method.ts';

const send = (message: ModelMessage): Promise<void> =>
  new Promise((resolve) => {
    if (process.send) process.send(message, undefined, undefined, () => resolve());
    else resolve();
  });

async function run({ song, chosen, options, ...job }: ModelJob): Promise<SeparatedFiles> {
  const bytes = await readFile(song);
  // All of the song is vocals: there is nothing to separate.
  if (job.layout === 'voices_only' && !job.own) return separateFile(bytes, job, CLASSICAL);
  const plan = job.own && (await planOwnStems(job.own.hasSong ? bytes : undefined, job.own.paths));
  if (plan && !needsSeparation(plan.recipe)) return separateFile(bytes, job, CLASSICAL, plan);
  const graph = await Graph.open({ runtimeFolder: chosen.runtimeFolder, path: chosen.path, options });
  try {
    let done = 0;
    const method = neuralMethod(graph, chosen.model, () => {
      done++;
      void send({ kind: 'progress', done, total: Math.max(done, total) });
    });
    const total = costOfFile(job, method);
    return await separateFile(bytes, job, method, plan);
  } finally {
    await graph.release();
  }
}

function failureOf(error: unknown): ModelMessage {
  if (error instanceof AudioError)
    return { kind: 'audio-error', code: error.code, message: error.message, hint: error.hint };
  if (error instanceof ModelError)
    return { kind: 'model-error', code: error.code, message: error.message, hint: error.hint };
  return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
}

// An exit would wait for the segment, which the thread computes in native code.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.once('message', (job: ModelJob) => {
  void run(job)
    .then((separated): ModelMessage => ({ kind: 'result', separated }), failureOf)
    .then(send)
    .finally(() => process.exit(0));
});
