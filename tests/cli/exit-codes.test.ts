/** A fault of songs or words has one exit code, whether the command, a function or a task finds it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MashupClientError, toMashupJob } from '@mashup-engine/client';
import { errorLine, toCliError } from '../../cli/errors.ts';
import { assertComplete } from '../../cli/job-outcome.ts';

const ID = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';

/** The exit code of a command whose job failed with a code. */
function exitCodeOfJob(code: string): number {
  const job = toMashupJob({ id: ID, status: 'failed', error_code: code, error_message: 'No.', error_hint: null });
  try {
    assertComplete(job, ID);
  } catch (error) {
    return toCliError(error).exitCode;
  }
  return 0;
}

describe('exit codes', () => {
  for (const code of ['same_song_twice', 'audio_silent', 'own_stems_mismatch', 'wish_not_understood'])
    it(`${code} is 2, in an answer and as the end of a job`, () => {
      assert.equal(toCliError(new MashupClientError(code, 'No.', { hint: 'Do.' })).exitCode, 2);
      assert.equal(exitCodeOfJob(code), 2);
    });

  for (const code of ['service_failed', 'audio_needs_ffmpeg', 'queue_full'])
    it(`${code} is 1: other songs or words do not help`, () => {
      assert.equal(toCliError(new MashupClientError(code, 'No.', { hint: 'Do.' })).exitCode, 1);
      assert.equal(exitCodeOfJob(code), 1);
    });

  it('details are a sentence of their own, or stand in parentheses', () => {
    const line = (details: string): string =>
      errorLine(toCliError(new MashupClientError('x', 'Nothing was understood', { hint: 'Say more.', details })));
    assert.equal(line('Not understood: "x".'), 'Nothing was understood. Not understood: "x". Say more.');
    assert.equal(line('code 7'), 'Nothing was understood (code 7). Say more.');
  });
});
