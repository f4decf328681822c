/** Requests of the check. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Characters of a body that a fault repeats. */
const SHOWN = 200;

/** A response, read to its end. */
export interface Reply {
  status: number;
  contentType: string;
  text: string;
  /** The body as JSON; undefined if it is none. */
  json: unknown;
  seconds: number;
}

/** Sends a request and reads the whole response. Connection errors are thrown. */
export async function sendRequest(
  url: string,
  options: { method: string; body?: string; token?: string; accept?: string; timeoutMs: number },
): Promise<Reply> {
  const startedAt = performance.now();
  const response = await fetch(url, {
    method: options.method,
    headers: {
      'user-agent': 'mashup-engine-check/1.0',
      'bypass-tunnel-reminder': 'true',
      ...(options.accept === undefined ? {} : { accept: options.accept }),
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
    },
    body: options.body,
    redirect: 'manual',
    signal: AbortSignal.timeout(options.timeoutMs),
  });
  const text = await response.text();
  return {
    status: response.status,
    contentType: response.headers.get('content-type') ?? '',
    text,
    json: parse(text),
    seconds: (performance.now() - startedAt) / 1000,
  };
}

/** Waits until a service answers at all. Returns false after the time. */
export async function isReachable(url: string, timeoutMs: number): Promise<boolean> {
  const end = performance.now() + timeoutMs;
  do {
    const reached = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) }).then(
      async (response) => {
        await response.body?.cancel();
        return true;
      },
      () => false,
    );
    if (reached) return true;
    await sleep(100);
  } while (performance.now() < end);
  return false;
}

/** Describes a reply for a fault: status, and the beginning of the body without query strings. */
export function describe({ status, text }: Reply): string {
  const clean = text
    .replace(/(https?:\/\/[^\s?"']*)\?[^\s"']*/g, '$1')
    .replace(/\s+/g, ' ')
    .trim();
  return `${status} ${clean.length > SHOWN ? `${clean.slice(0, SHOWN)}…` : clean || '(empty)'}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
