import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import {
  EditAnswer,
  ErrorBody,
  filesOf,
  IterationAnswer,
  StatusAnswer,
  StatusErrorBody,
  StemAnswer,
} from '../../schema.ts';
import type { Plan, SongAnalysis } from '../../schema.ts';
import { DEFAULT_PLAN_LIMITS } from '../../music/plan/limits.ts';
import { producePlan } from '../../music/producer/producer.ts';
import { makeSong } from '../music/arbitraries.ts';
import { startFunctionsFixture } from './functions-fixture.ts';

const fixture = await startFunctionsFixture({ after });
const { machine } = fixture;
const visitor = await fixture.visitor();
const stranger = await fixture.visitor();
const worker = await machine.worker();

/** Runs a job of the visitor up to a task of this kind, or to its end. */
async function jobUpTo(kind?: string): Promise<string> {
  const id = await machine.submit(visitor.id);
  for (;;) {
    const task = await machine.claimNext(worker, id);
    if (task === undefined) return id;
    if (task.kind === kind) {
      await machine.sql`select mashup.return_task(${task.task_id}, ${task.claim})`;
      return id;
    }
    await machine.finish(task);
  }
}

/** A plan of the rule-based producer for the songs of a test job, and their analyses by id. */
function editablePlan(ids: string[]): { plan: Plan; analyses: Record<string, SongAnalysis> } {
  const songs = ids.map((id, n) => makeSong(id, { vocals: 0.8 - n * 0.4, duration: 120 }));
  const plan = producePlan({ songs, scores: [], limits: DEFAULT_PLAN_LIMITS, seed: 1 });
  return { plan, analyses: Object.fromEntries(songs.map(({ song_id, analysis }) => [song_id, analysis])) };
}

const cancel = (id: string) => machine.sql`select mashup.cancel(${id})`;
const complete = await jobUpTo();

