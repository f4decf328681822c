/** Access to the edge functions, with tokens of other users and with invalid tokens. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { invalidTokens, SECRET, startAccessFixture } from './access-fixture.ts';
import type { Intruder } from './access-fixture.ts';
import { assertDenied } from './entry-points.ts';
import type { Outcome } from './entry-points.ts';

const access = await startAccessFixture({ after });
const { functions, owner, job, upload, stem } = access;

describe('edge functions', () => {
  const call = async (name: string, body: unknown, intruder: Intruder): Promise<Outcome> => {
    const answer = await functions.call(name, body, { as: intruder.bearer });
    return `${answer.status} ${answer.body.code}`;
  };
  const SIGN_IN = '401 sign_in_required';
  const songs = [upload, stem].map((storage_path, n) => ({ song_id: `s${n}`, name: 'x', artist: 'y', storage_path }));
  const entryPoints: [string, string, unknown, Outcome][] = [
    ['generate-mashup with uploads of another', 'generate-mashup', { songs }, '404 upload_missing'],
    [
      'generate-mashup with a path that climbs',
      'generate-mashup',
      { songs: songs.map((song) => ({ ...song, storage_path: `uploads/x/../${owner.id}/song-1/song.wav` })) },
      '404 upload_missing',
    ],
    ['get-mashup-status of another', 'get-mashup-status', { jobId: job }, '404 job_not_found'],
    [
      'claude-mashup-iteration on another',
      'claude-mashup-iteration',
      { jobId: job, userFeedback: 'louder drums' },
      '404 job_not_found',
    ],
    [
      'edit-mashup on another',
      'edit-mashup',
      { jobId: job, plan_version: 1, edits: [{ kind: 'swap_songs' }] },
      '404 job_not_found',
    ],
    [
      'stem-separation by job',
      'stem-separation',
      { job_id: job, audio_url: `${functions.url}/storage/v1/object/mashups/${upload}` },
      '404 job_not_found',
    ],
    [
      'stem-separation by job and song',
      'stem-separation',
      { job_id: `${job}/song-1`, audio_url: 'x' },
      '404 job_not_found',
    ],
    [
      'create-signed-upload with a climbing song id',
      'create-signed-upload',
      { songId: `../${owner.id}`, fileName: 'x.wav' },
      '400 invalid_song_id',
    ],
  ];
  assertDenied(
    access,
    entryPoints.map(([name, endpoint, body, user]) => ({
      name,
      attempt: (intruder) => call(endpoint, body, intruder),
      user,
      key: SIGN_IN,
    })),
  );

  it('create-signed-upload puts every file name into the caller’s own folder', async () => {
    const [intruder] = access.intruders;
    assert.ok(intruder?.id);
    for (const fileName of [
      '../../x.wav',
      `..\\..\\${owner.id}.wav`,
      '%2e%2e%2fx.wav',
      'a/../../b.wav',
      '.wav',
      '\u202ewav.exe.wav',
      `${'../'.repeat(40)}etc.wav`,
    ]) {
      const { status, body } = await functions.call(
        'create-signed-upload',
        { songId: 's', fileName },
        { as: intruder.bearer },
      );
      assert.equal(status, 200, JSON.stringify(body));
      assert.match(String(body['path']), new RegExp(`^uploads/${intruder.id}/s/[\\w.-]+\\.wav$`));
      assert.ok(!String(body['path']).includes('/../') && !String(body['path']).includes('/..'), String(body['path']));
    }
  });

  it('functions identify the caller by the token only, whatever the body claims', async () => {
    const [intruder] = access.intruders;
    assert.ok(intruder?.id);
    const claims = { user_id: owner.id, userId: owner.id, owner: owner.id, role: 'service_role' };
    const { body } = await functions.call(
      'create-signed-upload',
      { songId: 's', fileName: 'x.wav', ...claims },
      { as: intruder.bearer, headers: { 'x-user-id': owner.id } },
    );
    assert.ok(String(body['path']).startsWith(`uploads/${intruder.id}/`));
    const status = await functions.call('get-mashup-status', { jobId: job, ...claims }, { as: intruder.bearer });
    assert.equal(status.status, 404);
  });
});

/** A body for each edge function, with the owner's ids and paths. */
const FUNCTION_BODIES: Record<string, object> = {
  'generate-mashup': { songs: [{ song_id: 's', name: 'x', storage_path: upload }], hold: 'planning' },
  'get-mashup-status': { jobId: job },
  'create-signed-upload': { songId: 'song-1', fileName: 'song.wav' },
  'claude-mashup-iteration': { jobId: job, userFeedback: 'louder drums' },
  'edit-mashup': { jobId: job, plan_version: 1, edits: [{ kind: 'swap_songs' }] },
  'stem-separation': { job_id: job, audio_url: upload },
  'delete-account': { confirm: 'delete my account' },
};

