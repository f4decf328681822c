/** Errors of the database as the client gives them to users. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromDatabaseError } from '@mashup-engine/client';

test('texts and ids that Postgres cannot read are named without its own words', () => {
  for (const [code, message] of [
    ['22P05', 'unsupported Unicode escape sequence'],
    ['22021', 'invalid byte sequence for encoding "UTF8": 0x00'],
    ['22P02', 'invalid input syntax for type uuid: "x"'],
  ] as const) {
    const error = fromDatabaseError({ code, message }, 400);
    assert.equal(error.code, 'invalid_request');
    assert.equal(error.message, 'The request has a value that cannot be used.');
    assert.equal(error.hint, 'Leave out control characters, and check ids and numbers.');
    assert.equal(error.details, message);
  }
});
