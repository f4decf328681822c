/** The process that opens a model once. */
import type { ChosenModel } from '../models/choose.ts';
import { ModelError } from './errors.ts';
import { Graph } from './graph.ts';
import type { CheckMessage } from './messages.ts';

async function check({ path, runtimeFolder }: Pick<ChosenModel, 'path' | 'runtimeFolder'>): Promise<CheckMessage> {
  const graph = await Graph.open({ runtimeFolder, path, options: { threads: 1, provider: 'cpu' } });
  const { samples } = graph;
  await graph.release();
  return { kind: 'opened', samples };
}

function failureOf(error: unknown): CheckMessage {
  const { code, message, hint } =
    error instanceof ModelError
      ? error
      : new ModelError('model_failed', 'The separation model cannot be opened.', { hint: 'Install it again.' });
  return { kind: 'model-error', code, message, hint };
}

process.once('disconnect', () => process.exit(1));
process.once('message', (chosen: Pick<ChosenModel, 'path' | 'runtimeFolder'>) => {
  void check(chosen)
    .catch(failureOf)
    .then((message) => process.send?.(message, undefined, undefined, () => process.exit(0)));
});
