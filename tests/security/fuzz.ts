/**
 * Generated requests to the edge functions and the SQL functions: nearly valid bodies, values of the wrong type, hostile
 * texts, large and deep values, and ids of other users. Each response must be a handled one, and must disclose neither
 * internals nor data of others.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { WORKING_STAGES } from '../../schema/stages.ts';
import type { AccessFixture } from './access-fixture.ts';

const HOSTILE = [
  "'; drop table mashup_jobs; --",
  "' or '1'='1",
  '$1',
  '$$; select pg_sleep(9); $$',
  '%s%s%n',
  '../../../../etc/passwd',
  '..%2f..%2fetc%2fpasswd',
  '{{7*7}}${7*7}',
  '<script>alert(1)</script>',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\u202e\u200b\ufeff',
  '1e309',
  'null',
  '__proto__',
  'a'.repeat(70_000),
  '{"$ne": null}',
  'http://169.254.169.254/latest/meta-data',
  'file:///etc/passwd',
  '2147483648',
  '-1',
  '',
];

/** Values for members of a body, the owner's ids and paths among them. */
function values(access: AccessFixture): fc.Arbitrary<unknown> {
  const known = [access.job, access.running, access.draft, access.owner.id, access.upload, access.stem, access.result];
  const text = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...HOSTILE) },
    { weight: 3, arbitrary: fc.constantFrom(...known) },
    { weight: 1, arbitrary: fc.uuid() },
    { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  );
  const scalar = fc.oneof(
    text,
    fc.constantFrom(null, true, false, 0, -1, 1e308, 1.5, 2 ** 53, 'planning', 'analyzing', 'complete', 'wav'),
    fc.double({ noNaN: true }),
  );
  const song = fc.record({ song_id: scalar, name: scalar, artist: scalar, storage_path: scalar }, { requiredKeys: [] });
  const options = fc.record(
    { format: scalar, length_sec: scalar, wishes: scalar, extra: scalar },
    { requiredKeys: [] },
  );
  return fc.oneof(
    { weight: 5, arbitrary: scalar },
    { weight: 3, arbitrary: fc.array(fc.oneof(song, scalar), { maxLength: 5 }) },
    { weight: 2, arbitrary: options },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 6 }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        [[[[[[[[[]]]]]]]]],
        Array.from({ length: 2000 }, () => 0),
        { length: -1 },
      ),
    },
  );
}

/** Data of the caller, with which a request passes the first checks. */
export interface CallerData {
  job: string;
  draft: string;
  uploads: string[];
}

const EDIT = fc.record({
  kind: fc.constantFrom('move_edge', 'remove_section', 'layer_level', 'swap_songs', 'explode'),
  section: fc.integer({ min: -1, max: 4 }),
  bars: fc.integer(),
  stem: fc.constantFrom('vocals', 'brass'),
});

/** Bodies as a client sends them, with at most one invalid member. */
function nearlyValidBodies(own: CallerData, value: fc.Arbitrary<unknown>): Record<string, fc.Arbitrary<object>> {
  const songs = fc.constantFrom(1, 2).map((count) =>
    own.uploads.slice(0, count).map((storage_path, n) => ({
      song_id: `song-${n}`,
      name: `Song ${n}`,
      storage_path,
    })),
  );
  const options = fc.record(
    {
      format: fc.constantFrom('wav', 'flac', 'mp3'),
      length_sec: fc.integer({ min: 30, max: 300 }),
      wishes: fc.oneof(fc.constantFrom('more bass', 'faster'), fc.string({ maxLength: 60 })),
    },
    { requiredKeys: [] },
  );
  const key = fc.option(fc.uuid(), { nil: undefined });
  const job = fc.constantFrom(own.job, own.draft);
  const feedback = fc.constantFrom('louder drums', 'shorter', 'Let the second song sing');
  const valid: Record<string, fc.Arbitrary<Record<string, unknown>>> = {
    'generate-mashup': fc.record({ songs, options, hold: fc.constant('planning'), idempotency_key: key }),
    'get-mashup-status': fc.record({ jobId: job }),
    'create-signed-upload': fc.record({
      songId: fc.uuid(),
      fileName: fc.constantFrom('a.wav', 'b.mp3', 'Ä ö.flac'),
      fileSize: fc.integer({ min: 1, max: 50_000_000 }),
      contentType: fc.constantFrom('audio/wav', 'audio/mpeg', 'audio/flac'),
    }),
    'claude-mashup-iteration': fc.record({ jobId: job, userFeedback: feedback, options, idempotency_key: key }),
    'edit-mashup': fc.record({
      jobId: job,
      plan_version: fc.integer({ min: 0, max: 2 }),
      edits: fc.array(EDIT, { maxLength: 3 }),
      idempotency_key: key,
    }),
    'stem-separation': fc.record({ audio_url: fc.webUrl(), job_id: job }),
    submit_mashup: fc.record({ songs, options, hold: fc.constant('planning'), idempotency_key: key }),
    iterate_mashup: fc.record({ parent_id: job, feedback, options, idempotency_key: key }),
    edit_mashup: fc.record({
      p_job_id: job,
      p_edits: fc.record({ plan_version: fc.integer({ min: 0, max: 2 }), edits: fc.array(EDIT, { maxLength: 3 }) }),
      p_idempotency_key: key,
    }),
    start_mashup: fc.record({ job_id: job, options }),
    cancel_mashup: fc.record({ job_id: job }),
    retry_mashup: fc.record({ job_id: job }),
    replay_mashup: fc.record({
      job_id: job,
      stage: fc.constantFrom(...WORKING_STAGES),
      fresh: fc.boolean(),
    }),
    get_mashup: fc.record({ job_id: job }),
    get_mashup_analyses: fc.record({ job_id: job }),
    get_mashup_stems: fc.record({ job_id: job }),
    begin_upload: fc.constant({}),
    export_account: fc.record({ after: fc.option(fc.uuid()), page_size: fc.integer({ min: -5, max: 100 }) }),
  };
  return Object.fromEntries(Object.entries(valid).map(([name, body]) => [name, withInvalidMember(body, value)]));
}

