/**
 * Traces: the W3C trace context of a job, and spans through the OpenTelemetry API. Without an SDK of the user nothing is
 * recorded, and the trace id of a job is still passed on and logged.
 *
 * Formats: https://www.w3.org/TR/trace-context/#traceparent-header for `traceparent`, https://www.w3.org/TR/baggage/ for `baggage`.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { context, isSpanContextValid, propagation, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import type {
  Attributes,
  BaggageEntry,
  Context,
  Span,
  SpanContext,
  SpanKind,
  TimeInput,
  Tracer,
} from '@opentelemetry/api';

const ID_PREFIX = 'mashup.';
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/** The API keeps a context only where an SDK has registered a context manager, so it is kept here as well. */
const store = new AsyncLocalStorage<Context>();

export interface SpanOptions {
  kind?: SpanKind;
  attributes?: Attributes;
  startTime?: TimeInput;
  /** Parent; default: the active context. */
  parent?: Context;
}

/** Returns the context of a `traceparent`, as the parent of spans. The root context for a missing or invalid value. */
export function contextOf(traceparent: string | null | undefined): Context {
  const match = TRACEPARENT.exec(traceparent ?? '');
  const spanContext: SpanContext = {
    traceId: match?.[1] ?? '',
    spanId: match?.[2] ?? '',
    traceFlags: Number.parseInt(match?.[3] ?? '0', 16) & 1,
    isRemote: true,
  };
  return isSpanContextValid(spanContext) ? trace.setSpanContext(ROOT_CONTEXT, spanContext) : ROOT_CONTEXT;
}

/** Returns the active context: that of the SDK if it has one, otherwise that of the enclosing `runIn`. */
export function activeContext(): Context {
  const active = context.active();
  return trace.getSpanContext(active) === undefined ? (store.getStore() ?? active) : active;
}

function activeSpanContext(): SpanContext | undefined {
  const active = trace.getSpanContext(activeContext());
  return active !== undefined && isSpanContextValid(active) ? active : undefined;
}

/** Returns the headers of a call that is made now: `traceparent` within a trace, and `baggage` where ids were added. */
export function traceHeaders(): Record<string, string> {
  const active = activeSpanContext();
  const ids = activeIds();
  return {
    ...(active === undefined
      ? {}
      : {
          traceparent: `00-${active.traceId}-${active.spanId}-${(active.traceFlags & 1).toString().padStart(2, '0')}`,
        }),
    ...(ids.length === 0
      ? {}
      : { baggage: ids.map(([name, { value }]) => `${name}=${encodeURIComponent(value)}`).join(',') }),
  };
}

/** The ids of the active context; baggage of other programs is left out. */
function activeIds(): [name: string, entry: BaggageEntry][] {
  const entries = propagation.getBaggage(activeContext())?.getAllEntries() ?? [];
  return entries.filter(([name]) => name.startsWith(ID_PREFIX));
}

/** Returns a context whose calls carry ids as baggage: `job`, `task` and `claim` for the log of a service. */
export function withIds(parent: Context, ids: Record<string, string>): Context {
  const entries = Object.entries(ids).map(([name, value]) => [ID_PREFIX + name, { value }] as const);
  return propagation.setBaggage(parent, propagation.createBaggage(Object.fromEntries(entries)));
}

/** Reads the ids of a `baggage` header: job, task and claim, where they have the form of ids. Other members are ignored. */
export function idsOf(baggage: string | null | undefined): { job?: string; task?: string; claim?: string } {
  const ids: { job?: string; task?: string; claim?: string } = {};
  for (const [, name, value] of (baggage ?? '').matchAll(
    /(?:^|,)\s*mashup\.(job|task|claim)=([0-9a-f-]{1,36})(?=\s*(?:[,;]|$))/g,
  ))
    if (name === 'job' || name === 'task' || name === 'claim') ids[name] = value;
  return ids;
}

/** Returns the members of a log line that name the active trace and span, and the job, task and claim that it belongs to. */
export function traceFields(): Record<string, string> {
  const active = activeSpanContext();
  const ids = activeIds();
  return {
    ...(active === undefined ? {} : { trace_id: active.traceId, span_id: active.spanId }),
    ...Object.fromEntries(ids.map(([name, { value }]) => [name.slice(ID_PREFIX.length), value])),
  };
}

/** Runs `work` with an active context, also in what it starts asynchronously. */
export function runIn<T>(active: Context, work: () => T): T {
  return store.run(active, () => context.with(active, work));
}

/** Starts a span. The caller ends it. */
export function startSpan(name: string, options: SpanOptions = {}): { span: Span; context: Context } {
  const { parent = activeContext(), ...rest } = options;
  const span = tracer().startSpan(name, rest, parent);
  return { span, context: trace.setSpan(parent, span) };
}

/** Runs `work` in a span, which ends with it. An error is recorded on the span and thrown again. */
export async function withSpan<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T> {
  const { span, context: active } = startSpan(name, options);
  try {
    return await runIn(active, () => work(span));
  } catch (error) {
    failSpan(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** Marks a span as failed. Only the code or the class of the error is recorded: messages may contain data of users. */
export function failSpan(span: Span, error: unknown): void {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined;
  const type = code ?? (error instanceof Error ? error.name : 'error');
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR, message: type });
}

function tracer(): Tracer {
  return trace.getTracer('mashup-engine');
}
