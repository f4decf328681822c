/** The functions that read public links: what they show, to whom, and what they never show. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { decode } from 'fast-png';
import { decodeJwt } from 'jose';
import { ErrorBody, SharedMashup } from '../../schema/api.ts';
import { startFunctionsFixture } from './functions-fixture.ts';

const FUNCTIONS = ['shared-mashup', 'shared-cover', 'shared-audio'];
const SOUND = 'the sound of the mashup';

const fixture = await startFunctionsFixture({ after });
const { machine, url } = fixture;
const { sql } = machine;
const owner = await fixture.visitor();
const worker = await machine.worker();
const service = fixture.client(fixture.keys.serviceRoleKey);

interface Shared {
  id: string;
  token: string;
  path: string;
}

async function share(): Promise<Shared> {
  const id = await machine.submit(owner.id);
  await machine.run(worker);
  const { result_path: path } = await machine.job(id);
  const stored = await service.storage.from('mashups').upload(path ?? '', new Blob([SOUND], { type: 'audio/wav' }));
  if (stored.error) throw stored.error;
  const { data, error } = await owner.client.rpc('share_mashup', { p_job_id: id });
  if (error) throw error;
  return { id, token: (data as { token: string }).token, path: path ?? '' };
}

/** Sends a request without any key, as whoever opens a link. */
function open(name: string, token: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${url}/functions/v1/${name}?token=${encodeURIComponent(token)}`, { redirect: 'manual', ...init });
}

const shared = await share();

describe('a shared mashup', () => {
  test('is described without an account, by the documented members and no others', async () => {
    const response = await open('shared-mashup', shared.token);
    assert.equal(response.status, 200);
    const body = (await response.json()) as SharedMashup;
    assert.deepEqual(SharedMashup.parse(body), body);
    assert.deepEqual(
      body.credits.map(({ songId, name }) => [songId, name]),
      [
        ['song-1', 'Song 1'],
        ['song-2', 'Song 2'],
      ],
    );
    assert.ok(body.timeline.length > 0);
    assert.equal(response.headers.get('access-control-allow-origin'), '*');
    assert.equal(response.headers.get('cache-control'), 'public, max-age=30');
  });

  test('discloses no id, path, address or account', async () => {
    const { songs } = await machine.job(shared.id);
    const secrets = [shared.id, shared.token, shared.path, owner.id, 'uploads/', 'generated/', 'stems/'];
    for (const name of ['shared-mashup', 'shared-cover']) {
      const response = await open(name, shared.token);
      const text = `${await response.text()} ${JSON.stringify([...response.headers])}`;
      for (const secret of [...secrets, ...songs.map(({ song_id }) => song_id)])
        assert.ok(!text.includes(secret), `${name} contains ${secret}`);
    }
  });

  test('has a cover of 1200 by 630 pixels, the same every time, and no second one for who has it', async () => {
    const response = await open('shared-cover', shared.token);
    assert.equal(response.headers.get('content-type'), 'image/png');
    const picture = new Uint8Array(await response.arrayBuffer());
    assert.ok(picture.length < 100_000, `${picture.length} bytes`);
    const { width, height } = decode(picture);
    assert.deepEqual([width, height], [1200, 630]);
    const again = await open('shared-cover', shared.token);
    assert.deepEqual(new Uint8Array(await again.arrayBuffer()), picture);
    const tag = response.headers.get('etag') ?? '';
    const known = await open('shared-cover', shared.token, { headers: { 'if-none-match': tag } });
    assert.deepEqual([known.status, (await known.arrayBuffer()).byteLength], [304, 0]);
  });

  test('is heard through a link of at most 60 s to its one file, with ranges', async () => {
    const response = await open('shared-audio', shared.token);
    assert.deepEqual([response.status, response.headers.get('cache-control')], [302, 'no-store']);
    const link = new URL(response.headers.get('location') ?? '', response.url);
    const { url: signed, exp = Infinity } = decodeJwt<{ url: string }>(link.searchParams.get('token') ?? '');
    assert.equal(signed, `mashups/${shared.path}`);
    assert.ok(exp - Date.now() / 1000 <= 60, 'the link is valid for a minute at most');
    const part = await open('shared-audio', shared.token, { redirect: 'follow', headers: { range: 'bytes=4-8' } });
    assert.deepEqual([part.status, await part.text()], [206, SOUND.slice(4, 9)]);
    const other = await share();
    const moved = await fetch(String(link).replace(shared.path, other.path));
    assert.ok(moved.status >= 400, 'the link does not open another file');
  });

  test('answers HEAD like GET, without a body, and refuses other methods', async () => {
    for (const [name, status] of [
      ['shared-mashup', 200],
      ['shared-cover', 200],
      ['shared-audio', 302],
    ] as const) {
      const head = await open(name, shared.token, { method: 'HEAD' });
      assert.deepEqual([head.status, (await head.arrayBuffer()).byteLength], [status, 0], name);
      const post = await open(name, shared.token, { method: 'POST', body: '{}' });
      assert.deepEqual([post.status, ((await post.json()) as ErrorBody).code], [405, 'method_not_allowed']);
      const preflight = await open(name, shared.token, { method: 'OPTIONS' });
      assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /GET.*HEAD/);
    }
  });

  test('is served with the file of its next version while the link stays', async () => {
    const mine = await share();
    const { error } = await owner.client.rpc('replay_mashup', { job_id: mine.id, stage: 'rendering' });
    assert.equal(error, null);
    assert.equal((await open('shared-audio', mine.token)).status, 404);
    await machine.run(worker);
    const { result_path: path } = await machine.job(mine.id);
    await service.storage.from('mashups').upload(path ?? '', new Blob(['new'], { type: 'audio/wav' }));
    const response = await open('shared-audio', mine.token, { redirect: 'follow' });
    assert.deepEqual([response.status, await response.text()], [200, 'new']);
  });
});

describe('a link that shows nothing', () => {
  test('gets the same answer whatever the cause: unknown, malformed, revoked, taken down, expired, deleted, switched off', async () => {
    const causes: Record<string, (one: Shared) => PromiseLike<unknown>> = {
      revoked: ({ id }) => owner.client.rpc('unshare_mashup', { p_job_id: id }),
      'taken down': ({ token }) => sql`select mashup.take_down_share(${token}, 'x')`,
      'taken down itself': ({ id }) => sql`select mashup.take_down(${id}, 'x')`,
      expired: ({ id }) => sql`update public.mashup_jobs set expired_at = now(), result_path = null where id = ${id}`,
      deleted: ({ id }) => owner.client.rpc('delete_mashup', { job_id: id }),
      'switched off': () => sql`update mashup.settings set value = 'false' where name = 'sharing_enabled'`,
    };
    const answers = new Map<string, string>();
    const read = async (name: string, token: string): Promise<string> => {
      const response = await open(name, token);
      const kept = [...response.headers].filter(([header]) => header !== 'date');
      return JSON.stringify([response.status, await response.text(), kept]);
    };
    for (const name of FUNCTIONS) {
      answers.set(name, await read(name, 'A'.repeat(24)));
      const [status, text] = JSON.parse(answers.get(name) ?? '') as [number, string];
      assert.deepEqual([status, ErrorBody.parse(JSON.parse(text)).code], [404, 'share_not_found']);
      for (const token of ['', 'x', 'A'.repeat(3000), "'; drop table", owner.id, shared.id])
        assert.equal(await read(name, token), answers.get(name), `${name} with ${token.slice(0, 40)}`);
    }
    for (const [cause, end] of Object.entries(causes)) {
      const one = await share();
      await end(one);
      for (const name of FUNCTIONS) assert.equal(await read(name, one.token), answers.get(name), `${name}: ${cause}`);
    }
    await sql`update mashup.settings set value = 'true' where name = 'sharing_enabled'`;
    assert.equal((await open('shared-mashup', shared.token)).status, 200, 'sharing is on again');
  });

  test('is the only answer to a session of another user as well', async () => {
    const stranger = await fixture.visitor();
    const mine = await share();
    await owner.client.rpc('unshare_mashup', { p_job_id: mine.id });
    const response = await open('shared-mashup', mine.token, {
      headers: { authorization: `Bearer ${stranger.token}` },
    });
    assert.equal(response.status, 404);
  });
});

describe('the limits', () => {
  test('answer 429 with Retry-After, by the address that the proxy in front names', async () => {
    await sql`delete from mashup.share_counts`;
    await sql`update mashup.settings set value = '2' where name = 'max_shared_reads_per_minute_per_client'`;
    const from = (address: string): Promise<Response> =>
      open('shared-mashup', shared.token, {
        headers: { 'cf-connecting-ip': address, 'x-forwarded-for': crypto.randomUUID() },
      });
    assert.deepEqual([(await from('203.0.113.7')).status, (await from('203.0.113.7')).status], [200, 200]);
    const refused = await from('203.0.113.7');
    assert.deepEqual([refused.status, ((await refused.json()) as ErrorBody).code], [429, 'rate_limited']);
    const wait = Number(refused.headers.get('retry-after'));
    assert.ok(wait >= 1 && wait <= 60, `${wait} s`);
    assert.equal((await from('203.0.113.8')).status, 200);
    await sql`update mashup.settings set value = '600' where name = 'max_shared_reads_per_minute_per_client'`;
  });
});
