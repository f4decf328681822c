/** Raw responses. The client library tolerates small differences, so its results alone do not show them. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { MASHUP_SQLSTATES } from '../../schema/errors.ts';
import { LOCAL_ONLY, useGateway } from './gateway-fixture.ts';
import type { Client } from './gateway-fixture.ts';

const SETUP = `
  create table public.rows (id int primary key, name text);
  grant all on public.rows to anon, authenticated;
  insert into public.rows select n, 'row ' || n from generate_series(1, 9) n;
  create function public.fail_with(state text) returns int language plpgsql as $$ begin
    raise exception using errcode = state, message = 'the message', detail = 'more', hint = 'do this'; end $$;
  insert into storage.buckets (id, name, public) values ('files', 'files', false);
  create policy own on storage.objects for all to authenticated using (owner_id = (select auth.uid())::text) with check (true);
`;
const fixture = await useGateway({ after }, { setup: SETUP });

interface Call {
  method: string;
  url: URL;
  headers: Headers;
  response: Response;
}

/** Creates a client that records its calls. */
function recordingClient(): { client: Client; sent: Call[] } {
  const sent: Call[] = [];
  const client = fixture.client(fixture.keys.anonKey, {
    global: {
      fetch: async (input, init) => {
        const response = await fetch(input, init);
        const headers = new Headers(init?.headers);
        sent.push({ method: init?.method ?? 'GET', url: new URL(String(input)), headers, response: response.clone() });
        return response;
      },
    },
  });
  return { client, sent };
}

describe('raw responses of REST', { skip: LOCAL_ONLY }, () => {
  it('pages by query parameters; maybeSingle requests a list and checks it in the client', async () => {
    const { client, sent } = recordingClient();
    const page = await client.from('rows').select('id').order('id').range(2, 3);
    assert.deepEqual(page.data, [{ id: 3 }, { id: 4 }]);
    const two = await client.from('rows').select('id').lt('id', 3).maybeSingle();
    assert.deepEqual([two.status, two.error?.code, two.data], [406, 'PGRST116', null]);
    const [paged, listed] = sent;
    assert.equal(paged?.headers.get('range'), null);
    assert.deepEqual([paged?.url.searchParams.get('offset'), paged?.url.searchParams.get('limit')], ['2', '2']);
    assert.equal(paged?.response.headers.get('content-range'), '2-3/*');
    assert.equal(listed?.response.status, 200, 'the server sent a list');
  });

  it('accepts the profile header of every call, and no other schema', async () => {
    const { client, sent } = recordingClient();
    await client.from('rows').select('id').eq('id', 1);
    await client.from('rows').delete().eq('id', 99);
    assert.deepEqual(
      sent.map(({ headers, response }) => [
        headers.get('accept-profile'),
        headers.get('content-profile'),
        response.status,
        response.headers.get('content-profile'),
      ]),
      [
        ['public', null, 200, 'public'],
        [null, 'public', 204, 'public'],
      ],
    );
    for (const header of ['accept-profile', 'content-profile']) {
      const method = header === 'accept-profile' ? 'GET' : 'POST';
      const response = await fixture.fetch('/rest/v1/rows', {
        method,
        headers: { [header]: 'auth' },
        ...(method === 'POST' ? { body: '{}' } : {}),
      });
      assert.deepEqual([response.status, ((await response.json()) as { code: string }).code], [406, 'PGRST106']);
    }
  });

  it('returns each of the engine’s own errors with 400, code, message, detail and hint', async () => {
    for (const state of Object.keys(MASHUP_SQLSTATES)) {
      const { status, error } = await fixture.client().rpc('fail_with', { state });
      assert.deepEqual(
        [status, error?.code, error?.message, error?.details, error?.hint],
        [400, state, 'the message', 'more', 'do this'],
      );
    }
  });
});

