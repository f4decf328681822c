/**
 * Loaded into the process of each test file by `tests/run.ts`. A file that hangs (a hook that never ends, a socket that is
 * still open) fails with a list of its open resources, instead of blocking the whole run. The duration of each file is recorded.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { isMainThread } from 'node:worker_threads';

const DEADLINE_SEC = Number(process.env['TEST_FILE_DEADLINE_SEC']);

if (DEADLINE_SEC > 0 && process.env['NODE_TEST_CONTEXT'] !== undefined) {
  setTimeout(() => {
    const open = process.getActiveResourcesInfo().filter((name) => name !== 'Timeout');
    console.error(`${process.argv[1]}: not done after ${DEADLINE_SEC} s; still open: ${open.join(', ') || 'nothing'}`);
    process.exit(1);
  }, DEADLINE_SEC * 1_000).unref();
}

const timesFile = process.env['TEST_TIMES_FILE'];
if (timesFile && isMainThread && process.env['NODE_TEST_CONTEXT'] !== undefined) {
  process.once('exit', () => {
    const file = relative(process.cwd(), process.argv[1] ?? '');
    const { user, system } = process.cpuUsage();
    const cpuSec = (user + system) / 1e6 + cpuSecOfChildren();
    appendFileSync(timesFile, `${performance.now() / 1_000} ${cpuSec} ${file}\n`);
  });
}

/** Processor time of the processes that this one started and that have ended. 0 where the system does not tell it. */
function cpuSecOfChildren(): number {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8');
    // After the name in parentheses: state is the third field of proc(5), times of children are fields 16 and 17, in 1/100 s.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[13]) + Number(fields[14])) / 100;
  } catch {
    return 0;
  }
}