/** Replaces one member of a body in three of five cases. */
function withInvalidMember(
  body: fc.Arbitrary<Record<string, unknown>>,
  value: fc.Arbitrary<unknown>,
): fc.Arbitrary<object> {
  const invalid = fc.tuple(body, fc.nat(9), value).map(([whole, index, replaced]) => {
    const members = Object.keys(whole);
    const member = members[index % Math.max(1, members.length)];
    return member === undefined ? whole : { ...whole, [member]: replaced };
  });
  return fc.oneof({ weight: 2, arbitrary: body }, { weight: 3, arbitrary: invalid });
}

const FUNCTIONS: Record<string, string[]> = {
  'generate-mashup': ['songs', 'options', 'hold', 'idempotency_key'],
  'get-mashup-status': ['jobId'],
  'create-signed-upload': ['songId', 'fileName', 'fileSize', 'contentType'],
  'claude-mashup-iteration': ['jobId', 'mashupId', 'userFeedback', 'options', 'idempotency_key'],
  'edit-mashup': ['jobId', 'plan_version', 'edits', 'idempotency_key'],
  'stem-separation': ['audio_url', 'job_id'],
};
const RPC: Record<string, string[]> = {
  submit_mashup: ['songs', 'options', 'hold', 'idempotency_key'],
  iterate_mashup: ['parent_id', 'feedback', 'options', 'idempotency_key'],
  edit_mashup: ['p_job_id', 'p_edits', 'p_idempotency_key'],
  start_mashup: ['job_id', 'options'],
  cancel_mashup: ['job_id'],
  retry_mashup: ['job_id'],
  replay_mashup: ['job_id', 'stage', 'fresh'],
  delete_mashup: ['job_id'],
  get_mashup: ['job_id'],
  get_mashup_analyses: ['job_id'],
  get_mashup_stems: ['job_id'],
  export_account: ['after', 'page_size'],
  begin_upload: [],
};
const CALLS = [
  ...Object.entries(FUNCTIONS).map(([name, members]) => ({ path: `/functions/v1/${name}`, members })),
  ...Object.entries(RPC).map(([name, members]) => ({ path: `/rest/v1/rpc/${name}`, members })),
];

/** Number of concurrent requests. */
const CONCURRENCY = 8;

interface GeneratedRequest {
  path: string;
  body: string;
  /** Index of the intruder. */
  intruder: number;
}

/** Half of the requests are nearly valid ones of a user with own songs and jobs; the others are arbitrary. */
function requests(access: AccessFixture, own: CallerData): fc.Arbitrary<GeneratedRequest> {
  const value = values(access);
  const nearlyValid = Object.entries(nearlyValidBodies(own, value)).map(([name, body]) =>
    fc.record({
      path: fc.constant(name in FUNCTIONS ? `/functions/v1/${name}` : `/rest/v1/rpc/${name}`),
      intruder: fc.constant(0),
      body: body.map((one) => JSON.stringify(one)),
    }),
  );
  return fc.oneof(fc.oneof(...nearlyValid), arbitraryRequest(value));
}

