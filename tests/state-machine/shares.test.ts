/** Public links of mashups: who makes, reads and ends them, and what they show. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { SharedCover, SharedMashup } from '../../schema/api.ts';
import { mashup } from '../cli/cli.ts';
import { useMachine } from './state-machine-fixture.ts';

const m = await useMachine({ after });
const { sql } = m;
const worker = await m.worker();
const REASON = 'The holder of the rights objects.';

interface Share {
  token: string;
  created_at: string;
}

/** The answer of an API function to a user. */
async function call<T>(user: string, name: string, id: string): Promise<T> {
  const [row] = await m.as(user, (tx) => tx<{ answer: T }[]>`select public.${tx.unsafe(name)}(${id}) as answer`);
  return row!.answer;
}
const share = (user: string, id: string): Promise<Share> => call<Share>(user, 'share_mashup', id);
const unshare = (user: string, id: string): Promise<boolean> => call<boolean>(user, 'unshare_mashup', id);

/** What the functions read by a token. */
async function read(token: string, part = 'mashup', client: string | null = null): Promise<unknown> {
  const [row] = await sql`select public.read_share(${token}, ${part}, ${client}) as answer`;
  return row!['answer'];
}
const isServed = async (token: string): Promise<boolean> => (await read(token)) !== null;

async function set(name: string, value: unknown): Promise<void> {
  await sql`update mashup.settings set value = ${sql.json(value as never)} where name = ${name}`;
}

async function complete(): Promise<{ user: string; id: string }> {
  const user = await m.user();
  const id = await m.submit(user);
  await m.run(worker);
  return { user, id };
}

async function shared(): Promise<{ user: string; id: string; token: string }> {
  const one = await complete();
  return { ...one, token: (await share(one.user, one.id)).token };
}

const messages = async (id: string): Promise<string[]> =>
  (await sql`select message from public.mashup_job_events where job_id = ${id} and type = 'share' order by id`).map(
    (row) => String(row['message']),
  );

describe('share_mashup', () => {
  it('returns the same link until it is revoked, and then another one', async () => {
    const { user, id, token } = await shared();
    assert.match(token, /^[A-Za-z0-9_-]{24}$/);
    assert.equal((await share(user, id)).token, token);
    assert.equal(await unshare(user, id), true);
    assert.equal(await unshare(user, id), false);
    assert.equal(await isServed(token), false);
    const again = await share(user, id);
    assert.notEqual(again.token, token);
    assert.deepEqual([await isServed(again.token), await isServed(token)], [true, false]);
    assert.deepEqual(await messages(id), [
      'Shared by a public link',
      'The public link was revoked',
      'Shared by a public link',
    ]);
  });

  it('keeps one revoked link at most, however often a mashup is shared', async () => {
    const { user, id } = await shared();
    for (let n = 0; n < 3; n++) {
      await unshare(user, id);
      await share(user, id);
    }
    const rows = await sql`select revoked_at is null as live from public.mashup_shares where job_id = ${id} order by 1`;
    assert.deepEqual(
      rows.map((row) => row['live']),
      [false, true],
    );
  });

  it('changes the row of the job, which its owner’s page follows, and shows the link to its owner only', async () => {
    const { user, id } = await complete();
    const before = await m.job(id);
    const { token } = await share(user, id);
    assert.ok((await m.job(id)).version > before.version);
    const document = async (who: string): Promise<Record<string, unknown> | null> => call(who, 'get_mashup', id);
    assert.deepEqual((await document(user))?.['share'], {
      token,
      created_at: ((await document(user))?.['share'] as Share).created_at,
      reason: null,
    });
    const stranger = await m.user();
    assert.equal(await document(stranger), null);
    const seen = await m.as(stranger, (tx) => tx`select token from public.mashup_shares`);
    assert.equal(seen.length, 0);
    await unshare(user, id);
    assert.equal((await document(user))?.['share'], null);
  });

  it('refuses a mashup of another user, one without a file, and more links in a minute than allowed', async () => {
    const { id } = await complete();
    const stranger = await m.user();
    await assert.rejects(share(stranger, id), { code: 'MB002' });
    await assert.rejects(unshare(stranger, id), { code: 'MB002' });
    const user = await m.user();
    const running = await m.submit(user);
    await assert.rejects(share(user, running), { code: 'MB003' });
    await m.run(worker);
    await share(user, running);
    await set('max_shares_per_minute', 1);
    await assert.rejects(share(user, running), { code: 'MB012' });
    await set('max_shares_per_minute', 20);
  });
});

