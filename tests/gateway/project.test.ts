/**
 * What a frontend does, through supabase-js only: against a local gateway, or against the project that SUPABASE_URL,
 * SUPABASE_ANON_KEY and SUPABASE_SERVICE_ROLE_KEY name. The project needs the migrations, the functions and anonymous
 * sign-ins. The tests delete what they create there.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { createClient } from '@supabase/supabase-js';
import type { SupabaseClient } from '@supabase/supabase-js';
import { cancelMashup, deleteMashup, followJob, submitMashup, uploadSong } from '@mashup-engine/client';
import type { SubmittedSong } from '@mashup-engine/client';
import { encodeWav16 } from '../../audio/encode/encode-wav.ts';
import { startFunctionsFixture } from '../functions/functions-fixture.ts';
import { until } from '../support/until.ts';
import { PROJECT } from './gateway-fixture.ts';

const PASSWORD = 'correct horse battery';
const SECONDS = 6;

async function locate(): Promise<NonNullable<typeof PROJECT>> {
  if (PROJECT) return PROJECT;
  const { url, keys } = await startFunctionsFixture({ after });
  return { url, anonKey: keys.anonKey, serviceRoleKey: keys.serviceRoleKey };
}

const project = await locate();
const clients: SupabaseClient[] = [];
const users: string[] = [];

function connect(key = project.anonKey): SupabaseClient {
  const client = createClient(project.url, key, { auth: { persistSession: false, autoRefreshToken: false } });
  clients.push(client);
  return client;
}

async function visit(): Promise<{ client: SupabaseClient; id: string; token: string }> {
  const client = connect();
  const { data, error } = await client.auth.signInAnonymously();
  if (error || !data.session) throw error ?? new Error('no session');
  users.push(data.session.user.id);
  return { client, id: data.session.user.id, token: data.session.access_token };
}

let tones = 0;

/** A quiet tone as a WAV file, each time another. */
function tone(): Blob {
  const step = 1 / (3 + (tones += 1));
  const samples = Float32Array.from({ length: SECONDS * 8000 }, (_, at) => 0.1 * Math.sin(at * step));
  return new Blob([encodeWav16([samples], 8000) as Uint8Array<ArrayBuffer>], { type: 'audio/wav' });
}

const upload = (client: SupabaseClient): Promise<SubmittedSong & { storagePath: string }> =>
  uploadSong(client, { fileName: 'tone.wav', body: tone(), name: 'Tone' });

after(async () => {
  const service = connect(project.serviceRoleKey);
  for (const id of users) await service.auth.admin.deleteUser(id);
  await Promise.all(clients.filter((one) => one.realtime.isConnected()).map((one) => one.removeAllChannels()));
});

