/** The rendering service: `POST /execute-masterplan` returns a stream of events. */
import type { Server } from 'node:http';
import { RenderEvent, RenderRequest } from '../../../schema.ts';
import {
  createServiceServer,
  type EventStream,
  openEventStream,
  scrubText,
  type ServiceRequest,
} from '../../http/http.ts';
import { RenderError } from '../errors.ts';
import { renderMashup } from '../render/render.ts';
import { RenderThreads } from '../threads/thread-pool.ts';

const PROCESSING_VERSION = '1.0.0';
/** During long steps the last event is repeated at least this often, so that clients can detect a lost connection. */
const REPEAT_PROGRESS_MS = 1500;

/** The error event of the contract, with a code and a hint for clients that read them. */
function failureEvent(error: unknown): RenderEvent {
  if (error instanceof RenderError) return { error: scrubText(error.message), code: error.code, hint: error.hint };
  const text = error instanceof Error ? error.message : String(error);
  return { error: `The mashup could not be rendered: ${scrubText(text)}`, code: 'render_failed' };
}

/** Sends progress events. Progress never decreases, and the last event is repeated until there is a new one. */
function progressReporter(stream: EventStream): {
  report: (progress: number, message: string) => void;
  stop: () => void;
} {
  let last = { progress: 0, message: 'Starting' };
  const timer = setInterval(() => stream.send(last), REPEAT_PROGRESS_MS);
  return {
    report: (progress, message) => {
      last = { progress: Math.max(last.progress, Math.min(99, Math.floor(progress))), message };
      stream.send(last);
      timer.refresh();
    },
    stop: () => clearInterval(timer),
  };
}

async function executeMasterplan({ body, signal, response }: ServiceRequest): Promise<void> {
  const request = RenderRequest.parse(body);
  const stream = openEventStream(response);
  const { report, stop } = progressReporter(stream);
  const threads = new RenderThreads(signal);
  try {
    const { storage_path, result } = await renderMashup(request, threads, report);
    stop();
    stream.send({ progress: 100, message: 'Complete!', storage_path, result });
  } catch (error) {
    stop();
    if (!signal.aborted) stream.send(failureEvent(error));
  } finally {
    stop();
    await threads.close();
    stream.end();
  }
}

/** Creates the HTTP server of the service; it does not listen yet. */
export function createProcessingServer(): Server {
  return createServiceServer({
    service: 'processing',
    version: PROCESSING_VERSION,
    routes: { 'POST /execute-masterplan': executeMasterplan },
  });
}
