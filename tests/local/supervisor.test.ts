import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { PartFailedError } from '../../local/index.ts';
import { isAlive } from '../../local/processes.ts';
import { openLogFile } from '../../local/supervisor/log-file.ts';
import { supervise } from '../../local/supervisor/supervise.ts';
import type { PartSpec } from '../../local/supervisor/supervise.ts';
import { runElsewhere, scratchDir, until } from './scratch.ts';

const LOCAL = join(import.meta.dirname, '../../local');
const DIE_WITH_PARENT = join(LOCAL, 'supervisor/die-with-parent.ts');
const QUIET = { log: () => {}, changed: () => {} };

/** A part that runs some lines of JavaScript and is ready when it has printed something. */
async function partOf(directory: string, code: string, name = 'part'): Promise<PartSpec> {
  const script = join(directory, `${name}.mjs`);
  const logFile = join(directory, `${name}.log`);
  await writeFile(script, code);
  return {
    name,
    command: process.execPath,
    args: ['--import', DIE_WITH_PARENT, script],
    env: process.env,
    cwd: directory,
    logFile,
    isReady: async (pid) => (await readFile(logFile, 'utf8')).includes(`ready ${pid}`),
    readyTimeoutMs: 10_000,
    stopTimeoutMs: 500,
  };
}

test('a part that is killed is started again, and stopping it ends that', async (t) => {
  const directory = await scratchDir(t);
  const told: string[] = [];
  const spec = await partOf(directory, 'console.log("ready", process.pid); setInterval(() => {}, 1000);');
  const part = await supervise(spec, { log: (line) => told.push(line), changed: () => {} });
  t.after(() => part.stop());
  const first = part.pid();
  assert.ok(first !== undefined);
  process.kill(first, 'SIGKILL');
  await until('it runs again', () => part.pid() !== undefined && part.pid() !== first);
  assert.equal(part.restarts(), 1);
  assert.match(told.join(), /SIGKILL.*starting it again/);
  const second = part.pid();
  await part.stop();
  assert.equal(part.pid(), undefined);
  assert.ok(second !== undefined && !isAlive(second));
});

test('a part that never starts is an error with its last words', async (t) => {
  const directory = await scratchDir(t);
  const spec = await partOf(directory, 'console.error("the cellar is flooded"); process.exit(3);');
  await assert.rejects(supervise(spec, QUIET), (error: unknown) => {
    assert.ok(error instanceof PartFailedError);
    assert.match(error.message, /ended 3 times.*the cellar is flooded/);
    return true;
  });
});

test('a part that ignores SIGTERM is killed with the processes it started', async (t) => {
  const directory = await scratchDir(t);
  const spec = await partOf(
    directory,
    `import { spawn } from 'node:child_process';
     process.on('SIGTERM', () => {});
     const child = spawn('sleep', ['600']);
     console.log('child', child.pid);
     console.log('ready', process.pid);
     setInterval(() => {}, 1000);`,
  );
  const part = await supervise(spec, QUIET);
  t.after(() => part.stop());
  const child = Number(/child (\d+)/.exec(await readFile(spec.logFile, 'utf8'))?.[1]);
  assert.ok(isAlive(child));
  await part.stop();
  await until('its child is gone', () => !isAlive(child));
});

test('parts end by themselves when their supervisor is killed', async (t) => {
  const directory = await scratchDir(t);
  const spec = await partOf(directory, 'console.log("ready", process.pid); setInterval(() => {}, 1000);');
  const supervisor = runElsewhere(
    t,
    `import { supervise } from ${JSON.stringify(pathToFileURL(join(LOCAL, 'supervisor/supervise.ts')).href)};
     const spec = ${JSON.stringify({ ...spec, env: undefined })};
     const ready = async () => true;
     const part = await supervise({ ...spec, env: process.env, isReady: ready }, { log() {}, changed() {} });
     console.log(JSON.stringify(part.pid()));`,
  );
  const pid = (await supervisor.next()) as number;
  await until('the part runs', () => existsSync(spec.logFile));
  assert.ok(isAlive(pid));
  supervisor.child.kill('SIGKILL');
  await until('the part is gone', () => !isAlive(pid));
});

test('a log that grows is moved aside once', async (t) => {
  const file = join(await scratchDir(t), 'part.log');
  const log = openLogFile(file, 200);
  for (let line = 0; line < 20; line += 1) log.write(`line ${line}`);
  assert.match(await readFile(file, 'utf8'), /line 19\n$/);
  assert.ok((await readFile(file, 'utf8')).length <= 200);
  assert.match(await readFile(`${file}.1`, 'utf8'), /line 1\d\n/);
  assert.equal(log.tail().at(-1), 'line 19');
});
