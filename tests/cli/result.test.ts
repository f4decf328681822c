import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toMashupJob, type MashupJob } from '@mashup-engine/client';
import type { PlanOutcome } from '../../cli/plan-outcome.ts';
import { exitCodeOf, resultLines } from '../../cli/result.ts';

const job = (passed: boolean | undefined, warnings: { code: string; message: string }[]): MashupJob =>
  toMashupJob({
    title: 'Test',
    concept: null,
    parent_id: null,
    songs: [
      { song_id: 'a', name: 'Drive', warnings: ['One channel is inverted: it was turned over.'] },
      { song_id: 'b', name: 'Kites' },
    ],
    warnings: warnings.map((warning) => ({ ...warning, stage: 'rendering' })),
    result: {
      duration_sec: 75,
      loudness_lufs: -14,
      true_peak_dbtp: -1,
      format: 'wav',
      bytes: 5,
      bpm: 120,
      key: 'Bb minor',
      ...(passed === undefined ? {} : { quality: { passed } }),
    },
  });
const fault = {
  code: 'quality_check_failed',
  message: 'The voice does not fit the notes under it (0.2; at least 0.6).',
};
const note = { code: 'render_note', message: 'Section 1 paused for too long.' };
const nothing: PlanOutcome = { changes: null, wishes: null };
const textOf = (shown: MashupJob, outcome = nothing): string =>
  resultLines(shown, 'out.wav', outcome)
    .join('\n')
    .replace(/\x1b\[\d+m/g, '');

test('a mashup that fails quality checks is delivered with warnings, each as a sentence', () => {
  const text = textOf(job(false, [fault, note]));
  assert.match(text, /Key +B♭ minor \(3A\)/);
  assert.match(text, /✗ The voice does not fit .*\n! Section 1 .*\n! Drive: One channel is inverted/);
  assert.match(text, /delivered with warnings/);
  assert.doesNotMatch(textOf(job(true, [note])), /delivered with warnings|✗/);
});

test('a result names what separated its songs: once if it is the same for all', () => {
  const shown = job(true, []);
  const separated = (b: { model: string; method: 'neural' | 'own' }): string => {
    shown.result!.separation = { a: { model: 'htdemucs-da9e5101', method: 'neural' }, b };
    return textOf(shown);
  };
  assert.match(
    separated({ model: 'htdemucs-da9e5101', method: 'neural' }),
    /^Separation +htdemucs-da9e5101 \(neural\)$/m,
  );
  assert.match(
    separated({ model: 'own', method: 'own' }),
    /^Separation +Drive: htdemucs-da9e5101 \(neural\), Kites: stems of your own$/m,
  );
  assert.doesNotMatch(textOf(job(true, [])), /Separation/);
});

test('the exit code of make is 0 for a delivered mashup, and 3 with --strict if it fails quality checks', () => {
  const faulty = job(false, [fault]);
  assert.deepEqual([exitCodeOf(faulty, false), exitCodeOf(faulty, true)], [0, 3]);
  assert.equal(exitCodeOf(job(true, [note]), true), 0);
  assert.equal(exitCodeOf(job(undefined, []), true), 0);
});

test('a result names the wishes that are done, and of a version what differs from the one before', () => {
  const outcome: PlanOutcome = {
    changes: 'The bass of "Drive" is 2.5 dB louder.',
    wishes: {
      understood: [
        { kind: 'edge_part', edge: 'start', how: 'only', stem: 'vocals' },
        { kind: 'tempo', change: 'faster' },
      ],
      not_understood: [],
      cannot: ['Not in this plan: faster.'],
      not_done: [{ index: 1, reason: '' }],
    },
  };
  const first = textOf(job(true, []), outcome);
  assert.match(first, /^✓ Done: start with vocals alone$/m);
  assert.doesNotMatch(first, /Done: faster|Changed/);
  const version = textOf({ ...job(true, []), parentId: 'x' }, outcome);
  assert.match(version, /^Changed in this version: The bass of "Drive" is 2\.5 dB louder\.$/m);
  assert.doesNotMatch(textOf(job(true, [])), /Done|Changed/);
});
