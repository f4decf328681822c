/** Watches which models the separation service has, for the database: jobs use stems of these models. */
import { reportSeparationModels } from './database/separation-models-api.ts';
import { repeat } from './periodic.ts';
import { fetchModels } from './services/separation.ts';
import type { WorkerContext } from './tasks/context.ts';

/** Models that did not change are reported again after this time: the database may have been restored. */
const REPEAT_MS = 60_000;

/** Asks the service at once and then periodically. Returns a function that ends it. */
export function watchSeparationModels({ db, limits, log, serviceTokens, serviceUrls }: WorkerContext): () => void {
  const stop = new AbortController();
  let reported: { models: string; at: number } | undefined;
  const watch = async (): Promise<void> => {
    const options = { signal: stop.signal, token: serviceTokens.separation };
    const answer = await fetchModels(serviceUrls.separation, options).then(
      (models) => ({ models }),
      // Its circuit shows an outage. What is known of it stays.
      () => undefined,
    );
    if (!answer || stop.signal.aborted) return;
    const models = JSON.stringify(answer.models ?? null);
    if (reported?.models === models && performance.now() - reported.at < REPEAT_MS) return;
    await reportSeparationModels(db, answer.models);
    reported = { models, at: performance.now() };
  };
  const end = repeat(limits.modelsIntervalMs, log, 'the watch of the separation models', watch, { atOnce: true });
  return () => {
    end();
    stop.abort();
  };
}
