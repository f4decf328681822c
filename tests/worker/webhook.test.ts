/** Events of ended jobs reach the webhook of an integrator: signed, at least once, in order. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { readConfig } from '../../worker/config.ts';
import { openDatabase } from '../../worker/database/database.ts';
import { claimOutgoingEvents } from '../../worker/database/outgoing-events-api.ts';
import { startSocketWatchdog } from '../../worker/database/socket-watchdog.ts';
import { deliverEvents } from '../../worker/outgoing-events.ts';
import { useMachine } from '../state-machine/state-machine-fixture.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const machine = await useMachine({ after });
const db = openDatabase(machine.workerUrl, 2, startSocketWatchdog(10_000));
after(() => db.destroy());

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

/** Starts a receiver that returns the given statuses, then 204. */
async function startReceiver(statuses: number[]): Promise<{ url: string; received: Received[]; close: () => void }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      response.writeHead(statuses.shift() ?? 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/hook`, received, close: () => server.close() };
}

const makeDue = (): Promise<unknown> =>
  machine.sql`update mashup.outgoing_events set not_before = mashup.now() where delivered_at is null`;

async function cancelledJob(): Promise<string> {
  const id = await machine.submit(await machine.user(), 2);
  await machine.sql`update public.mashup_jobs set stage = 'cancelled' where id = ${id}`;
  return id;
}

test('a receiver that fails twice gets the event a third time, with the same id and a valid signature', async (t) => {
  const receiver = await startReceiver([500, 503]);
  t.after(receiver.close);
  const webhook = { url: receiver.url, secret: SECRET };
  const id = await cancelledJob();
  assert.equal(await deliverEvents(db, webhook, () => {}), 0);
  const [row] = await machine.sql`
    select last_error, not_before > mashup.now() as waits from mashup.outgoing_events where job_id = ${id}`;
  assert.deepEqual({ ...row }, { last_error: 'the webhook returned HTTP 500', waits: true });
  await makeDue();
  assert.equal(await deliverEvents(db, webhook, () => {}), 0);
  await makeDue();
  assert.equal(await deliverEvents(db, webhook, () => {}), 1);
  assert.equal(await deliverEvents(db, webhook, () => {}), 0, 'it is delivered');
  assert.equal(receiver.received.length, 3);
  assert.equal(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size, 1);
  for (const { headers, body } of receiver.received) {
    const event = new Webhook(SECRET).verify(body, headers as Record<string, string>) as {
      type: string;
      data: { job_id: string };
    };
    assert.deepEqual([event.type, event.data.job_id], ['job.cancelled', id]);
    assert.throws(() => new Webhook(SECRET).verify(`${body} `, headers as Record<string, string>));
  }
});

test('a worker that is lost between claim and delivery leaves the event to the next worker', async (t) => {
  const receiver = await startReceiver([]);
  t.after(receiver.close);
  await cancelledJob();
  const [lost] = await claimOutgoingEvents(db, 1);
  assert.ok(lost);
  assert.equal(await deliverEvents(db, { url: receiver.url, secret: SECRET }, () => {}), 0, 'it is leased');
  await makeDue();
  assert.equal(await deliverEvents(db, { url: receiver.url, secret: SECRET }, () => {}), 1);
  assert.equal(receiver.received[0]?.headers['webhook-id'], lost.id);
});

test('without a webhook, an event is notified on channel mashup_events', async () => {
  const payloads: string[] = [];
  const { unlisten } = await machine.sql.listen('mashup_events', (payload) => payloads.push(payload));
  const id = await cancelledJob();
  assert.equal(await deliverEvents(db, undefined, () => {}), 1);
  while (payloads.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  const event = JSON.parse(payloads[0] ?? '') as { id: string; type: string; data: { job_id: string } };
  assert.deepEqual([event.type, event.data.job_id], ['job.cancelled', id]);
  await unlisten();
});

test('a webhook without a secret, or with a short one, is refused at start', () => {
  const environment = {
    DATABASE_URL: machine.workerUrl,
    SUPABASE_URL: 'http://127.0.0.1:1',
    SUPABASE_SERVICE_ROLE_KEY: 'key',
    MASHUP_WEBHOOK_URL: 'https://app.example.test/hook',
  };
  assert.throws(() => readConfig(environment), /MASHUP_WEBHOOK_SECRET is missing/);
  assert.throws(
    () => readConfig({ ...environment, MASHUP_WEBHOOK_SECRET: 'whsec_short' }),
    /MASHUP_WEBHOOK_SECRET must be/,
  );
  assert.deepEqual(readConfig({ ...environment, MASHUP_WEBHOOK_SECRET: SECRET }).webhook, {
    url: environment.MASHUP_WEBHOOK_URL,
    secret: SECRET,
  });
});
