/** Responses as server-sent events. */
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';

/** Sends one event. Events after a disconnect are dropped. */
export type SendEvent = (event: unknown) => void;

/**
 * Responds with an event stream. Each event is `data: <JSON>` and a blank line, without `event:`, `id:` and `retry:`
 * lines. The stream ends when `work` has ended.
 * @param work sends the events; it must have validated its input before, since the status is 200 from here on
 * @param toErrorEvent the terminal event for an error that `work` throws
 */
export function streamEvents(
  context: Context,
  work: (send: SendEvent) => Promise<void>,
  toErrorEvent: (error: unknown) => unknown,
): Response {
  // Tells reverse proxies of the nginx family not to buffer the stream.
  context.header('X-Accel-Buffering', 'no');
  return streamSSE(context, async (stream) => {
    // Writes are queued: they keep their order, and the stream is not closed before the last one.
    let written = Promise.resolve();
    const send: SendEvent = (event) => {
      const data = JSON.stringify(event);
      written = written.then(() => stream.writeSSE({ data }));
    };
    try {
      await work(send);
    } catch (error) {
      send(toErrorEvent(error));
    }
    await written;
  });
}
