/** Versions of a mashup sound in the keys in which the render of the one before put its songs. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { wavFile } from '../worker/wav-file.ts';
import { useWorkerFixture } from '../worker/worker-fixture.ts';
import type { Behaviour } from './replay-server.ts';

const fixture = await useWorkerFixture({ after });
const songs = [await fixture.upload('a.wav', wavFile(120, 1)), await fixture.upload('b.wav', wavFile(120, 2))];
await fixture.startWorker();

const RESULT = {
  duration_sec: 2,
  loudness_lufs: -14,
  true_peak_dbtp: -1,
  sample_rate: 44_100,
  channels: 2,
  format: 'wav',
  bytes: 1_000,
  bpm: 120,
};
/** Two shifts that are not those by the keys of the songs. */
const SHIFTS = { 'song-1': 3, 'song-2': -1 };
const refused: Behaviour = {
  status: 422,
  contentType: 'application/json',
  body: { detail: 'Claude refused.', code: 'claude_refused', hint: 'h' },
};

/** Makes a version, or the first mashup, that is planned by rules. Returns its id, and the plan that was sent to the renderer. */
async function make(
  parent?: string,
  feedback = '',
  shifts: object = SHIFTS,
): Promise<{ id: string; sent: Record<string, unknown> }> {
  fixture.services.next('orchestrator', refused);
  fixture.services.next('processing', {
    result: { ...RESULT, key: 'F# major', as_rendered: { sections: [], shifts } },
  });
  const id = parent === undefined ? await fixture.submit(songs) : await fixture.iterate(parent, feedback);
  assert.equal((await fixture.untilEnded(id)).stage, 'complete');
  const body = fixture.services.callsOf('processing').at(-1)?.body as {
    masterplan: { global_settings: Record<string, unknown> };
  };
  return { id, sent: body.masterplan.global_settings };
}

test('a version starts with the shifts of its parent, and moves them with the key', async () => {
  const first = await make();
  assert.equal(first.sent['shifts'], undefined);
  const louder = await make(first.id, '5 dB louder bass');
  assert.equal(louder.sent['targetKey'], 'F# major');
  assert.deepEqual(louder.sent['shifts'], SHIFTS);
  const higher = await make(louder.id, 'one semitone higher');
  assert.equal(higher.sent['targetKey'], 'G major');
  assert.deepEqual(higher.sent['shifts'], { 'song-1': 4, 'song-2': 0 });
});

test('what a service reports as a shift and is none is left out of the plan', async () => {
  const { id } = await make(undefined, '', { 'song-1': 0.5, 'song-2': 2, other: 1 });
  const [row] = await fixture.sql`
    select plan #> '{masterplan,global,shifts}' as shifts from mashup_results where job_id = ${id}`;
  assert.deepEqual(row?.['shifts'], { 'song-2': 2 });
});
