/** Services that are away, in each way that a worker sees it: jobs wait without losing attempts, and complete when they are back. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { ServiceName } from '../../schema.ts';
import type { Answer } from '../contract/replay-server.ts';
import { until } from '../support/until.ts';
import { wavFile } from './wav-file.ts';
import { useWorkerFixture } from './worker-fixture.ts';

/** Failed probes after which an outage counts as long. */
const PROBES = 4;

/** What nginx answers while its backend is away, and Cloudflare. */
const page = (status: number, title: string): Answer => ({
  status,
  body: `<html><head><title>${status} ${title}</title></head><body><h1>${status} ${title}</h1></body></html>`,
  contentType: 'text/html',
});
/** A proxy of connections accepts them, and closes them when it reaches nobody. */
const CLOSED_CONNECTION = 'reset';

const fixture = await useWorkerFixture({ after });
const { sql, services } = fixture;
const songs = [await fixture.upload('a.wav', wavFile(120, 1)), await fixture.upload('b.wav', wavFile(120, 2))];
await sql`update mashup.settings set value = '0.3' where name in ('circuit_open_sec', 'circuit_open_max_sec')`;
await sql`update mashup.settings set value = '0.1' where name = 'reconcile_sec'`;
const worker = await fixture.startWorker();
after(() => worker.stop());

async function healthOf(service: ServiceName): Promise<{ opens: number; failures: number }> {
  const [row] = await sql<{ opens: number; failures: number }[]>`
    select opens, failures from mashup.service_health where service = ${service}`;
  return row ?? { opens: 0, failures: 0 };
}

async function mostSpent(id: string): Promise<number | undefined> {
  const [row] = await sql<
    { failures: number }[]
  >`select max(failures) as failures from mashup.tasks where job_id = ${id}`;
  return row?.failures;
}

for (const [service, nameForUsers, answer, title] of [
  ['analysis', 'analysis', page(502, 'Bad Gateway'), '502 of a proxy'],
  ['separation', 'separation', page(503, 'Service Temporarily Unavailable'), '503 of a proxy'],
  ['processing', 'rendering', page(521, 'Web server is down'), '521 of Cloudflare'],
  ['analysis', 'analysis', CLOSED_CONNECTION, 'closed connections'],
] as const) {
  test(`${title} in place of the ${service} service spend no attempt, however long it is away`, async () => {
    await sql`delete from mashup.analyses`;
    await sql`delete from mashup.stems`;
    services.away(service, answer);
    const id = await fixture.submit(songs);
    await fixture.untilJob(id, 'waits', (job) => job.waiting_on === 'circuit');
    assert.match((await fixture.job(id)).current_step, new RegExp(`^Waiting for the ${nameForUsers} service;`));
    await until('probes have failed', async () => (await healthOf(service)).opens > PROBES);
    assert.equal(await mostSpent(id), 0);
    services.away(service, undefined);
    const job = await fixture.untilEnded(id);
    assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
    assert.equal(await mostSpent(id), 0);
  });
}

test('a task that takes down its service each time fails in the end, though the service has no time to answer why', async () => {
  await sql`delete from mashup.analyses`;
  services.always('analysis', page(502, 'Bad Gateway'));
  const before = services.callsOf('analysis').length;
  const job = await fixture.untilEnded(await fixture.submit(songs));
  services.always('analysis', undefined);
  assert.deepEqual([job.stage, job.error_code], ['failed', 'service_unavailable']);
  // Each song has its first call, whose service may have been away, and at most four that follow an answer.
  assert.ok(services.callsOf('analysis').length - before <= 2 * 5);
});

test('a service that nobody calls is seen to be away, and to be back', async () => {
  const conditionOf = async (service: ServiceName): Promise<string | undefined> => {
    const [row] = await sql<{ condition: string }[]>`select condition from mashup.circuits where service = ${service}`;
    return row?.condition;
  };
  await sql`update mashup.settings set value = '0.1' where name in ('service_check_sec', 'service_recheck_sec')`;
  await until('it is heard from', async () => (await conditionOf('scoring')) === 'available');
  services.away('scoring', page(502, 'Bad Gateway'));
  await until('it is missed', async () => (await conditionOf('scoring')) === 'not_answering');
  services.away('scoring', undefined);
  await until('it is heard from again', async () => (await conditionOf('scoring')) === 'available');
});
