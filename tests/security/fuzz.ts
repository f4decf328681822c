/**
 * Generated requests over the edge functions and the functions of the database: bodies that nearly fit, values of the wrong
 * kind, hostile texts, huge and deep ones, foreign and stale ids. Whatever comes back must be an answer that somebody
 * wrote, and must tell nothing of how things work inside or of anybody else.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
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

/** Values that a body may hold; ids of the owner's things among them. */
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

/** Things of whoever asks: with them a request gets behind the first checks. */
export interface Own {
  job: string;
  draft: string;
  uploads: string[];
}

/** What a good client sends, with at most one member spoilt. */
function goodBodies(own: Own, value: fc.Arbitrary<unknown>): Record<string, fc.Arbitrary<object>> {
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
      wishes: fc.string({ maxLength: 60 }),
    },
    { requiredKeys: [] },
  );
  const key = fc.option(fc.uuid(), { nil: undefined });
  const job = fc.constantFrom(own.job, own.draft);
  const feedback = fc.constantFrom('louder at the end', 'shorter', 'Let the other song sing');
  const good: Record<string, fc.Arbitrary<Record<string, unknown>>> = {
    'generate-mashup': fc.record({ songs, options, hold: fc.constant('planning'), idempotency_key: key }),
    'get-mashup-status': fc.record({ jobId: job }),
    'create-signed-upload': fc.record({
      songId: fc.uuid(),
      fileName: fc.constantFrom('a.wav', 'b.mp3', 'Ä ö.flac'),
      fileSize: fc.integer({ min: 1, max: 50_000_000 }),
      contentType: fc.constantFrom('audio/wav', 'audio/mpeg', 'audio/flac'),
    }),
    'claude-mashup-iteration': fc.record({ jobId: job, userFeedback: feedback, options, idempotency_key: key }),
    'stem-separation': fc.record({ audio_url: fc.webUrl(), job_id: job }),
    submit_mashup: fc.record({ songs, options, hold: fc.constant('planning'), idempotency_key: key }),
    iterate_mashup: fc.record({ parent_id: job, feedback, options, idempotency_key: key }),
    start_mashup: fc.record({ job_id: job, options }),
    cancel_mashup: fc.record({ job_id: job }),
    retry_mashup: fc.record({ job_id: job }),
    replay_mashup: fc.record({
      job_id: job,
      stage: fc.constantFrom('analyzing', 'scoring', 'planning', 'separating', 'rendering'),
      fresh: fc.boolean(),
    }),
    get_mashup: fc.record({ job_id: job }),
    get_mashup_analyses: fc.record({ job_id: job }),
    get_mashup_stems: fc.record({ job_id: job }),
    begin_upload: fc.constant({}),
  };
  return Object.fromEntries(
    Object.entries(good).map(([name, body]) => [
      name,
      fc.oneof(
        { weight: 2, arbitrary: body },
        {
          weight: 3,
          arbitrary: fc.tuple(body, fc.nat(9), value).map(([whole, at, spoilt]) => {
            const members = Object.keys(whole);
            const member = members[at % Math.max(1, members.length)];
            return member === undefined ? whole : { ...whole, [member]: spoilt };
          }),
        },
      ),
    ]),
  );
}

const FUNCTIONS: Record<string, string[]> = {
  'generate-mashup': ['songs', 'options', 'hold', 'idempotency_key'],
  'get-mashup-status': ['jobId'],
  'create-signed-upload': ['songId', 'fileName', 'fileSize', 'contentType'],
  'claude-mashup-iteration': ['jobId', 'mashupId', 'userFeedback', 'options', 'idempotency_key'],
  'stem-separation': ['audio_url', 'job_id'],
};
const RPC: Record<string, string[]> = {
  submit_mashup: ['songs', 'options', 'hold', 'idempotency_key'],
  iterate_mashup: ['parent_id', 'feedback', 'options', 'idempotency_key'],
  start_mashup: ['job_id', 'options'],
  cancel_mashup: ['job_id'],
  retry_mashup: ['job_id'],
  replay_mashup: ['job_id', 'stage', 'fresh'],
  delete_mashup: ['job_id'],
  get_mashup: ['job_id'],
  get_mashup_analyses: ['job_id'],
  get_mashup_stems: ['job_id'],
  begin_upload: [],
};
const CALLS = [
  ...Object.entries(FUNCTIONS).map(([name, members]) => ({ path: `/functions/v1/${name}`, members })),
  ...Object.entries(RPC).map(([name, members]) => ({ path: `/rest/v1/rpc/${name}`, members })),
];

