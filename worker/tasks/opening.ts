/**
 * The opening of a mashup: a `separate` task has its first sections rendered and published while it separates the rest of its song. It is
 * an extra: no fault of it ends the task, and the task does not wait for it for long.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { OPENING_PATH, type RenderRequest, type StoredStems } from '../../schema.ts';
import { partPath } from '../../schema/playable.ts';
import { type ReadyOpening, reportOpening } from '../database/opening-api.ts';
import { errorText } from '../redact.ts';
import { callRender } from '../services/processing.ts';
import { silenceLimitMs, uploadTarget } from './context.ts';
import type { TaskContext } from './context.ts';
import { PartsInRow } from './playable-parts.ts';
import { describeSongs, loadPlan, openingOf, usedStems } from './render-request.ts';
import { signFiles } from './stored-stems.ts';
import { loadScores, loadSongs } from './task-inputs.ts';

/** Parts that the sections of an opening have at most, besides one for each section: the first part is short. */
const MORE_PARTS = 2;
/** How long a task whose song is separated waits for its opening. A render of all is not much later then. */
const MAX_WAIT_MS = 4_000;

/** An opening in the making. */
export type Opening = {
  /** Resolves when it is published, has failed, or takes too long. */
  finish: () => Promise<void>;
  stop: () => void;
};

/** Reports the stems of what the opening plays of a song; renders it if those of all songs are there. Never throws. */
export function startOpening(context: TaskContext, stems: StoredStems, model: string): Opening {
  const stop = new AbortController();
  const own = { ...context, signal: AbortSignal.any([context.signal, stop.signal]) };
  const work = reportAndRender(own, stems, model).catch((error: unknown) => {
    if (own.signal.aborted) return;
    const { claim, log } = context;
    log('warn', 'the opening of a mashup was not rendered', { task: claim.task_id, error: errorText(error) });
  });
  return {
    finish: async () => void (await Promise.race([work, sleep(MAX_WAIT_MS, undefined, { ref: false })])),
    stop: () => stop.abort(),
  };
}

async function reportAndRender(context: TaskContext, stems: StoredStems, model: string): Promise<void> {
  const opening = await reportOpening(context.db, context.claim, stems, model);
  if (!opening) return;
  const { claim, signal, serviceTokens, serviceUrls } = context;
  const request = await buildRequest(context, opening);
  const parts = new PartsInRow(context, request.parts);
  await callRender(serviceUrls.processing, request, {
    path: OPENING_PATH,
    signal,
    timeoutMs: silenceLimitMs(context),
    idleMs: claim.silence_sec * 1000,
    token: serviceTokens.processing,
    onProgress: () => undefined,
    onPlayable: (playable) => parts.publish(playable),
  });
  await parts.written();
}

type OpeningRequest = RenderRequest & { parts: NonNullable<RenderRequest['parts']> };

async function buildRequest(context: TaskContext, opening: ReadyOpening): Promise<OpeningRequest> {
  const { plan } = await loadPlan(context);
  const { timeline, global } = plan.masterplan;
  const used = usedStems(context.claim, plan);
  const { path, sections } = opening;
  const paths = Array.from({ length: sections + MORE_PARTS }, (_, i) => partPath(path, i));
  const [analyzed, scores, signed, uploads] = await Promise.all([
    loadSongs(context),
    loadScores(context),
    Promise.all(
      used.map(({ card, stems }) => {
        const stored = opening.stems[card.song_id];
        return stored ? signFiles(context, stems, stored) : {};
      }),
    ),
    Promise.all(paths.map((part) => uploadTarget(context, part))),
  ]);
  return {
    masterplan: { timeline, global_settings: global },
    songs: describeSongs(used, analyzed, signed),
    job_id: path.replace(/^generated\//, ''),
    scores,
    format: 'wav',
    parts: { path, uploads },
    opening: openingOf(context.claim, plan, sections, opening.models),
  };
}