describe(`a project at ${PROJECT ? new URL(project.url).host : 'a local gateway'}`, () => {
  it('signs visitors in, renews their session, and refuses a bad token with 403', async () => {
    const { client, id } = await visit();
    const before = (await client.auth.getSession()).data.session;
    const renewed = await client.auth.refreshSession();
    assert.equal(renewed.data.user?.id, id);
    assert.notEqual(renewed.data.session?.refresh_token, before?.refresh_token);
    assert.equal((await client.auth.getClaims()).data?.claims.sub, id);
    assert.equal((await client.auth.getUser()).data.user?.is_anonymous, true);
    const bad = await client.auth.getUser('not.a.token');
    assert.deepEqual([bad.error?.status, bad.error?.code], [403, 'bad_jwt']);
  });

  it('signs in by password, with the same error for a wrong password and an unknown user', async () => {
    const service = connect(project.serviceRoleKey);
    const email = `tester-${randomUUID()}@example.com`;
    const made = await service.auth.admin.createUser({ email, password: PASSWORD, email_confirm: true });
    assert.equal(made.error, null);
    users.push(made.data.user?.id ?? '');
    const right = await connect().auth.signInWithPassword({ email, password: PASSWORD });
    assert.equal(right.data.user?.id, made.data.user?.id);
    const wrong = await connect().auth.signInWithPassword({ email, password: 'wrong' });
    const unknown = await connect().auth.signInWithPassword({ email: `x${email}`, password: 'wrong' });
    assert.deepEqual([wrong.error?.status, wrong.error?.code], [400, 'invalid_credentials']);
    assert.equal(unknown.error?.message, wrong.error?.message);
  });

  it('counts, orders, limits and requires one row, as PostgREST does', async () => {
    const { client } = await visit();
    const empty = await client.from('mashup_jobs').select('id', { count: 'exact' }).order('created_at').range(0, 4);
    assert.deepEqual([empty.status, empty.data, empty.count], [200, [], 0]);
    const head = await client.from('mashup_jobs').select('*', { count: 'exact', head: true });
    assert.deepEqual([head.data, head.count], [null, 0]);
    const none = await client.from('mashup_jobs').select('id').eq('id', randomUUID()).single();
    assert.deepEqual([none.status, none.error?.code], [406, 'PGRST116']);
    assert.equal((await client.from('mashup_jobs').select('id').eq('id', randomUUID()).maybeSingle()).data, null);
    const literal = await client.from('mashup_jobs').select('id').eq('id', 'no uuid');
    assert.deepEqual([literal.status, literal.error?.code], [400, '22P02']);
    const column = await client.from('mashup_jobs').select('nonsense');
    assert.deepEqual([column.status, column.error?.code], [400, '42703']);
    const table = await client.from('nowhere').select('id');
    assert.deepEqual([table.status, table.error?.code], [404, 'PGRST205']);
  });

  it('denies what a role may not do: 401 without a session, 403 for a user', async () => {
    const { client, id } = await visit();
    const row = { user_id: id, songs: [] };
    const user = await client.from('mashup_jobs').insert(row);
    assert.deepEqual([user.status, user.error?.code], [403, '42501']);
    const nobody = await connect().from('mashup_jobs').insert(row);
    assert.deepEqual([nobody.status, nobody.error?.code], [401, '42501']);
    const operator = await client.rpc('operator_overview');
    assert.equal(operator.status, 403);
    const inner = await client.schema('mashup').from('tasks').select('id');
    assert.deepEqual([inner.status, inner.error?.code], [406, 'PGRST106']);
  });

  it('calls database functions: own error codes with hints, and 404 for unknown functions', async () => {
    const { client } = await visit();
    const foreign = await client.rpc('cancel_mashup', { job_id: randomUUID() });
    assert.equal(foreign.status, 400);
    assert.match(foreign.error?.code ?? '', /^MB\d{3}$/);
    assert.match(foreign.error?.message ?? '', /\w/);
    const unknown = await client.rpc('no_such_function');
    assert.deepEqual([unknown.status, unknown.error?.code], [404, 'PGRST202']);
    const misnamed = await client.rpc('cancel_mashup', { id: randomUUID() });
    assert.deepEqual([misnamed.status, misnamed.error?.code], [404, 'PGRST202']);
  });

  it('restricts files to their user, signs links, and serves ranges', async () => {
    const mine = await visit();
    const other = await visit();
    const { storagePath: path } = await upload(mine.client);
    const files = mine.client.storage.from('mashups');
    const link = await files.createSignedUrl(path, 60);
    assert.equal(link.error, null);
    const part = await fetch(link.data?.signedUrl ?? '', { headers: { range: 'bytes=0-3' } });
    assert.deepEqual([part.status, await part.text()], [206, 'RIFF']);
    assert.match(part.headers.get('content-range') ?? '', /^bytes 0-3\/\d+$/);
    const stolen = await other.client.storage.from('mashups').createSignedUrl(path, 60);
    const { status, statusCode } = stolen.error as unknown as { status: number; statusCode: string };
    assert.deepEqual([status, statusCode], [400, '404']);
    assert.deepEqual((await other.client.storage.from('mashups').remove([path])).data, []);
    const planted = await other.client.storage.from('mashups').upload(`uploads/${mine.id}/x/y.wav`, tone());
    assert.equal((planted.error as unknown as { statusCode: string } | null)?.statusCode, '403');
    assert.equal((await files.remove([path])).error, null);
  });

  it('returns the errors of the functions: without a session, and for invalid input', async () => {
    const nobody = await connect().functions.invoke('get-mashup-status', { body: { jobId: randomUUID() } });
    const rejected = (nobody.error as { context: Response }).context;
    assert.equal(rejected.status, 401);
    assert.equal(((await rejected.json()) as { code: string }).code, 'sign_in_required');
    const { client } = await visit();
    const empty = await client.functions.invoke('generate-mashup', { body: { songs: [] } });
    const response = (empty.error as { context: Response }).context;
    assert.equal(response.status, 400);
    assert.match(((await response.json()) as { hint: string }).hint, /\w/);
  });

  it('streams the versions of a job in order until its end, and no job of another user', async () => {
    const { client } = await visit();
    const other = await visit();
    const songs = [await upload(client), await upload(client)];
    const { jobId } = await submitMashup(client, songs, { hold: 'planning' });
    const versions: number[] = [];
    let isLive = false;
    const follower = followJob(client, jobId, {
      onChange: ({ version }) => versions.push(version),
      onLive: (live) => (isLive = live),
    });
    await until('the stream is ready', () => isLive);
    await assert.rejects(followJob(other.client, jobId).finished, { code: 'job_not_found' });
    // The worker of a project may have finished it already.
    await cancelMashup(client, jobId).catch(() => {});
    const last = await follower.finished;
    assert.ok(last?.status === 'cancelled' || last?.status === 'failed', last?.status);
    assert.ok(
      versions.length > 1 && versions.every((one, at) => at === 0 || one > (versions[at - 1] ?? 0)),
      versions.join(),
    );
    await deleteMashup(client, jobId);
    assert.deepEqual((await client.from('mashup_jobs').select('id')).data, []);
  });
});
