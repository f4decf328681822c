/**
 * Loaded into each test file's process by `tests/run.ts`: a file that hangs (a hook that never ends, a socket that was left
 * open) ends with an error that says what keeps it, instead of holding up the whole run. How long each took is noted.
 */
import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';
import { isMainThread } from 'node:worker_threads';

const DEADLINE_SEC = Number(process.env['TEST_FILE_DEADLINE_SEC']);

if (DEADLINE_SEC > 0 && process.env['NODE_TEST_CONTEXT'] !== undefined) {
  setTimeout(() => {
    const held = process.getActiveResourcesInfo().filter((name) => name !== 'Timeout');
    console.error(`${process.argv[1]}: not done after ${DEADLINE_SEC} s; still open: ${held.join(', ') || 'nothing'}`);
    process.exit(1);
  }, DEADLINE_SEC * 1_000).unref();
}

const timesFile = process.env['TEST_TIMES_FILE'];
if (timesFile && isMainThread && process.env['NODE_TEST_CONTEXT'] !== undefined) {
  process.once('exit', () => {
    const file = relative(process.cwd(), process.argv[1] ?? '');
    appendFileSync(timesFile, `${performance.now() / 1_000} ${process.cpuUsage().user / 1e6} ${file}\n`);
  });
}
