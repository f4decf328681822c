/**
 * Delivers events of ended jobs to the webhook of an integrator, signed as Standard Webhooks describes
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md). Postgres notifies channel `mashup_events` when
 * a worker claims an event.
 */
import { createHmac } from 'node:crypto';
import type { Db } from './database/database.ts';
import { claimOutgoingEvents, completeOutgoingEvent } from './database/outgoing-events-api.ts';
import type { OutgoingEvent } from './database/outgoing-events-api.ts';
import type { Log } from './log.ts';
import { errorText } from './redact.ts';

/** Events per run, each of another job. */
const BATCH = 20;
/** Time limit of a request; shorter than the lease of an event, which is half a minute. */
const TIMEOUT_MS = 15_000;
const SECRET_PREFIX = 'whsec_';
/** Events of which there is one for each end of a job. */
const ENDS: ReadonlySet<string> = new Set(['job.complete', 'job.failed', 'job.cancelled']);

/** Where events are sent, and the key that signs them. */
export interface Webhook {
  url: string;
  /** `whsec_` and the key in base64. */
  secret: string;
}

/**
 * Claims due events and delivers them; without a webhook the notification is the delivery. A failed delivery is due again after a
 * back-off.
 * @param onEnd called once for each end of a job, at the first delivery of its event, with its stage and the code of its error
 * @returns the number of delivered events
 */
export async function deliverEvents(
  db: Db,
  webhook: Webhook | undefined,
  log: Log,
  onEnd: (result: string, code: string | null) => void = () => {},
): Promise<number> {
  const events = await claimOutgoingEvents(db, BATCH);
  for (const { attempts, payload } of events) {
    const { data, type } = payload;
    if (attempts === 1 && ENDS.has(type))
      onEnd(String(data['stage']), typeof data['error_code'] === 'string' ? data['error_code'] : null);
  }
  const delivered = await Promise.all(events.map((event) => deliver(db, webhook, event, log)));
  return delivered.filter(Boolean).length;
}

async function deliver(db: Db, webhook: Webhook | undefined, event: OutgoingEvent, log: Log): Promise<boolean> {
  try {
    if (webhook !== undefined) await post(webhook, event);
  } catch (error) {
    const text = errorText(error);
    log('warn', 'could not deliver an event', {
      event: event.id,
      job: event.job_id,
      attempts: event.attempts,
      error: text,
    });
    await completeOutgoingEvent(db, event, text);
    return false;
  }
  await completeOutgoingEvent(db, event);
  return true;
}

async function post({ url, secret }: Webhook, event: OutgoingEvent): Promise<void> {
  const body = JSON.stringify(event.payload);
  const timestamp = Math.floor(Date.now() / 1000);
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': event.id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': sign(secret, `${event.id}.${timestamp}.${body}`),
    },
    body,
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`the webhook returned HTTP ${response.status}`);
}

/** Returns the value of the header `webhook-signature`: the HMAC-SHA256 of the content, version 1. */
function sign(secret: string, content: string): string {
  const key = Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');
  return `v1,${createHmac('sha256', key).update(content).digest('base64')}`;
}
