/** The rendering service: `POST /execute-masterplan` responds with a stream of events. */
import type { Server } from 'node:http';
import {
  OPENING_PATH,
  type PlayableAudio,
  RenderEvent,
  RenderRequest,
  RenderStemsRequest,
  STEMS_PATH,
} from '../../../schema.ts';
import { createServiceApp, createServiceServer, disconnectSignal, readBody } from '../../http/app.ts';
import { streamEvents, type SendEvent } from '../../http/events.ts';
import { scrubText } from '../../http/scrub.ts';
import { RenderError } from '../errors.ts';
import type { RenderCache } from '../files/render-cache.ts';
import { type OnPlayable, PartPublisher } from '../live/publish.ts';
import { parseRenderPlan } from '../plan/plan.ts';
import type { OnSection } from '../render/candidate.ts';
import { renderMashup, renderOpening } from '../render/render.ts';
import { renderStems } from '../render/render-stems.ts';
import { RenderThreads } from '../threads/thread-pool.ts';

const PROCESSING_VERSION = '1.0.0';
/** The last message is repeated at least this often during long steps, so that callers can detect a dead service. */
const REPEAT_PROGRESS_MS = 1500;

/** The error event of the contract, with a code and a hint for clients that read them. */
function toErrorEvent(error: unknown): RenderEvent {
  if (error instanceof RenderError) {
    const { code, hint, missing } = error;
    return { error: scrubText(error.message), code, hint, ...(missing ? { missing: [...missing] } : {}) };
  }
  const text = error instanceof Error ? error.message : String(error);
  return { error: `The mashup could not be rendered: ${scrubText(text)}`, code: 'render_failed' };
}

/** Sends progress that never decreases, and repeats it while there is nothing new. */
function progressReporter(send: SendEvent): {
  report: (progress: number, message: string) => void;
  publish: OnPlayable;
  stop: () => void;
} {
  let last: { progress: number; message: string; playable?: PlayableAudio } = { progress: 0, message: 'Starting' };
  const timer = setInterval(() => send(last), REPEAT_PROGRESS_MS);
  return {
    report: (progress, message) => {
      last = { ...last, progress: Math.max(last.progress, Math.min(99, Math.floor(progress))), message };
      send(last);
      timer.refresh();
    },
    publish: (playable) => {
      last = { ...last, playable };
      send(last);
    },
    stop: () => clearInterval(timer),
  };
}

async function render(
  request: RenderRequest,
  signal: AbortSignal,
  send: SendEvent,
  cache: RenderCache | undefined,
): Promise<void> {
  const { report, publish, stop } = progressReporter(send);
  const threads = new RenderThreads(signal);
  const parts = request.parts && new PartPublisher(request.parts, parseRenderPlan(request).plan, publish);
  try {
    const onSection: OnSection = (_, section) => parts?.addSection(section);
    const { storage_path, result } = await renderMashup(request, threads, report, { onSection, cache });
    stop();
    // No part may be stored after the result: nobody would know of it.
    await parts?.stop();
    send({ progress: 100, message: 'Complete!', storage_path, result });
  } finally {
    stop();
    await Promise.all([threads.close(), parts?.stop()]);
  }
}

/** Renders the opening of a mashup and publishes its parts. All of them are uploaded when it ends. */
async function open(
  request: RenderRequest,
  signal: AbortSignal,
  send: SendEvent,
  cache: RenderCache | undefined,
): Promise<void> {
  const { opening, parts: targets } = request;
  if (!opening || !targets) {
    throw new RenderError('plan_invalid', 'The request has no opening or no targets for its parts', 'Send both.');
  }
  const { report, publish, stop } = progressReporter(send);
  const threads = new RenderThreads(signal);
  const parts = new PartPublisher(targets, parseRenderPlan(request).plan, publish);
  try {
    const onSection: OnSection = (_, section) => parts.addSection(section);
    await renderOpening({ ...request, opening }, threads, report, { onSection, cache });
    await parts.uploaded();
    stop();
    send({ progress: 100, message: 'The opening can be played', storage_path: targets.path });
  } finally {
    stop();
    await Promise.all([threads.close(), parts.stop()]);
  }
}

/** Renders the stems of a mashup. The terminal event has their folder as `storage_path`, and what is in it. */
async function renderStemsOf(
  request: RenderStemsRequest,
  signal: AbortSignal,
  send: SendEvent,
  cache: RenderCache | undefined,
): Promise<void> {
  const { report, stop } = progressReporter(send);
  const threads = new RenderThreads(signal);
  try {
    const stems = await renderStems(request, threads, report, { cache });
    stop();
    send({ progress: 100, message: 'The stems are ready', storage_path: request.stems.path, stems });
  } finally {
    stop();
    await threads.close();
  }
}

/**
 * Creates the rendering service's HTTP server. It does not listen yet.
 * @param options.cache keeps what iterations use again; without it, everything is rendered each time
 */
export function createProcessingServer({ cache }: { cache?: RenderCache | undefined } = {}): Server {
  const app = createServiceApp({ service: 'processing', version: PROCESSING_VERSION });
  app.post('/execute-masterplan', async (context) => {
    const request = await readBody(context, RenderRequest);
    const signal = disconnectSignal(context);
    return streamEvents(context, (send) => render(request, signal, send, cache), toErrorEvent);
  });
  app.post(OPENING_PATH, async (context) => {
    const request = await readBody(context, RenderRequest);
    const signal = disconnectSignal(context);
    return streamEvents(context, (send) => open(request, signal, send, cache), toErrorEvent);
  });
  app.post(STEMS_PATH, async (context) => {
    const request = await readBody(context, RenderStemsRequest);
    const signal = disconnectSignal(context);
    return streamEvents(context, (send) => renderStemsOf(request, signal, send, cache), toErrorEvent);
  });
  return createServiceServer(app);
}
