/** Operators are users with the operator claim, which only the project can give, and the service role. */
import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { createClient } from '@supabase/supabase-js';
import type { SupabaseClient } from '@supabase/supabase-js';
import { useGateway } from '../support/gateway.ts';
import { useDatabase } from '../support/postgres.ts';
import '../support/short-timers.ts';

const database = await useDatabase({ after });
const { url, keys } = await useGateway({ after }, database);
const { sql } = database;
const PASSWORD = 'correct horse';
const REFUSED = { status: 403, code: '42501' };

function connect(key: string): SupabaseClient {
  return createClient(url, key, { auth: { persistSession: false, autoRefreshToken: false } });
}

async function signUp(email: string, metadata: Record<string, unknown> = {}): Promise<SupabaseClient> {
  const client = connect(keys.publishableKey);
  const { error } = await client.auth.signUp({ email, password: PASSWORD, options: { data: metadata } });
  assert.equal(error, null);
  return client;
}

async function overview(client: SupabaseClient): Promise<{ status: number; code: string | undefined }> {
  const { status, error } = await client.rpc('operator_overview');
  return { status, code: error?.code };
}

it('every function of the operator page checks its caller', async () => {
  const rows = await sql<{ name: string; is_checked: boolean }[]>`
    select p.oid::regprocedure::text as name, p.prosrc like '%mashup.require_operator()%' as is_checked
    from pg_proc p where p.pronamespace = 'public'::regnamespace and p.proname like 'operator\\_%'`;
  assert.ok(rows.length >= 7);
  assert.deepEqual(
    [...rows].filter((row) => !row.is_checked),
    [],
  );
});

it('users without the claim are refused by every function, also with a claim that they wrote themselves', async () => {
  const forged = await signUp('forged@example.test', {
    mashup_role: 'operator',
    app_metadata: { mashup_role: 'operator' },
  });
  const id = crypto.randomUUID();
  const calls: [string, Record<string, unknown>][] = [
    ['operator_overview', {}],
    ['operator_throughput', {}],
    ['operator_job_history', { job_id: id }],
    ['operator_task_logs', { job_id: id }],
    ['operator_jobs', {}],
    ['operator_preview', { filter: {} }],
    ['operator_bulk', { operation: 'cancel', filter: { stage: 'live' } }],
    ['operator_task_payload', { task_id: 1 }],
    ['operator_replay', { job_id: id, stage: 'planning' }],
    ['operator_retry', { job_id: id }],
    ['operator_cancel', { job_id: id }],
    ['operator_pause', { scope: 'system' }],
    ['operator_resume', { scope: 'system' }],
  ];
  for (const [name, parameters] of calls) {
    const { status, error } = await forged.rpc(name, parameters);
    assert.deepEqual({ status, code: error?.code }, REFUSED, name);
    assert.match(error?.hint ?? '', /mashup operators add/);
  }
  const [paused] = await sql`select count(*)::int as n from mashup.pauses`;
  assert.equal(paused?.n, 0);
  assert.deepEqual(await overview(connect(keys.publishableKey)), { status: 401, code: '42501' });
});

it('a user with the claim is an operator from the next token on, and no longer when the right is taken away', async () => {
  const client = await signUp('boss@example.test');
  await sql`select mashup.grant_operator('Boss@Example.test')`;
  assert.deepEqual(await overview(client), REFUSED, 'the token is older than the right');
  await client.auth.refreshSession();
  assert.deepEqual(await overview(client), { status: 200, code: undefined });
  assert.equal((await client.rpc('operator_pause', { scope: 'system', key: '' })).error, null);
  const [pause] = await sql`select actor from mashup.pauses`;
  assert.match(String(pause?.actor), /^user:/, 'the history names the operator');
  assert.equal((await client.rpc('operator_resume', { scope: 'system', key: '' })).data, true);
  await sql`select mashup.grant_operator('boss@example.test', false)`;
  assert.deepEqual(await overview(client), REFUSED, 'although the token still has the claim');
});

it('an unknown e-mail is refused, with what to do', async () => {
  await assert.rejects(sql`select mashup.grant_operator('nobody@example.test')`, { code: 'MB002', hint: /studio/ });
});

it('both kinds of secret keys are operators', async () => {
  for (const key of [keys.secretKey, keys.serviceRoleKey])
    assert.deepEqual(await overview(connect(key)), { status: 200, code: undefined });
});
