import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { fuzz } from './fuzz.ts';
import { startAccessFixture } from './access-fixture.ts';

const access = await startAccessFixture({ after });

test('500 generated requests get handled responses, change no data of others and disclose nothing', async () => {
  const statuses = await fuzz(access, 500);
  assert.ok(
    [400, 401, 404].every((status) => statuses.has(status)) && [200, 204].some((status) => statuses.has(status)),
    [...statuses].join(' '),
  );
});
