import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Claim } from '../../worker/database/database-api.ts';

test('an option of a job that the worker cannot read does not take the others with it', () => {
  const good = {
    format: 'mp3',
    length: 'full',
    length_sec: 90,
    wishes: 'more bass',
    roles: { sings: 'a' },
    separation: 'classical',
    studio_version: false,
  };
  const { options } = Claim.shape;
  assert.deepEqual(options.parse(good), good);
  for (const name of Object.keys(good)) {
    const { [name]: _, ...rest } = good as Record<string, unknown>;
    const read = JSON.parse(JSON.stringify(options.parse({ ...rest, [name]: ['odd'] })));
    assert.deepEqual(read, rest, name);
  }
});
