/**
 * Runs the tests: each file in a process of its own, several at a time, on one Postgres for all of them.
 *
 *   node tests/run.ts [--unit | --long | --deep | --neural] [path or part of a path …]
 *
 * --unit  only files that start no process and open no connection (tests/support/unit.ts); no Postgres is started
 * --long  only files ending in `.long.test.ts`: attacks, random sequences, hard material and whole programs
 * --deep  only files ending in `.deep.test.ts`, whose tests take minutes
 * --neural  only those of tests/neural/, which install a separation model first; no Postgres is started
 */
import { glob, mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { pathToFileURL } from 'node:url';
import { COMPILE_CACHE } from '../local/layout.ts';
import { installForTests } from './neural/installed-models.ts';
import { startTestCluster } from './support/postgres.ts';
import { isUnitTest } from './support/unit.ts';

const ROOT = join(import.meta.dirname, '..');
/** Files at a time. More than cores would slow each other down: tests of outages and leases then come near their time limits. */
const CONCURRENCY = Math.min(4, Math.max(2, availableParallelism()));
/** Started first, so that none of them runs alone at the end. */
const LONG_FILES = [
  'tests/studio/operator',
  'tests/studio/studio',
  'tests/studio/failures',
  'tests/e2e/',
  'tests/chaos/',
  'tests/audio-out/render.test',
  'tests/plans-render/',
  'tests/worker/',
  'tests/studio/',
  'tests/model/',
  'tests/local/stack',
];
/**
 * Files whose tests wait for leases, outages and back-offs most of the time: they use a tenth of a core. They run one at a time beside the
 * others, in a lane of their own, since in the common ones they would keep a core idle.
 */
const WAITING_FILES = [
  'tests/model/state-machine',
  'tests/model/circuit-regressions',
  'tests/gateway/realtime.test',
  'tests/worker/recovery',
  'tests/worker/outages',
  'tests/worker/read-only-spells',
  'tests/worker/storage-outage',
  'tests/worker/silent-services',
  'tests/worker/half-open',
  'tests/state-machine/recovery',
  'tests/state-machine/install',
  'tests/state-machine/migrate-under-load',
  'tests/client/follow-job',
];
/**
 * Files whose tests look at pages of a stack, and wait for both half of the time. They run one at a time beside the others as well: together they
 * use one core.
 */
const PAGE_FILES = ['tests/studio/operator', 'tests/studio/studio', 'tests/studio/failures'];
/** Limits for one test, and for a whole file with all of its hooks. */
const TEST_TIMEOUT_SEC = 300;
const DEEP_TEST_TIMEOUT_SEC = 3_600;
const FILE_DEADLINE_SEC = 900;
const DEEP_FILE_DEADLINE_SEC = 3 * 3_600;
/** Tests of separation by a model, which a run of its own installs. */
const NEURAL_FOLDER = 'tests/neural/';
/** Longest report of a lane that is held in memory. */
const REPORT_BYTES = 64 * 1024 * 1024;
/** Number of files in the list at the end of a run. */
const SLOWEST = 25;

type Kind = 'usual' | 'unit' | 'long' | 'deep' | 'neural';

/** Kind of a file by its name; unit tests are usual files. */
function kindOf(file: string): Exclude<Kind, 'unit'> {
  if (file.startsWith(NEURAL_FOLDER)) return 'neural';
  if (file.endsWith('.deep.test.ts')) return 'deep';
  return file.endsWith('.long.test.ts') ? 'long' : 'usual';
}

/** Test files of a kind whose path contains one of the given parts, long ones first. */
async function findFiles(kind: Kind, parts: string[]): Promise<string[]> {
  const files: string[] = [];
  const cache = new Map<string, Promise<string[]>>();
  for await (const found of glob('tests/**/*.test.ts', { cwd: ROOT })) {
    const file = found.replaceAll('\\', '/');
    if (kindOf(file) !== (kind === 'unit' ? 'usual' : kind)) continue;
    if (parts.length > 0 && !parts.some((part) => file.includes(part))) continue;
    if (kind === 'unit' && !(await isUnitTest(join(ROOT, file), cache))) continue;
    files.push(file);
  }
  const order = (file: string): number => LONG_FILES.findIndex((prefix) => file.startsWith(prefix)) + 1 || Infinity;
  return files.sort((a, b) => order(a) - order(b) || a.localeCompare(b));
}

/** Starts the files of a lane. Returns their report as text, and whether a test has failed so far. */
function runLane(
  { files, concurrency }: { files: string[]; concurrency: number },
  timeoutSec: number,
  signal: AbortSignal,
): { report: PassThrough; failed: () => boolean } {
  // `node --test` would sort the files by name, so that long ones run alone at the end.
  const events = run({
    files: files.map((file) => join(ROOT, file)),
    concurrency,
    timeout: timeoutSec * 1_000,
    execArgv: ['--import', pathToFileURL(join(ROOT, 'tests/support/deadline.ts')).href],
    signal,
  });
  let hasFailed = false;
  events.on('test:fail', ({ todo }) => {
    if (todo === undefined || todo === false) hasFailed = true;
  });
  // Holds the whole report, so that a lane never waits for its reader.
  const report = new PassThrough({ highWaterMark: REPORT_BYTES });
  events.compose(spec).pipe(report);
  return { report, failed: () => hasFailed };
}

/**
 * Runs the files with Node's test runner.
 * @param timesFile file to which each test process appends its duration
 * @returns the exit code
 */
async function runFiles(files: string[], kind: Kind, timesFile: string): Promise<number> {
  // A model takes minutes on a busy machine.
  const isLong = kind === 'deep' || kind === 'neural';
  const cluster = kind === 'unit' || kind === 'neural' ? undefined : await startTestCluster();
  const removeModels = kind === 'neural' ? await installForTests() : undefined;
  // Texts are compared without colors, which a terminal, FORCE_COLOR or CI would otherwise turn on.
  Reflect.deleteProperty(process.env, 'FORCE_COLOR');
  Object.assign(process.env, cluster?.env, {
    NO_COLOR: '1',
    // The hundreds of processes of a run start in half the time.
    NODE_COMPILE_CACHE: COMPILE_CACHE,
    TEST_TIMES_FILE: timesFile,
    TEST_FILE_DEADLINE_SEC: String(isLong ? DEEP_FILE_DEADLINE_SEC : FILE_DEADLINE_SEC),
  });
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
  const isOneOf = (parts: string[], file: string): boolean => parts.some((part) => file.startsWith(part));
  const ownLanes = [PAGE_FILES, WAITING_FILES];
  const lanes = [
    // A model takes all cores, and more than a gigabyte.
    {
      files: files.filter((file) => !ownLanes.some((parts) => isOneOf(parts, file))),
      concurrency: kind === 'neural' ? 1 : CONCURRENCY,
    },
    ...ownLanes.map((parts) => ({ files: files.filter((file) => isOneOf(parts, file)), concurrency: 1 })),
  ].filter((lane) => lane.files.length > 0);
  const reports = lanes.map((lane) => runLane(lane, isLong ? DEEP_TEST_TIMEOUT_SEC : TEST_TIMEOUT_SEC, stop.signal));
  let hasFailed = false;
  for (const { report, failed } of reports) {
    // One after the other: each keeps its text until it is read.
    for await (const text of report) process.stdout.write(String(text));
    hasFailed ||= failed();
  }
  await cluster?.stop();
  await removeModels?.();
  return stop.signal.aborted || hasFailed ? 1 : 0;
}

/** Prints the files that took longest. */
async function printSlowest(timesFile: string, count: number): Promise<void> {
  const times = (await readFile(timesFile, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
    .sort((a, b) => Number(b[0]) - Number(a[0]));
  console.log(`\nSlowest of ${count} files: seconds, and seconds of processor time with all ended children`);
  const sumOf = (column: number): string => times.reduce((sum, line) => sum + Number(line[column]), 0).toFixed(0);
  console.log(`${sumOf(0).padStart(8)} ${sumOf(1).padStart(8)}  all files`);
  for (const [seconds, cpu, file] of times.slice(0, SLOWEST))
    console.log(`${Number(seconds).toFixed(1).padStart(8)} ${Number(cpu).toFixed(1).padStart(8)}  ${file}`);
}

const options = new Set(process.argv.slice(2).filter((argument) => argument.startsWith('--')));
const parts = process.argv.slice(2).filter((argument) => !options.has(argument));
const kind: Kind = (['unit', 'long', 'deep', 'neural'] as const).find((name) => options.has(`--${name}`)) ?? 'usual';
const files = await findFiles(kind, parts);
if (files.length === 0) {
  console.error(`No test file matches ${parts.join(', ')}. The files are tests/**/*.test.ts.`);
  process.exit(1);
}
const notes = await mkdtemp(join(tmpdir(), 'mashup-tests-'));
const timesFile = join(notes, 'times');
const code = await runFiles(files, kind, timesFile);
await printSlowest(timesFile, files.length);
await rm(notes, { recursive: true });
process.exit(code);
