/** Responses of the faulty services: the faults of jobs, the faults of calls, and correct responses. */
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallFault, JobFault } from './fault-plan.ts';
import type { ServiceCall } from './service-calls.ts';

/** Duration of a slow call, and delay of a late write. */
const SLOW_MS = 1_000;
const LATE_WRITE_MS = 2_500;

/**
 * Responds with the fault of a job, if the fault concerns this call.
 * @param onKiller called with the claim token of a render that kills its worker; the call gets no response
 * @returns whether the call was handled
 */
export function respondWithJobFault(
  fault: JobFault,
  call: ServiceCall,
  response: ServerResponse,
  onKiller: (claim: string) => void,
): boolean {
  const { service, songId } = call;
  const isBadSong =
    service === 'analysis' &&
    ((fault === 'bad_song' && songId.endsWith('-1')) || (fault === 'bad_third_song' && songId.endsWith('-2')));
  if (isBadSong) {
    sendJson(response, 422, { detail: 'The file is incomplete.', code: 'audio_damaged', hint: 'Export it again.' });
  } else if (fault === 'separation_broken' && service === 'separation') {
    sendJson(response, 500, { detail: 'The separation failed.' });
  } else if (fault === 'render_refused' && service === 'processing') {
    sendEvents(response, [{ error: 'The plan cannot be rendered.', code: 'plan_invalid', hint: 'Plan again.' }]);
  } else if (fault === 'wrong_path' && service === 'processing') {
    sendEvents(response, [{ progress: 100, message: 'Done', storage_path: 'generated/somewhere-else.wav' }]);
  } else if (fault === 'kills_worker' && service === 'processing') {
    onKiller(call.claim ?? '');
  } else {
    return false;
  }
  return true;
}

/**
 * Applies the fault of a call.
 * @returns whether the call was handled; otherwise it still needs its response
 */
export async function applyCallFault(
  fault: CallFault,
  call: ServiceCall,
  response: ServerResponse,
  aborted: AbortSignal,
): Promise<boolean> {
  switch (fault) {
    case 'unavailable':
      sendJson(response, 503, { detail: 'Service Unavailable' });
      return true;
    case 'overloaded':
      response.setHeader('retry-after', '1');
      sendJson(response, 429, { detail: 'slow down' });
      return true;
    case 'server_error':
      response.writeHead(500, { 'content-type': 'text/plain' }).end('Internal Server Error');
      return true;
    case 'reset':
      response.destroy();
      return true;
    case 'partial_response':
      // The files are written; only the response is incomplete.
      await call.run(aborted, undefined);
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1_000 }).write('{"success": tr');
      await sleep(50);
      response.destroy();
      return true;
    case 'hang':
      return true;
    case 'html':
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>It works!</body></html>');
      return true;
    case 'wrong_shape':
      sendJson(response, 200, { success: 'maybe', masterplan: 7, analysis: [null], stems: {}, overall_score: 'NaN' });
      return true;
    case 'slow':
      await sleep(SLOW_MS);
      return false;
    case 'late_write':
      // Once per call: all its files must be written before the outbox deletes them (discard_after_sec).
      await sleep(LATE_WRITE_MS);
      return false;
    case 'missing_file':
    case 'truncated_file':
      return false;
  }
}

/** Sends the correct response of a call. */
export function sendResult({ service }: ServiceCall, result: unknown, response: ServerResponse): void {
  if (service !== 'processing') return sendJson(response, 200, result);
  sendEvents(response, [
    { progress: 40, message: 'Mixing' },
    { progress: 100, message: 'Complete!', ...(result as object) },
  ]);
}

/** Responds as the built-in services do where Storage does not answer them. */
export function sendStorageFault({ service }: ServiceCall, response: ServerResponse): void {
  if (service !== 'processing')
    return sendJson(response, 503, { detail: 'The upload failed.', code: 'upload_failed', hint: 'Try again.' });
  sendEvents(response, [{ error: 'The upload failed.', code: 'storage_unavailable', hint: 'Try again.' }]);
}

/** Sends a JSON response. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function sendEvents(response: ServerResponse, events: object[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
}
