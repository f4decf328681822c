/**
 * Runs the tests: one Postgres for all of them, each file a process of its own, two at a time.
 *
 *   node tests/run.ts [--deep] [path or part of a path …]
 *
 * Files ending in `.deep.test.ts` are attacks that take minutes; they run with --deep only, and then alone.
 */
import { spawn } from 'node:child_process';
import { glob } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startTestCluster } from './support/postgres.ts';

const ROOT = join(import.meta.dirname, '..');
const CONCURRENCY = 2;
/** Limits for one test, and for a whole file with all of its hooks. */
const TEST_TIMEOUT_SEC = 300;
const FILE_DEADLINE_SEC = 420;
const DEEP_FILE_DEADLINE_SEC = 3 * 3_600;

const deep = process.argv.includes('--deep');
const wanted = process.argv.slice(2).filter((argument) => argument !== '--deep');

const files: string[] = [];
for await (const file of glob('tests/**/*.test.ts', { cwd: ROOT })) {
  const isDeep = file.endsWith('.deep.test.ts');
  if (isDeep === deep && (wanted.length === 0 || wanted.some((part) => relative('.', file).includes(part))))
    files.push(file);
}
files.sort();
if (files.length === 0) {
  console.error(`No test file matches ${wanted.join(', ')}. The files are tests/**/*.test.ts.`);
  process.exit(1);
}

const cluster = await startTestCluster();
const runner = spawn(
  process.execPath,
  [
    '--import',
    pathToFileURL(join(ROOT, 'tests/support/deadline.ts')).href,
    '--test',
    `--test-concurrency=${CONCURRENCY}`,
    `--test-timeout=${TEST_TIMEOUT_SEC * 1_000}`,
    '--test-reporter=spec',
    ...files,
  ],
  {
    cwd: ROOT,
    stdio: 'inherit',
    env: {
      ...process.env,
      ...cluster.env,
      TEST_FILE_DEADLINE_SEC: String(deep ? DEEP_FILE_DEADLINE_SEC : FILE_DEADLINE_SEC),
    },
  },
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => runner.kill(signal));
const code = await new Promise<number>((resolve) => runner.on('exit', (exit) => resolve(exit ?? 1)));
await cluster.stop();
process.exit(code);
