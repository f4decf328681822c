/** A recording that is in a job twice, as other bytes, is noticed by its fingerprint. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fingerprintDifference, isSameRecording } from '../../music/theory/fingerprint.ts';
import { sampleResult } from '../support/sample-results.ts';
import { type Machine, useMachine } from './state-machine-fixture.ts';

const BYTES = Array.from({ length: 100 }, (_, i) => (i * 73 + 11) % 256);
const fingerprint = (bytes: readonly number[]): string => Buffer.from(bytes).toString('base64');
/** The fingerprint with `bits` of its 800 bits inverted. */
const withBitsInverted = (bits: number): string =>
  fingerprint(BYTES.map((byte, i) => byte ^ (0xff >> (8 - Math.min(8, Math.max(0, bits - 8 * i))))));

type Claimed = NonNullable<Awaited<ReturnType<Machine['claimNext']>>>;
const resultWith = (task: Claimed, print: string): object => ({
  ...sampleResult(task),
  analysis: { version: 'test', fingerprint: print },
});

/** Finishes the analyses of a job's songs with these fingerprints, which all have `name` if there is one. Returns the last outcome and the job's id. */
async function analyzeSongs(
  m: Machine,
  prints: readonly string[],
  name?: string,
): Promise<{ outcome: string; id: string }> {
  const worker = await m.worker();
  await m.sql`update mashup.settings set value = '{"analysis": 9}' where name = 'service_limits'`;
  const id = await m.submit(await m.user(), prints.length);
  if (name !== undefined) {
    const named = m.sql`(select jsonb_agg(song || ${m.sql.json({ name })}) from jsonb_array_elements(songs) song)`;
    await m.sql`update mashup_jobs set songs = ${named} where id = ${id}`;
  }
  let outcome = '';
  for (const print of prints) {
    const task = await m.claimNext(worker, id);
    assert.ok(task?.kind === 'analyze');
    outcome = await m.finish(task, resultWith(task, print));
  }
  return { outcome, id };
}

describe('the same recording in two encodings', () => {
  it('ends the job as equal bytes do', async (t) => {
    const m = await useMachine(t);
    const { outcome, id } = await analyzeSongs(m, [fingerprint(BYTES), withBitsInverted(40)]);
    assert.equal(outcome, 'failed');
    const [job] = await m.sql`select stage, error_code, error_message from mashup_jobs where id = ${id}`;
    assert.equal(job?.['stage'], 'failed');
    assert.equal(job['error_code'], 'same_song_twice');
    assert.match(String(job['error_message']), /the same recording as .*, in another encoding\./);
  });

  it('is told without the name of the other song where both have one name', async (t) => {
    const m = await useMachine(t);
    const { id } = await analyzeSongs(m, [fingerprint(BYTES), withBitsInverted(40)], 'Halo');
    const [job] = await m.sql`select error_message from mashup_jobs where id = ${id}`;
    assert.match(String(job?.['error_message']), /the same recording as another of the songs, in another encoding\./);
  });

  it('is left out while two other songs remain', async (t) => {
    const m = await useMachine(t);
    const other = fingerprint(BYTES.map((byte) => byte ^ 0x5a));
    const { id } = await analyzeSongs(m, [fingerprint(BYTES), other, withBitsInverted(40)]);
    const [job] = await m.sql`select stage, warnings from mashup_jobs where id = ${id}`;
    assert.notEqual(job?.['stage'], 'failed');
    assert.match(JSON.stringify(job?.['warnings']), /was left out: This is the same recording/);
  });

  it('is not seen in two different recordings, nor without a fingerprint', async (t) => {
    const m = await useMachine(t);
    const { outcome } = await analyzeSongs(m, [fingerprint(BYTES), withBitsInverted(120)]);
    assert.equal(outcome, 'finished');
  });

  it('is not seen in texts of another service that are no fingerprints', async (t) => {
    const m = await useMachine(t);
    const { outcome } = await analyzeSongs(m, ['sha256: 0', 'AAA']);
    assert.equal(outcome, 'finished');
  });

  it('is decided by one rule in SQL and in TypeScript', async (t) => {
    const m = await useMachine(t);
    const first = fingerprint(BYTES);
    const others = [0, 71, 72, 73, 400].map(withBitsInverted);
    others.push(
      ...[4, 5, 20, 100].map((cut) => fingerprint(BYTES.slice(0, -cut))),
      '',
      fingerprint(BYTES.slice(0, 10)),
    );
    for (const second of others) {
      const [row] = await m.sql`select mashup.is_same_recording(${first}, ${second}) as same`;
      const difference = fingerprintDifference(first, second);
      assert.equal(row?.['same'], isSameRecording(first, second), `difference ${difference}`);
    }
  });
});
