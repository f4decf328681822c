/** Services that accept a call and never respond, as a stopped process does. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { until } from '../support/until.ts';
import { wavFile } from './wav-file.ts';
import { useWorkerFixture } from './worker-fixture.ts';
import { startOwnTime } from '../support/own-time.ts';

const fixture = await useWorkerFixture({ after });
const { sql, services } = fixture;
const songs = [await fixture.upload('a.wav', wavFile(120, 1)), await fixture.upload('b.wav', wavFile(120, 2))];
await sql`update mashup.settings set value = '4' where name in ('silence_sec', 'call_limit_min_sec')`;
await sql`update mashup.settings set value = '0.1' where name = 'reconcile_sec'`;
// As if measured often: the tasks are short.
await sql`update mashup.stage_stats set samples = 20, base_sec = 0.01, per_song_sec = 0.0001`;
const worker = await fixture.startWorker();
after(() => worker.stop());

for (const [service, nameForUsers, behaviour] of [
  ['separation', 'separation', 'hang'],
  ['processing', 'rendering', { stream: 'data: {"progress": 12, "message": "Warming up"}\n\n', silent: true }],
] as const) {
  test(`a ${service} service that stops responding is named after half of its time, ends the call, and counts in its circuit`, async () => {
    const before = services.callsOf(service).length;
    await sql`delete from mashup.stems`;
    services.next(service, behaviour);
    const id = await fixture.submit(songs);
    await until('the service is called', () => services.callsOf(service).length > before);
    const ownTime = startOwnTime();
    await fixture.untilJob(
      id,
      'says so',
      (job) =>
        job.current_step === `The ${nameForUsers} service has not answered for a while` &&
        job.estimated_completion_at === null &&
        job.estimate_note === `The time left is known when the ${nameForUsers} service is back.`,
    );
    assert.equal((await fixture.job(id)).waiting_on, null);
    const [stuck] = await sql<{ why: string }[]>`select why from mashup.stuck where id = ${id}`;
    assert.match(stuck?.why ?? '', new RegExp(`The ${service} service has sent nothing for \\d+ s`));
    let failures = 0;
    await until('the fault counts', async () => {
      const [event] = await sql<{ code: string }[]>`
        select detail ->> 'code' as code from mashup_job_events where job_id = ${id} and type = 'retry'`;
      failures = event?.code === 'service_timeout' ? 1 : 0;
      return failures === 1;
    });
    assert.ok(ownTime() < 9_000);
    const job = await fixture.untilEnded(id);
    assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  });
}
