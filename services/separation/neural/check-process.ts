/** The process that opens a model once. */
import { ModelError } from './errors.ts';
import { Graph } from './graph.ts';
import { loadRuntime } from './runtime.ts';
import type { CheckMessage, CheckTask } from './messages.ts';

async function check({ path, runtimeFolder, provider }: CheckTask): Promise<CheckMessage> {
  if (path === undefined) {
    loadRuntime(runtimeFolder);
    return { kind: 'opened', samples: undefined };
  }
  const graph = await Graph.open({ runtimeFolder, path, options: { threads: 1, provider } });
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
process.once('message', (task: CheckTask) => {
  void check(task)
    .catch(failureOf)
    .then((message) => process.send?.(message, undefined, undefined, () => process.exit(0)));
});