/** Requests under way at one time. */
const AT_ONCE = 8;

interface Generated {
  path: string;
  body: string;
  /** Place among the access's intruders. */
  intruder: number;
}

/** Half of all are nearly good ones of a user with songs and jobs of the own; the rest is anything of anybody. */
function requests(access: AccessFixture, own: Own): fc.Arbitrary<Generated> {
  const value = values(access);
  const good = Object.entries(goodBodies(own, value)).map(([name, body]) =>
    fc.record({
      path: fc.constant(name in FUNCTIONS ? `/functions/v1/${name}` : `/rest/v1/rpc/${name}`),
      intruder: fc.constant(0),
      body: body.map((one) => JSON.stringify(one)),
    }),
  );
  return fc.oneof(fc.oneof(...good), wild(value));
}

function wild(value: fc.Arbitrary<unknown>): fc.Arbitrary<Generated> {
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

/** Signs that an answer was not written by anybody, or says more than it should. */
const LEAKS: [string, RegExp][] = [
  ['a stack', /\bat (?:async )?[\w.<>]+ ?\(?(?:file|node|ext):/],
  ['a path of the machine', /\/(?:work|home|root|tmp|usr|var)\/[\w.-]+/],
  ['a statement', /\b(?:insert into|update public|PL\/pgSQL function|SQL function)\b/i],
  ['a token', /eyJ[\w-]{10,}\.eyJ/],
  ['a key', /sb_secret_|service_role_key/i],
];

/** What is wrong with an answer, if anything. */
function faultOf(access: AccessFixture, sent: Generated, status: number, body: string): string | undefined {
  // The local gateway says 501 to what it does not speak: an answer that somebody wrote.
  if (status >= 500 && !(status === 501 && body.includes('The local gateway does not implement')))
    return `status ${status}`;
  // A place to upload to holds a link to one's own folder: the one token that is meant to be told. What was sent may be quoted.
  if (status >= 400) {
    const leak = LEAKS.find(([, sign]) => sign.test(body) && !sign.test(sent.body));
    if (leak !== undefined) return leak[0];
  }
  const theirs = [access.upload, access.stem, access.result].find(
    (path) => body.includes(path) && !sent.body.includes(path),
  );
  return theirs === undefined ? undefined : "another's file";
}

/** Gives the first intruder two songs, a job and a draft: without a rate limit, which would answer most of what follows. */
async function settle({ functions, intruders }: AccessFixture): Promise<Own> {
  const { machine } = functions;
  const [intruder] = intruders;
  if (intruder?.id == null) throw new Error('the first intruder is a user');
  await machine.sql`update mashup.settings set value = '1000000' where name in ('max_submits_per_minute', 'max_queued_jobs_per_user', 'max_drafts_per_user', 'max_queued_jobs')`;
  const songs = await machine.songs(intruder.id, 2);
  return {
    job: await machine.submit(intruder.id),
    draft: await machine.submit(intruder.id, 1, { hold: 'planning' }),
    uploads: songs.map(({ storage_path }) => storage_path),
  };
}

/** Sends so many generated requests, some at a time; answers how many got which status. All that were answered badly fail it. */
export async function fuzz(
  access: AccessFixture,
  count: number,
  seed = Date.now() % 2 ** 31,
): Promise<Map<number, number>> {
  const own = await settle(access);
  const before = await access.ownedRows();
  const statuses = new Map<number, number>();
  const faults: string[] = [];
  const all = fc.sample(requests(access, own), { numRuns: count, seed });
  for (let at = 0; at < all.length; at += AT_ONCE) {
    await Promise.all(
      all.slice(at, at + AT_ONCE).map(async (sent) => {
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
  assert.deepEqual(faults.slice(0, 10), [], `${faults.length} bad answers with seed ${seed}`);
  assert.equal(await access.ownedRows(), before, "nothing of the owner's has changed");
  return statuses;
}
