/** Who is told of each call to a service. It travels with the context of a task, as its trace does. */
import { createContextKey } from '@opentelemetry/api';
import type { Context } from '@opentelemetry/api';
import { activeContext } from '../telemetry/trace.ts';

/** Receives a call that ended: the service, `ok` or the code of the fault, and its duration in seconds. */
export type CallObserver = (service: string, result: string, seconds: number) => void;

const KEY = createContextKey('mashup: observer of calls');

/** Returns a context in which calls are reported to `observer`. */
export function withCallObserver(parent: Context, observer: CallObserver): Context {
  return parent.setValue(KEY, observer);
}

/** Reports a call to the observer of the active context, if it has one. */
export function reportCall(service: string, result: string, seconds: number): void {
  const observer = activeContext().getValue(KEY);
  if (typeof observer === 'function') (observer as CallObserver)(service, result, seconds);
}