describe('a link', () => {
  it('shows exactly what is public of the current result, with ids of its own', async () => {
    const { user, id, token } = await shared();
    const job = await m.job(id);
    const answers = [SharedMashup.parse(await read(token)), SharedCover.parse(await read(token, 'cover'))];
    assert.deepEqual(await read(token, 'audio'), { path: job.result_path });
    assert.deepEqual(answers[0], await read(token), 'the answer has no other members');
    assert.deepEqual(answers[1], await read(token, 'cover'), 'the answer has no other members');
    const text = JSON.stringify(answers);
    for (const secret of [user, id, token, 'generated/', 'uploads/', ...job.songs.map((song) => song.song_id)])
      assert.ok(!text.includes(secret), secret);
  });

  it('shows the waveform of the result by at most 600 peaks, and those of the songs by at most 200 means', async () => {
    const { id, token } = await shared();
    const songs = (await m.job(id)).songs;
    const peaks = Array.from({ length: 3_600 }, (_, n) => (n % 18 === 0 ? 1 : 0.1));
    await sql`update public.mashup_results set quality = quality || ${sql.json({ waveform: { peaks_per_sec: 10, peaks } })} where job_id = ${id}`;
    const [withPeaks, withEnergy] = songs.map((song) => song.analysis_id!);
    await sql`update mashup.analyses set analysis = ${sql.json({ waveform: { peaks_per_sec: 20, peaks } })} where id = ${withPeaks!}`;
    await sql`update mashup.analyses set analysis = ${sql.json({ energy: { hop_sec: 1, values: [0.2, 0.4, 0.3] } })} where id = ${withEnergy!}`;
    const mashup = SharedMashup.parse(await read(token));
    assert.deepEqual([mashup.peaks.length, Math.max(...mashup.peaks)], [600, 1]);
    const cover = SharedCover.parse(await read(token, 'cover'));
    assert.deepEqual(new Set(cover.songs[0]?.peaks), new Set([0.15]));
    assert.deepEqual([cover.songs[0]?.peaks.length, cover.songs[1]?.peaks], [200, [0.2, 0.4, 0.3]]);
    await sql`delete from mashup.analyses where id in ${sql([withPeaks!, withEnergy!])}`;
    const without = SharedCover.parse(await read(token, 'cover'));
    assert.deepEqual(
      without.songs.map((song) => song.peaks),
      [[], []],
    );
  });

  it('serves nothing while a replay runs, and the new file afterwards', async () => {
    const { user, id, token } = await shared();
    const { result_path } = await m.job(id);
    await m.as(user, (tx) => tx`select public.replay_mashup(${id}, 'rendering')`);
    assert.equal(await isServed(token), false);
    await assert.doesNotReject(share(user, id), 'its owner still sees the link');
    await m.run(worker);
    const { path } = (await read(token, 'audio')) as { path: string };
    assert.equal(path, (await m.job(id)).result_path);
    assert.notEqual(path, result_path);
  });

  it('ends with its mashup, and with the account of its owner', async () => {
    const [one, other] = [await shared(), await shared()];
    await m.as(one.user, (tx) => tx`select public.delete_mashup(${one.id})`);
    await sql`delete from auth.users where id = ${other.user}`;
    assert.deepEqual([await isServed(one.token), await isServed(other.token)], [false, false]);
    assert.equal(
      (await sql`select from public.mashup_shares where token in ${sql([one.token, other.token])}`).length,
      0,
    );
  });

  it('serves nothing once the file of the result has expired', async () => {
    const { id, token } = await shared();
    await sql`update public.mashup_jobs set finished_at = finished_at - interval '31 days' where id = ${id}`;
    await sql`select mashup.expire_results(100)`;
    assert.equal((await m.job(id)).result_path, null);
    assert.equal(await isServed(token), false);
  });

  it('is not served while the operator has switched sharing off, nor can one be made', async () => {
    const { user, id, token } = await shared();
    await set('sharing_enabled', false);
    assert.equal(await isServed(token), false);
    await assert.rejects(share(user, id), { code: 'MB016', message: /switched sharing off/ });
    await set('sharing_enabled', true);
    assert.equal(await isServed(token), true);
  });
});