function arbitraryRequest(value: fc.Arbitrary<unknown>): fc.Arbitrary<GeneratedRequest> {
  return fc.constantFrom(...CALLS).chain(({ path, members }) =>
    fc.record({
      path: fc.constant(path),
      intruder: fc.constantFrom(0, 0, 0, 1, 2),
      body: fc.oneof(
        {
          weight: 8,
          arbitrary: fc
            .record(Object.fromEntries(members.map((member) => [member, value])))
            .map((body) => JSON.stringify(body)),
        },
        {
          weight: 3,
          arbitrary: fc
            .record(Object.fromEntries(members.map((member) => [member, value])), { requiredKeys: [] })
            .map((body) => JSON.stringify(body)),
        },
        { weight: 1, arbitrary: value.map((one) => JSON.stringify(one) ?? '') },
        {
          weight: 1,
          arbitrary: fc.constantFrom(
            '',
            '{',
            '[',
            'null',
            '"x"',
            '{"__proto__":{"x":1}}',
            '{}'.repeat(3),
            `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
          ),
        },
      ),
    }),
  );
}

/** Patterns of responses that are unhandled or disclose too much. */
const LEAKS: [string, RegExp][] = [
  ['a stack', /\bat (?:async )?[\w.<>]+ ?\(?(?:file|node|ext):/],
  ['a path of the machine', /\/(?:work|home|root|tmp|usr|var)\/[\w.-]+/],
  ['a statement', /\b(?:insert into|update public|PL\/pgSQL function|SQL function)\b/i],
  ['a token', /eyJ[\w-]{10,}\.eyJ/],
  ['a key', /sb_secret_|service_role_key/i],
];

/** What is wrong with a response, if anything. */
function faultOf(access: AccessFixture, sent: GeneratedRequest, status: number, body: string): string | undefined {
  // The local gateway returns 501 for what it does not implement, which is a handled response.
  if (status >= 500 && !(status === 501 && body.includes('The local gateway does not implement')))
    return `status ${status}`;
  // A signed upload URL contains a token for the caller's own folder. Errors may quote the request.
  if (status >= 400) {
    const leak = LEAKS.find(([, sign]) => sign.test(body) && !sign.test(sent.body));
    if (leak !== undefined) return leak[0];
  }
  if (access.unsent.some((text) => body.includes(text))) return "another's data";
  // A caller's own rows may contain a path that an earlier request sent as text. A link to the file is a disclosure.
  const linked = [access.upload, access.stem, access.result].some((path) => body.includes(`${path}?token=`));
  return linked ? "a link to another's file" : undefined;
}

/** Gives the first intruder two songs, a job and a draft, and lifts the rate limits, which would refuse most requests. */
async function prepareCaller({ functions, intruders }: AccessFixture): Promise<CallerData> {
  const { machine } = functions;
  const [intruder] = intruders;
  if (intruder?.id == null) throw new Error('the first intruder is not a user');
  await machine.sql`update mashup.settings set value = '1000000' where name in ('max_submits_per_minute', 'max_queued_jobs_per_user', 'max_drafts_per_user', 'max_queued_jobs')`;
  const songs = await machine.songs(intruder.id, 2);
  return {
    job: await machine.submit(intruder.id),
    draft: await machine.submit(intruder.id, 1, { hold: 'planning' }),
    uploads: songs.map(({ storage_path }) => storage_path),
  };
}

/** Checks that the owner's own export counts as a disclosure, as it would for any other caller. */
async function checkDetection(access: AccessFixture): Promise<void> {
  const sent = { path: '/rest/v1/rpc/export_account', body: '{}', intruder: 0 };
  const owner = { ...access.intruders[0]!, bearer: access.owner.token };
  const { status, body } = await access.raw('POST', sent.path, owner, sent.body);
  assert.equal(status, 200);
  assert.equal(faultOf(access, sent, status, body), "another's data");
}

/** Sends generated requests. Returns the number of responses by status. Throws if any response is wrong. */
export async function fuzz(
  access: AccessFixture,
  count: number,
  seed = Date.now() % 2 ** 31,
): Promise<Map<number, number>> {
  const own = await prepareCaller(access);
  await checkDetection(access);
  const before = await access.ownedRows();
  const statuses = new Map<number, number>();
  const faults: string[] = [];
  const all = fc.sample(requests(access, own), { numRuns: count, seed });
  for (let at = 0; at < all.length; at += CONCURRENCY) {
    await Promise.all(
      all.slice(at, at + CONCURRENCY).map(async (sent) => {
        const { status, body } = await access.raw('POST', sent.path, access.intruders[sent.intruder]!, sent.body);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        const fault = faultOf(access, sent, status, body);
        if (fault)
          faults.push(
            `${fault}: ${sent.path} as ${sent.intruder} with ${sent.body.slice(0, 300)}: ${body.slice(0, 300)}`,
          );
      }),
    );
  }
  assert.deepEqual(faults.slice(0, 10), [], `${faults.length} wrong responses with seed ${seed}`);
  assert.equal(await access.ownedRows(), before, "nothing of the owner's has changed");
  return statuses;
}