async function callFunctions(intruder: Intruder): Promise<Record<string, { status: number; body: string }>> {
  const answers: Record<string, { status: number; body: string }> = {};
  for (const [name, body] of Object.entries(FUNCTION_BODIES))
    answers[name] = await access.raw('POST', `/functions/v1/${name}`, intruder, JSON.stringify(body));
  return answers;
}

describe('invalid tokens', () => {
  it('give access to neither rows, files, functions, Auth nor the operator’s calls', async () => {
    for (const [what, token] of Object.entries(await invalidTokens(access))) {
      const intruder: Intruder = { name: what, client: functions.client(), bearer: token, id: null };
      const answers = {
        rows: await access.raw('GET', '/rest/v1/mashup_jobs?select=*', intruder),
        rpc: await access.raw('POST', '/rest/v1/rpc/delete_mashup', intruder, JSON.stringify({ job_id: job })),
        list: await access.raw(
          'POST',
          '/storage/v1/object/list/mashups',
          intruder,
          JSON.stringify({ prefix: `uploads/${owner.id}/song-1` }),
        ),
        file: await access.raw('GET', `/storage/v1/object/mashups/${upload}`, intruder),
        user: await access.raw('GET', '/auth/v1/user', intruder),
        users: await access.raw('GET', '/auth/v1/admin/users', intruder),
        ...(await callFunctions(intruder)),
      };
      const outcomes = Object.entries(answers).map(([entryPoint, { status, body }]) => {
        assert.ok(!body.includes(SECRET) && !body.includes(owner.id), `${what}: ${entryPoint} discloses nothing`);
        return `${entryPoint} ${status}`;
      });
      assert.deepEqual(
        outcomes,
        [
          'rows 401',
          'rpc 401',
          'list 400',
          'file 400',
          'user 403',
          'users 403',
          ...Object.keys(FUNCTION_BODIES).map((name) => `${name} 401`),
        ],
        what,
      );
    }
  });

  it('a missing token, or one in another place, gives no access either', async () => {
    const { anonKey } = functions.keys;
    const places: [string, Record<string, string>][] = [
      ['nothing', {}],
      ['the key alone', { apikey: anonKey }],
      ['an empty bearer', { apikey: anonKey, authorization: 'Bearer ' }],
      ['another scheme', { apikey: anonKey, authorization: `Basic ${owner.token}` }],
      ['a token in a cookie', { apikey: anonKey, cookie: `sb-access-token=${owner.token}` }],
    ];
    for (const [what, headers] of places) {
      for (const [name, body] of Object.entries(FUNCTION_BODIES)) {
        const url = `${functions.url}/functions/v1/${name}?access_token=${owner.token}&apikey=${anonKey}`;
        const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
        const { code } = (await answer.json()) as { code: string };
        assert.deepEqual([answer.status, code], [401, 'sign_in_required'], `${name} with ${what}`);
      }
      for (const path of ['/rest/v1/mashup_jobs?select=*', `/storage/v1/object/mashups/${upload}`, '/auth/v1/user']) {
        const answer = await fetch(functions.url + path, { headers });
        const said = await answer.text();
        assert.ok(answer.status >= 400 && answer.status < 500, `${path} with ${what}: ${answer.status}`);
        assert.ok(!said.includes(SECRET) && !said.includes(owner.id), `${path} with ${what}`);
      }
    }
  });

  it('the anon key and users’ tokens have no operator rights', async () => {
    for (const intruder of [
      ...access.intruders,
      { name: 'the owner', client: owner.client, bearer: owner.token, id: owner.id },
    ]) {
      for (const [method, path] of [
        ['GET', '/auth/v1/admin/users'],
        ['POST', '/auth/v1/admin/users'],
        ['DELETE', `/auth/v1/admin/users/${owner.id}`],
      ] as const) {
        const { status, body } = await access.raw(method, path, intruder, method === 'POST' ? '{}' : undefined);
        assert.ok(status === 401 || status === 403, `${intruder.name} ${method} ${path}: ${status} ${body}`);
      }
    }
  });
});