describe('an operator', () => {
  it('takes a link down by the link; its owner reads why and cannot share again until that is lifted', async () => {
    const { user, id, token } = await shared();
    const link = `https://studio.example/s/${token}?x=1`;
    const run = await mashup(['take-down', link, '--link', '--reason', REASON], { DATABASE_URL: m.url });
    assert.equal(run.code, 0, run.stderr);
    assert.equal(await isServed(token), false);
    assert.equal((await m.job(id)).stage, 'complete');
    const document = await call<{ share: { token: string | null; reason: string } }>(user, 'get_mashup', id);
    assert.deepEqual([document.share.token, document.share.reason], [null, REASON]);
    await assert.rejects(share(user, id), { code: 'MB015', message: new RegExp(REASON) });
    assert.equal(await unshare(user, id), false);
    await assert.rejects(sql`select mashup.take_down_share(${id}, ${REASON})`, { code: 'MB006' });
    const lifted = await mashup(['take-down', id.slice(0, 8), '--link', '--lift'], { DATABASE_URL: m.url });
    assert.equal(lifted.code, 0, lifted.stderr);
    assert.notEqual((await share(user, id)).token, token);
    assert.deepEqual((await messages(id)).slice(1, 3), [
      `The public link was taken down: ${REASON}`,
      'The mashup may be shared again',
    ]);
  });

  it('ends the link of a mashup that is taken down itself; it can be shared again after that is lifted', async () => {
    const { user, id, token } = await shared();
    await sql`select mashup.take_down(${id}, ${REASON})`;
    assert.equal(await isServed(token), false);
    await assert.rejects(share(user, id), { code: 'MB015' });
    await assert.rejects(sql`select mashup.lift_share_take_down(${id})`, { code: 'MB015' });
    await sql`select mashup.lift_take_down(${id})`;
    await m.as(user, (tx) => tx`select public.replay_mashup(${id}, 'rendering')`);
    await m.run(worker);
    assert.equal(await isServed(token), false);
    assert.equal(await isServed((await share(user, id)).token), true);
  });

  it('is told of a link that does not exist, and has to give a reason', async () => {
    const { id } = await shared();
    for (const nowhere of ['https://studio.example/s/AAAAAAAAAAAAAAAAAAAAAAAA', '', randomUUID()])
      await assert.rejects(sql`select mashup.take_down_share(${nowhere}, ${REASON})`, { code: 'MB002' });
    for (const reason of ['', null, 'x'.repeat(301)])
      await assert.rejects(sql`select mashup.take_down_share(${id}, ${reason})`, { code: 'MB006' });
  });
});

describe('requests for links', () => {
  const limited = { code: 'MB012', detail: /^\d+$/ };

  it('are limited by link, by address, and all together; unknown tokens count as one link', async () => {
    const [one, other] = [await shared(), await shared()];
    const reset = (): Promise<unknown> => sql`delete from mashup.share_counts`;
    await set('max_shared_reads_per_minute_per_link', 2);
    await reset();
    await read(one.token, 'mashup', '203.0.113.1');
    await read(one.token, 'audio', '203.0.113.2');
    await assert.rejects(read(one.token, 'mashup', '203.0.113.3'), limited);
    await read(other.token, 'mashup', '203.0.113.3');
    await read('unknown-1', 'mashup', '203.0.113.4');
    await read('unknown-2', 'cover', '203.0.113.5');
    await assert.rejects(read('unknown-3', 'mashup', '203.0.113.6'), limited);
    await set('max_shared_reads_per_minute_per_link', 1200);

    await set('max_shared_reads_per_minute_per_client', 1);
    await reset();
    await read(one.token, 'mashup', '2001:db8:1:2::1');
    await assert.rejects(read(other.token, 'mashup', '2001:db8:1:2:ffff::9'), limited);
    for (const nobody of ['127.0.0.1', '::1', 'unknown', null]) await read(one.token, 'mashup', nobody);
    await set('max_shared_reads_per_minute_per_client', 600);

    await set('max_shared_reads_per_minute', 3);
    await reset();
    for (const n of [1, 2, 3]) await read(`guess-${n}`, 'mashup', `198.51.100.${n}`);
    await assert.rejects(read(one.token, 'mashup', '198.51.100.4'), limited);
    await set('max_shared_reads_per_minute', 6000);
    await reset();
  });

  it('are served again in the next minute', async () => {
    const { token } = await shared();
    await set('max_shared_reads_per_minute_per_link', 1);
    await read(token);
    await assert.rejects(read(token), limited);
    await sql`update mashup.share_counts set since = since - interval '61 seconds'`;
    assert.equal(await isServed(token), true);
    await set('max_shared_reads_per_minute_per_link', 1200);
  });

  it('write nothing once a limit is reached, and leave no counts of earlier minutes', async () => {
    await set('max_shared_reads_per_minute', 0);
    const count = async (): Promise<unknown> =>
      (await sql`select coalesce(sum(calls), 0) as calls from mashup.share_counts`)[0]!['calls'];
    const before = await count();
    for (let n = 0; n < 5; n++) await assert.rejects(read(`flood-${n}`, 'mashup', `192.0.2.${n}`), limited);
    assert.equal(await count(), before);
    await set('max_shared_reads_per_minute', 6000);
    await read('flood', 'mashup', '192.0.2.9');
    await sql`update mashup.share_counts set since = since - interval '3 minutes'`;
    await sql`select mashup.purge_share_counts(5000)`;
    assert.equal(await count(), '0');
  });
});
