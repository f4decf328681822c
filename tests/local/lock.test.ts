import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataPaths } from '../../local/index.ts';
import { lockDataDir } from '../../local/state.ts';
import { scratchDir } from './local-fixture.ts';

test('a stack that has not started yet is not called a running one', async (t) => {
  const paths = dataPaths(await scratchDir(t));
  const planned = { apiUrl: 'http://127.0.0.1:1', dbUrl: 'postgres://127.0.0.1:2/postgres' };
  await lockDataDir(paths, planned);
  await assert.rejects(lockDataDir(paths, planned), {
    code: 'already_running',
    message: new RegExp(`^a stack is starting or stopping here \\(process ${process.pid}\\): API http`),
    hint: /^Try again when it is ready or has ended/,
  });
});
