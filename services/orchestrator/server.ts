/**
 * `POST /create-masterplan`: asks Claude where there is a key, else plans by rules. The service only asks; whoever called
 * checks the plan and sends faults back in `mashup.faults`.
 *
 * With `Accept: text/event-stream` the answer is a stream: `{message}` while the plan is being written, then one terminal
 * event, the answer or `{error, status, code, hint, retry_after_sec}`.
 */
import type { Server } from 'node:http';
import { setImmediate as otherWork } from 'node:timers/promises';
import { PlanRequest, type PlanAnswer } from '../../schema.ts';
import { ServiceError, createServiceServer, openEventStream, scrubText, type ServiceRequest } from '../http/http.ts';
import { briefOf } from './brief.ts';
import { askClaude } from './claude.ts';
import type { Brief } from './prompt.ts';
import { planByRules } from './rules.ts';
import type { ClaudeSettings } from './settings.ts';

const ORCHESTRATOR_VERSION = '1.0.0';
/** Three complete analyses of long songs. */
const BODY_LIMIT_BYTES = 32 * 1024 * 1024;

/** Makes the orchestrator's server, not yet listening. Without settings it plans by rules. */
export function createOrchestratorServer(settings: ClaudeSettings | null): Server {
  const plan = async (
    brief: Brief,
    signal: AbortSignal,
    onProgress: (message: string) => void,
  ): Promise<PlanAnswer> => {
    if (settings) return askClaude(brief, settings, signal, onProgress);
    const made = planByRules(brief);
    await otherWork();
    return made;
  };

  const answer = async ({ body, signal, request, response }: ServiceRequest): Promise<PlanAnswer | undefined> => {
    // Reading, checking and planning take some 30 ms each the first time: together they would hold up whoever else asks.
    await otherWork();
    const asked = PlanRequest.parse(body);
    await otherWork();
    const brief = briefOf(asked);
    if (!request.headers.accept?.includes('text/event-stream')) return plan(brief, signal, () => {});
    const stream = openEventStream(response);
    try {
      stream.send(await plan(brief, signal, (message) => stream.send({ message })));
    } catch (error) {
      stream.send(describeError(error));
    }
    stream.end();
    return undefined;
  };

  return createServiceServer({
    service: 'orchestrator',
    version: ORCHESTRATOR_VERSION,
    bodyLimitBytes: BODY_LIMIT_BYTES,
    routes: { 'POST /create-masterplan': answer },
  });
}

function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof ServiceError)) return { error: scrubText(String(error)), status: 500 };
  const { status, code, hint, retryAfterSec, extra } = error;
  return { ...extra, error: scrubText(error.message), status, code, hint, retry_after_sec: retryAfterSec };
}
