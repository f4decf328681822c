/**
 * The orchestrator service: `POST /create-masterplan` plans a mashup with Claude, or by rules if there is no API key. It
 * does not check the plan: the caller does, and sends the faults it finds in `mashup.faults` of a new request.
 *
 * With `Accept: text/event-stream` the response is a stream: `{message}` while the plan is written, then one terminal
 * event, the answer or `{error, status, code, hint, retry_after_sec}`.
 */
import type { Context } from 'hono';
import type { Server } from 'node:http';
import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { PlanRequest, type PlanResponse } from '../../schema.ts';
import { createServiceApp, createServiceServer, disconnectSignal, readBody } from '../http/app.ts';
import { toErrorEvent } from '../http/errors.ts';
import { streamEvents } from '../http/events.ts';
import { briefOf } from './brief.ts';
import { askClaude } from './claude.ts';
import type { Brief } from './prompt.ts';
import { planByRules } from './rules.ts';
import type { ClaudeSettings } from './settings.ts';

const ORCHESTRATOR_VERSION = '1.0.0';
/** Three complete analyses of long songs. */
const BODY_LIMIT_BYTES = 32 * 1024 * 1024;

type ReportProgress = (message: string) => void;

/** Creates the orchestrator's HTTP server. It does not listen yet. Without settings it plans by rules. */
export function createOrchestratorServer(settings: ClaudeSettings | null): Server {
  const app = createServiceApp({
    service: 'orchestrator',
    version: ORCHESTRATOR_VERSION,
    bodyLimitBytes: BODY_LIMIT_BYTES,
  });
  app.post('/create-masterplan', (context) => createMasterplan(context, settings));
  return createServiceServer(app);
}

async function createMasterplan(context: Context, settings: ClaudeSettings | null): Promise<Response> {
  // Parsing, validation and planning take about 30 ms each on the first request: in one go they would block others.
  await yieldToEventLoop();
  const request = await readBody(context, PlanRequest);
  await yieldToEventLoop();
  const brief = briefOf(request);
  const signal = disconnectSignal(context);
  const plan = (reportProgress: ReportProgress): Promise<PlanResponse> =>
    settings ? askClaude(brief, settings, signal, reportProgress) : planWithoutClaude(brief);

  if (!context.req.header('Accept')?.includes('text/event-stream')) return context.json(await plan(() => {}));
  return streamEvents(context, async (send) => send(await plan((message) => send({ message }))), toErrorEvent);
}

async function planWithoutClaude(brief: Brief): Promise<PlanResponse> {
  const answer = planByRules(brief);
  await yieldToEventLoop();
  return answer;
}
