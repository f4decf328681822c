/** Errors of the database as the client gives them to users. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromDatabaseError } from '@mashup-engine/client';

test('texts and values that Postgres cannot read are told without its own words', () => {
  const text = 'The request has a text with characters that cannot be stored. Leave out control characters.';
  const value = 'The request has a value that cannot be used. Check ids, numbers and dates.';
  for (const [code, message, expected] of [
    ['22P05', 'unsupported Unicode escape sequence', text],
    ['22021', 'invalid byte sequence for encoding "UTF8": 0x00', text],
    ['22P02', 'invalid input syntax for type uuid: "x"', value],
  ] as const) {
    const error = fromDatabaseError({ code, message }, 400);
    assert.equal(error.code, 'invalid_request');
    assert.equal(`${error.message} ${error.hint}`, expected);
    assert.equal(error.details, message);
  }
});