describe('get-mashup-status', () => {
  const request = (body: unknown, as = visitor.token) => fixture.call('get-mashup-status', body, { as });

  test('returns a live job in the form of the status contract', async () => {
    const id = await jobUpTo('plan');
    const { status, body } = await request({ jobId: id });
    assert.equal(status, 200, JSON.stringify(body));
    const answer = StatusAnswer.parse(body);
    assert.equal(answer.status, 'processing');
    assert.match(answer.processing_time_elapsed, /^(\d+m )?\d+s$/);
    assert.match(answer.estimated_completion ?? '', /^\d+ minutes?$/);
    assert.deepEqual(answer.metadata, {
      songs_count: 2,
      analyses_completed: 2,
      mashability_scores_count: 1,
      has_masterplan: false,
    });
    assert.equal('error_message' in answer || 'result_url' in answer || 'masterplan' in answer, false);
    await cancel(id);
  });

  test('returns a complete job with its plan, sections for the timeline, and the path of its file', async () => {
    const answer = StatusAnswer.parse((await request({ jobId: complete })).body);
    assert.equal(answer.status, 'complete');
    assert.equal(answer.progress, 100);
    assert.equal(answer.title, 'Test mashup');
    assert.match(answer.result_url ?? '', /^generated\//);
    const [section] = answer.timeline ?? [];
    assert.equal(section?.start, 0);
    assert.equal(section?.duration, 32);
    assert.equal(section?.duration_sec, 32);
    assert.equal('estimated_completion' in answer, false);
    assert.equal(answer.metadata.has_masterplan, true);
  });

  test('returns a failed job with type, suggested action and code', async () => {
    const id = await machine.submit(visitor.id);
    const task = await machine.claimNext(worker, id);
    assert.ok(task);
    await machine.fail(task, 'permanent', 'audio_truncated');
    const answer = StatusAnswer.parse((await request({ jobId: id })).body);
    assert.equal(answer.status, 'failed');
    assert.equal(answer.error_code, 'audio_truncated');
    assert.deepEqual(answer.error_details, {
      type: 'audio_format_error',
      recoverable: false,
      suggested_action: 'Try again.',
    });
  });

  test('returns a cancelled job as failed with type cancelled', async () => {
    const id = await machine.submit(visitor.id);
    await cancel(id);
    const answer = StatusAnswer.parse((await request({ jobId: id })).body);
    assert.equal(answer.status, 'failed');
    assert.equal(answer.error_details?.type, 'cancelled');
    assert.equal(answer.error_details.recoverable, true);
  });

  const refusals: [name: string, body: unknown, status: number, error: string, type: string][] = [
    ['no id', {}, 400, 'Job ID is required', 'validation_error'],
    ['an invalid id', { jobId: 'abc' }, 400, 'Invalid job ID', 'validation_error'],
    ['an unknown id', { jobId: randomUUID() }, 404, 'Job not found', 'job_not_found'],
    ['a body that is not JSON', '{', 400, 'Invalid request body', 'validation_error'],
  ];
  for (const [name, body, status, error, type] of refusals) {
    test(`refuses ${name} with ${status}`, async () => {
      const refused = await request(body);
      assert.equal(refused.status, status);
      const parsed = StatusErrorBody.parse(refused.body);
      assert.equal(parsed.error, error);
      assert.equal(parsed.error_details.type, type);
    });
  }

  test("refuses another user's job like a missing one", async () => {
    const { status, body } = await request({ jobId: complete }, stranger.token);
    assert.equal(status, 404);
    assert.equal(body.code, 'job_not_found');
  });
});

describe('claude-mashup-iteration', () => {
  const request = (body: unknown, as = visitor.token) => fixture.call('claude-mashup-iteration', body, { as });

  test('submits a new job from the feedback, and returns the plan that is being revised', async () => {
    const matrices = { mfccs: Array.from({ length: 13 }, () => Array.from({ length: 4000 }, () => Math.random())) };
    const { status, body } = await request({
      jobId: complete,
      userFeedback: 'More drums, and paint it blue',
      mashupPlan: { title: 'x' },
      songs: [],
      analysisData: [matrices, null],
    });
    assert.equal(status, 200, JSON.stringify(body));
    const answer = IterationAnswer.parse(body);
    assert.equal(answer.title, 'Test mashup');
    assert.equal(answer.timeline.length, 1);
    const job = await machine.sql`select parent_id, feedback from public.mashup_jobs where id = ${answer.jobId}`;
    assert.deepEqual({ ...job[0] }, { parent_id: complete, feedback: 'More drums, and paint it blue' });
    await cancel(answer.jobId);
  });

  test('accepts the id under its other names', async () => {
    for (const name of ['mashupId', 'parent_id']) {
      const { status, body } = await request({ [name]: complete, userFeedback: 'louder drums' });
      assert.equal(status, 200, JSON.stringify(body));
      await cancel(String(body.jobId));
    }
  });

  const refusals: [name: string, body: object, status: number, code: string][] = [
    ['a plan without a job', { mashupPlan: {}, userFeedback: 'x' }, 400, 'job_id_required'],
    ['no feedback', { jobId: complete, userFeedback: '  ' }, 400, 'invalid_request'],
    ['feedback that is too long', { jobId: complete, userFeedback: 'x'.repeat(1001) }, 400, 'invalid_request'],
    ['feedback that is not understood', { jobId: complete, userFeedback: 'paint it blue' }, 422, 'wish_not_understood'],
    [
      'feedback that contradicts itself',
      { jobId: complete, userFeedback: 'more bass but less bass' },
      422,
      'wish_not_understood',
    ],
    ['feedback that asks for nothing', { jobId: complete, userFeedback: 'thanks!' }, 422, 'wish_changes_nothing'],
    ['feedback that is so already', { jobId: complete, userFeedback: 'without vocals' }, 422, 'wish_changes_nothing'],
    ['an unknown job', { jobId: randomUUID(), userFeedback: 'x' }, 404, 'job_not_found'],
  ];
  for (const [name, body, status, code] of refusals) {
    test(`refuses ${name} with ${status} ${code}`, async () => {
      const refused = await request(body);
      assert.equal(refused.status, status, JSON.stringify(refused.body));
      assert.equal(ErrorBody.parse(refused.body).code, code);
    });
  }

  test('refuses a job without a plan, and the job of another user', async () => {
    const id = await jobUpTo('plan');
    const early = await request({ jobId: id, userFeedback: 'faster' });
    assert.equal(early.status, 409);
    assert.equal(early.body.code, 'missing_input');
    await cancel(id);
    const foreign = await request({ jobId: complete, userFeedback: 'faster' }, stranger.token);
    assert.equal(foreign.status, 404);
  });
});

describe('edit-mashup', () => {
  const request = (body: unknown, as = visitor.token) => fixture.call('edit-mashup', body, { as });
  const repeat = { kind: 'repeat_section', section: 0 };
  before(async () => {
    const { plan, analyses } = editablePlan((await machine.job(complete)).songs.map((song) => song.song_id));
    await machine.sql`update public.mashup_plans set plan = ${machine.sql.json(plan as never)} where job_id = ${complete}`;
    for (const [song, analysis] of Object.entries(analyses))
      await machine.sql`
        update mashup.analyses a set analysis = ${machine.sql.json(analysis as never)} from public.mashup_jobs j, jsonb_array_elements(j.songs) s
        where j.id = ${complete} and s ->> 'song_id' = ${song} and a.id = (s ->> 'analysis_id')::bigint`;
  });

  test('says which edit is not possible and why, and submits nothing', async () => {
    const { status, body } = await request({
      jobId: complete,
      plan_version: 1,
      edits: [repeat, { kind: 'remove_section', section: 7 }],
    });
    assert.equal(status, 422, JSON.stringify(body));
    const error = ErrorBody.parse(body);
    assert.deepEqual(
      [error.code, error.error],
      ['edit_not_possible', 'Edit 2 is not possible. There is no section 8.'],
    );
    const children = await machine.sql`select from mashup.plan_edits`;
    assert.equal(children.length, 0);
  });

  const refusals: [name: string, body: object, status: number, code: string][] = [
    ['no job', { plan_version: 1, edits: [repeat] }, 400, 'invalid_request'],
    ['no edits', { jobId: complete, plan_version: 1, edits: [] }, 400, 'invalid_edits'],
    ['an unknown edit', { jobId: complete, plan_version: 1, edits: [{ kind: 'explode' }] }, 400, 'invalid_edits'],
    ['a plan of long ago', { jobId: complete, plan_version: 9, edits: [repeat] }, 409, 'plan_outdated'],
    ['an unknown job', { jobId: randomUUID(), plan_version: 1, edits: [repeat] }, 404, 'job_not_found'],
  ];
  for (const [name, body, status, code] of refusals) {
    test(`refuses ${name} with ${status} ${code}`, async () => {
      const refused = await request(body);
      assert.equal(refused.status, status, JSON.stringify(refused.body));
      assert.equal(ErrorBody.parse(refused.body).code, code);
    });
  }

  test('submits a new job for a plan that can be edited', async () => {
    const { status, body } = await request({ jobId: complete, plan_version: 1, edits: [repeat] });
    assert.equal(status, 200, JSON.stringify(body));
    const answer = EditAnswer.parse(body);
    const [kept] = await machine.sql`select edits from mashup.plan_edits where job_id = ${answer.jobId}`;
    assert.deepEqual(kept?.['edits'], [repeat]);
    assert.equal(answer.parent_id, complete);
    await cancel(answer.jobId);
    const foreign = await request({ jobId: complete, plan_version: 1, edits: [repeat] }, stranger.token);
    assert.equal(foreign.status, 404);
  });
});

describe('stem-separation', () => {
  const request = (body: unknown, as: string) => fixture.call('stem-separation', body, { as });
  const url = (path: string) => `${fixture.url}/storage/v1/object/sign/mashups/${path}?token=secret`;

  test('returns the cached stems of a song to the service role and to the owner', async () => {
    const { songs } = await machine.job(complete);
    const [song] = songs as { song_id: string; name: string }[];
    const [card] = await machine.sql<{ path: string }[]>`
      select songs -> 0 ->> 'path' as path from public.mashup_jobs where id = ${complete}`;
    assert.ok(song && card);
    const bySong = { audio_url: 'https://elsewhere.test/a.wav', job_id: `${complete}/${song.song_id}`, parts: true };
    const byUrl = { audio_url: url(card.path), job_id: complete, parts: true };
    for (const as of [fixture.keys.serviceRoleKey, fixture.keys.secretKey, visitor.token]) {
      for (const lookup of [bySong, byUrl]) {
        const { status, body } = await request(lookup, as);
        assert.equal(status, 200, JSON.stringify(body));
        const answer = StemAnswer.parse(body);
        assert.equal(answer.job_id, lookup.job_id);
        const folder: RegExp = new RegExp(`^stems/${visitor.id}/${complete}/${song.song_id}/[^/]+/`);
        assert.match(String(answer.stems.vocals), folder);
        assert.deepEqual(
          ['vocals', 'drums']
            .flatMap((stem) => filesOf(answer.stems[stem as 'vocals' | 'drums']))
            .map((path): string => path.replace(folder, '')),
          ['vocals.wav', 'drums.1.flac', 'drums.2.flac'],
        );
      }
    }
  });

  test('a caller that does not join parts gets no stem of which a part would be missing', async () => {
    const { songs } = await machine.job(complete);
    const job_id = `${complete}/${songs[0]?.song_id}`;
    const refused = await request({ audio_url: 'x', job_id }, fixture.keys.serviceRoleKey);
    assert.deepEqual([refused.status, refused.body.code], [409, 'stems_in_parts']);
    assert.match(String(refused.body.hint), /"parts": true/);
    await machine.sql`update mashup.stems set paths = jsonb_set(paths, '{drums}', '"one.flac"')`;
    const { status, body } = await request({ audio_url: 'x', job_id }, fixture.keys.serviceRoleKey);
    assert.deepEqual([status, StemAnswer.parse(body).stems.drums], [200, 'one.flac']);
  });

  test('refuses with a code for each missing thing', async () => {
    const early = await jobUpTo('separate');
    const { songs } = await machine.job(early);
    const cases: [body: object, as: string, status: number, code: string][] = [
      [{ audio_url: 'x', job_id: '../../etc' }, fixture.keys.serviceRoleKey, 400, 'invalid_request'],
      [{ job_id: complete }, fixture.keys.serviceRoleKey, 400, 'invalid_request'],
      [{ audio_url: url('uploads/x/y.mp3'), job_id: complete }, fixture.keys.serviceRoleKey, 404, 'song_not_found'],
      [{ audio_url: 'x', job_id: `${complete}/nobody` }, visitor.token, 404, 'song_not_found'],
      [{ audio_url: 'x', job_id: randomUUID() }, fixture.keys.serviceRoleKey, 404, 'job_not_found'],
      [{ audio_url: 'x', job_id: `${complete}/a` }, stranger.token, 404, 'job_not_found'],
      [{ audio_url: 'x', job_id: `${early}/${songs[0]?.song_id}` }, visitor.token, 409, 'stems_not_ready'],
    ];
    for (const [body, as, status, code] of cases) {
      const refused = await request(body, as);
      assert.equal(refused.status, status, JSON.stringify(refused.body));
      assert.equal(ErrorBody.parse(refused.body).code, code);
      assert.doesNotMatch(JSON.stringify(refused.body), /token=/);
    }
    await cancel(early);
  });
});
