/**
 * Runs the tests: one Postgres for all of them, each file a process of its own, some at a time.
 *
 *   node tests/run.ts [--deep] [path or part of a path …]
 *
 * Files ending in `.deep.test.ts` are attacks that take minutes; they run with --deep only, and then alone.
 */
import { spawn } from 'node:child_process';
import { glob, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startTestCluster } from './support/postgres.ts';

const ROOT = join(import.meta.dirname, '..');
const CONCURRENCY = 2;
/** Begun first, so that none of them is left to run alone at the end. */
const LONG_FILES = ['tests/studio/', 'tests/model/state-machine', 'tests/chaos/', 'tests/e2e/'];
/** Limits for one test, and for a whole file with all of its hooks. */
const TEST_TIMEOUT_SEC = 300;
const DEEP_TEST_TIMEOUT_SEC = 3_600;
const FILE_DEADLINE_SEC = 420;
const DEEP_FILE_DEADLINE_SEC = 3 * 3_600;
/** Files named at the end of a run. */
const SLOWEST = 25;

const deep = process.argv.includes('--deep');
const wanted = process.argv.slice(2).filter((argument) => argument !== '--deep');

const files: string[] = [];
for await (const file of glob('tests/**/*.test.ts', { cwd: ROOT })) {
  const isDeep = file.endsWith('.deep.test.ts');
  if (isDeep === deep && (wanted.length === 0 || wanted.some((part) => relative('.', file).includes(part))))
    files.push(file);
}
const lengthOf = (file: string): number => LONG_FILES.findIndex((prefix) => file.startsWith(prefix)) + 1 || Infinity;
files.sort((a, b) => lengthOf(a) - lengthOf(b) || a.localeCompare(b));
if (files.length === 0) {
  console.error(`No test file matches ${wanted.join(', ')}. The files are tests/**/*.test.ts.`);
  process.exit(1);
}

const cluster = await startTestCluster();
const notes = await mkdtemp(join(tmpdir(), 'mashup-tests-'));
const timesFile = join(notes, 'times');
const runner = spawn(
  process.execPath,
  [
    '--import',
    pathToFileURL(join(ROOT, 'tests/support/deadline.ts')).href,
    '--test',
    `--test-concurrency=${CONCURRENCY}`,
    `--test-timeout=${(deep ? DEEP_TEST_TIMEOUT_SEC : TEST_TIMEOUT_SEC) * 1_000}`,
    '--test-reporter=spec',
    ...files,
  ],
  {
    cwd: ROOT,
    stdio: 'inherit',
    env: {
      ...process.env,
      ...cluster.env,
      TEST_TIMES_FILE: timesFile,
      TEST_FILE_DEADLINE_SEC: String(deep ? DEEP_FILE_DEADLINE_SEC : FILE_DEADLINE_SEC),
    },
  },
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => runner.kill(signal));
const code = await new Promise<number>((resolve) => runner.on('exit', (exit) => resolve(exit ?? 1)));
await cluster.stop();
await tellSlowest();
await rm(notes, { recursive: true });
process.exit(code);

/** What to look at first when the run gets too long. */
async function tellSlowest(): Promise<void> {
  const times = (await readFile(timesFile, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
    .sort((a, b) => Number(b[0]) - Number(a[0]));
  console.log(`\nSlowest of ${files.length} files: seconds, and seconds of processor time in the file's own process`);
  for (const [seconds, cpu, file] of times.slice(0, SLOWEST))
    console.log(`${Number(seconds).toFixed(1).padStart(8)} ${Number(cpu).toFixed(1).padStart(8)}  ${file}`);
}
