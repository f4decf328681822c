/** Upload URLs that expire before they are used, as on self-hosted Storage, which lets them live for 60 s. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { decodeJwt } from 'jose';
import { startGateway } from '@mashup-engine/supabase-local/gateway/server';
import type { UploadTarget } from '../../schema.ts';
import { freshUploadUrl } from '../../services/http/fresh-upload.ts';
import { openStorage } from '../../worker/services/storage.ts';
import { until } from '../support/until.ts';
import { startFunctionsFixture } from './functions-fixture.ts';

const URL_SECONDS = 2;

const functions = await startFunctionsFixture(
  { after },
  { gateway: (options) => startGateway({ ...options, uploadUrlSeconds: URL_SECONDS }) },
);
const { machine, url, keys } = functions;
const storage = openStorage(url, keys.secretKey);
const worker = await machine.worker();

/** Claims the first task of a new job, and signs an upload for it that has expired since. */
async function expiredTarget(): Promise<{ target: UploadTarget; jobId: string }> {
  const visitor = await functions.visitor();
  const jobId = await machine.submit(visitor.id);
  const task = await machine.run(worker, ({ kind, job_id: job }) => kind === 'separate' && job === jobId);
  assert.ok(task);
  const [row] = await machine.sql`select claim, output_prefix from mashup.tasks where id = ${task.task_id}`;
  const path = `${row?.output_prefix}/drums.wav`;
  const renewal = { url: storage.renewalUrl, task_id: String(task.task_id), claim: String(row?.claim) };
  const target = { path, url: await storage.uploadUrl(path), renewal };
  const { exp = 0 } = decodeJwt(new URL(target.url).searchParams.get('token') ?? '');
  await until('the URL has expired', () => Date.now() / 1000 > exp);
  return { target, jobId };
}

async function put(to: string): Promise<number> {
  const response = await fetch(to, { method: 'PUT', headers: { 'content-type': 'audio/wav' }, body: 'sound' });
  await response.body?.cancel();
  return response.status;
}

describe('an upload URL that has expired', () => {
  it('is renewed while the task runs, below its own path only, and not after the claim is lost', async () => {
    const { target, jobId } = await expiredTarget();
    assert.equal(await put(target.url), 400, 'Storage refuses the old URL');
    assert.equal(await put(await freshUploadUrl(target)), 200);
    const unsigned = target.url.replace(/\?token=.*/, '');
    assert.equal(await put(await freshUploadUrl({ ...target, url: unsigned })), 200, 'a URL without a token');
    const { path } = target;
    for (const other of ['generated/other.wav', `${path}/../../other.wav`, path.replace(/[^/]+\/[^/]+$/, 'x/y.wav')]) {
      await assert.rejects(freshUploadUrl({ ...target, path: other }), { name: 'RenewalError', status: 401 }, other);
    }
    const renewal = { ...target.renewal!, claim: crypto.randomUUID() };
    await assert.rejects(freshUploadUrl({ ...target, renewal }), { status: 401 });
    await machine.sql`select mashup.cancel(${jobId})`;
    await assert.rejects(freshUploadUrl(target), { status: 401 });
  });

  it('is used as it is without a way to renew it, and a fresh one is not renewed', async () => {
    const fresh = { path: 'generated/x.wav', url: await storage.uploadUrl('generated/x.wav') };
    assert.equal(await freshUploadUrl(fresh), fresh.url);
    const renewal = { url: 'http://127.0.0.1:1/', task_id: '1', claim: crypto.randomUUID() };
    assert.equal(await freshUploadUrl({ ...fresh, renewal }), fresh.url);
  });

  it('cannot be renewed by users, visitors or the anon key without a claim', async () => {
    for (const as of [undefined, keys.anonKey, (await functions.visitor()).token]) {
      const { status, body } = await functions.call('renew-upload', { path: 'generated/x.wav' }, { as });
      assert.deepEqual([status, body['code']], [401, 'sign_in_required']);
    }
  });
});