describe('raw responses of Storage', { skip: LOCAL_ONLY }, () => {
  it('returns links below /storage/v1 that are not encoded: the client does that', async () => {
    const { client, sent } = recordingClient();
    await client.auth.signInAnonymously();
    const files = client.storage.from('files');
    const name = 'a folder/a song (1).wav';
    const upload = await files.createSignedUploadUrl(name);
    assert.equal((await files.uploadToSignedUrl(name, upload.data?.token ?? '', new Blob(['sound']))).error, null);
    const download = await files.createSignedUrl(name, 60);
    const many = await files.createSignedUrls([name], 60);
    const bodies = new Map<string, unknown>();
    for (const { method, url, response } of sent) bodies.set(`${method} ${url.pathname}`, await response.json());
    const path = '/storage/v1/object/sign/files';
    const put = bodies.get('POST /storage/v1/object/upload/sign/files/a%20folder/a%20song%20(1).wav') as {
      url: string;
    };
    assert.match(put.url, /^\/object\/upload\/sign\/files\/a folder\/a song \(1\)\.wav\?token=[\w.-]+$/);
    const one = bodies.get(`POST ${path}/a%20folder/a%20song%20(1).wav`) as Record<string, string>;
    assert.deepEqual(Object.keys(one), ['signedURL']);
    assert.match(one['signedURL'] ?? '', /^\/object\/sign\/files\/a folder\/a song \(1\)\.wav\?token=[\w.-]+$/);
    const [first] = bodies.get(`POST ${path}`) as Record<string, unknown>[];
    assert.deepEqual(Object.keys(first ?? {}).sort(), ['error', 'path', 'signedURL']);
    for (const url of [download.data?.signedUrl ?? '', many.data?.[0]?.signedUrl ?? '']) {
      assert.ok(
        url.startsWith(`${fixture.url}/storage/v1/object/sign/files/a%20folder/a%20song%20(1).wav?token=`),
        url,
      );
      assert.equal(await (await fetch(url)).text(), 'sound');
    }
  });

  it('decodes names once: a plus stays a plus, and a name that is encoded twice is invalid', async () => {
    const { client } = await fixture.visitor();
    const files = client.storage.from('files');
    for (const [name, content] of [
      ['one+two.wav', 'plus'],
      ['one two.wav', 'blank'],
    ] as const) {
      assert.equal((await files.upload(name, new Blob([content]))).error, null);
    }
    assert.equal(await (await files.download('one+two.wav')).data?.text(), 'plus');
    assert.equal(await (await files.download('one two.wav')).data?.text(), 'blank');
    const { data } = await files.list('');
    assert.deepEqual(
      data?.map(({ name }) => name),
      ['one two.wav', 'one+two.wav'],
    );
    const { data: session } = await client.auth.getSession();
    const twice = await fixture.fetch('/storage/v1/object/files/one%252btwo.wav', {
      token: session.session?.access_token,
    });
    assert.deepEqual([twice.status, ((await twice.json()) as { code: string }).code], [400, 'InvalidKey']);
  });

  it('accepts a file whose form part has an empty name, after its fields', async () => {
    const { id: owner, token } = await fixture.visitor();
    const form = new FormData();
    form.append('cacheControl', '77');
    form.append('metadata', '{"bpm":99}');
    form.append('', new Blob(['sound'], { type: 'audio/wav' }), 'blob');
    const response = await fixture.fetch('/storage/v1/object/files/form.wav', { method: 'POST', token, body: form });
    assert.equal(response.status, 200);
    const body = (await response.json()) as Record<string, string>;
    assert.deepEqual(Object.keys(body).sort(), ['Id', 'Key']);
    assert.equal(body['Key'], 'files/form.wav');
    const [row] = await fixture.sql`
      select owner_id, metadata ->> 'mimetype' as type, metadata ->> 'cacheControl' as cache, user_metadata -> 'bpm' as bpm
      from storage.objects where name = 'form.wav'`;
    assert.deepEqual({ ...row }, { owner_id: owner, type: 'audio/wav', cache: 'max-age=77', bpm: 99 });
  });
});
