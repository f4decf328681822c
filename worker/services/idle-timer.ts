/** Ends a call whose service has sent nothing for some time. */
import type { ServiceName } from '../../schema.ts';
import { serviceTitle, TaskError } from '../errors.ts';

/**
 * Runs a call with a signal that aborts it when the service is silent.
 * @param idleMs time without an event after which the service counts as hung
 * @param call receives the signal, and a function to call at each event
 * @throws TaskError `service_timeout` after the silence; what `call` throws
 */
export async function withIdleLimit<T>(
  service: ServiceName,
  idleMs: number,
  signal: AbortSignal,
  call: (signal: AbortSignal, onEvent: () => void) => Promise<T>,
): Promise<T> {
  const idle = new AbortController();
  const onIdle = (): void => idle.abort(idleFault(service, idleMs));
  let timer = setTimeout(onIdle, idleMs);
  try {
    return await call(AbortSignal.any([signal, idle.signal]), () => {
      clearTimeout(timer);
      timer = setTimeout(onIdle, idleMs);
    });
  } finally {
    clearTimeout(timer);
  }
}

function idleFault(service: ServiceName, idleMs: number): TaskError {
  return new TaskError(`${serviceTitle(service)} sent nothing for ${Math.round(idleMs / 1000)} s.`, {
    code: 'service_timeout',
    hint: 'It is retried automatically. If this lasts, restart the service.',
    faultClass: 'unavailable',
    spendsAttempt: 'if_answering',
  });
}
