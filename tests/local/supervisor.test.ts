import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { PartFailedError } from '../../local/index.ts';
import { isAlive } from '../../local/processes.ts';
import { openLogFile } from '../../local/supervisor/log-file.ts';
import { supervise } from '../../local/supervisor/supervise.ts';
import type { PartSpec } from '../../local/supervisor/supervise.ts';
import { until } from '../support/until.ts';
import { runElsewhere, scratchDir } from './local-fixture.ts';

const run = promisify(execFile);
const LOCAL = join(import.meta.dirname, '../../local');
const EXIT_WITH_PARENT = join(LOCAL, 'supervisor/exit-with-parent.ts');
const QUIET = { log: () => {}, pidChanged: () => {} };

/** Creates a part that runs some lines of JavaScript and is ready when it has printed its id. */
async function partOf(directory: string, code: string, name = 'part'): Promise<PartSpec & { logFile: string }> {
  const script = join(directory, `${name}.mjs`);
  const logFile = join(directory, `${name}.log`);
  await writeFile(script, code);
  return {
    name,
    command: process.execPath,
    args: ['--import', EXIT_WITH_PARENT, script],
    env: process.env,
    cwd: directory,
    logFile,
    isReady: async (pid) => (await readFile(logFile, 'utf8')).includes(`ready ${pid}`),
    readyTimeoutMs: 10_000,
    stopTimeoutMs: 500,
  };
}

test('a killed part is started again until it is stopped', async (t) => {
  const directory = await scratchDir(t);
  const lines: string[] = [];
  const spec = await partOf(directory, 'console.log("ready", process.pid); setInterval(() => {}, 1000);');
  const part = await supervise(spec, { log: (line) => lines.push(line), pidChanged: () => {} });
  t.after(() => part.stop());
  const first = part.pid();
  assert.ok(first !== undefined);
  process.kill(first, 'SIGKILL');
  await until('it runs again', () => part.pid() !== undefined && part.pid() !== first);
  assert.equal(part.restarts(), 1);
  assert.match(lines.join(), /SIGKILL.*starting it again/);
  const second = part.pid();
  await part.stop();
  assert.equal(part.pid(), undefined);
  assert.ok(second !== undefined && !isAlive(second));
});

test('a part that never starts is an error with its last output', async (t) => {
  const directory = await scratchDir(t);
  const spec = await partOf(directory, 'console.error("the cellar is flooded"); process.exit(3);');
  await assert.rejects(supervise(spec, QUIET), (error: unknown) => {
    assert.ok(error instanceof PartFailedError);
    assert.match(error.message, /exited 3 times.*the cellar is flooded/);
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
  await until('its child has exited', () => !isAlive(child));
});

test('parts exit when their supervisor is killed', async (t) => {
  const directory = await scratchDir(t);
  const spec = await partOf(directory, 'console.log("ready", process.pid); setInterval(() => {}, 1000);');
  const supervisor = runElsewhere(
    t,
    `import { supervise } from ${JSON.stringify(pathToFileURL(join(LOCAL, 'supervisor/supervise.ts')).href)};
     const spec = ${JSON.stringify({ ...spec, env: undefined })};
     const ready = async () => true;
     const part = await supervise({ ...spec, env: process.env, isReady: ready }, { log() {}, pidChanged() {} });
     console.log(JSON.stringify(part.pid()));`,
  );
  const pid = (await supervisor.next()) as number;
  await until('the part runs', () => existsSync(spec.logFile));
  assert.ok(isAlive(pid));
  supervisor.child.kill('SIGKILL');
  await until('the part has exited', () => !isAlive(pid));
});

test('a part that cannot be started for lack of file descriptors is tried again', async (t) => {
  const directory = await scratchDir(t);
  const code = `
    import { closeSync, openSync } from 'node:fs';
    import { setTimeout as delay } from 'node:timers/promises';
    import { supervise } from ${JSON.stringify(pathToFileURL(join(LOCAL, 'supervisor/supervise.ts')).href)};
    const lines = [];
    const part = await supervise(
      { name: 'part', command: 'sleep', args: ['600'], env: process.env, cwd: '/', logFile: 'part.log', isReady: async () => true },
      { log: (line) => lines.push(line), pidChanged() {} },
    );
    const taken = [];
    try { for (;;) taken.push(openSync('/dev/null')); } catch {}
    process.kill(part.pid(), 'SIGKILL');
    while (!lines.some((line) => line.includes('EMFILE'))) await delay(10);
    taken.forEach((descriptor) => closeSync(descriptor));
    while (part.pid() === undefined) await delay(10);
    await part.stop();
    console.log('it ran again');`;
  const limited = 'ulimit -n 64; exec "$0" --input-type=module-typescript --eval "$1"';
  const { stdout } = await run('sh', ['-c', limited, process.execPath, code], { cwd: directory });
  assert.equal(stdout, 'it ran again\n');
});

test('a log that grows too large is renamed once', async (t) => {
  const file = join(await scratchDir(t), 'part.log');
  const log = openLogFile(file, 200);
  for (let line = 0; line < 20; line += 1) log.write(`line ${line}`);
  assert.match(await readFile(file, 'utf8'), /line 19\n$/);
  assert.ok((await readFile(file, 'utf8')).length <= 200);
  assert.match(await readFile(`${file}.1`, 'utf8'), /line 1\d\n/);
  assert.equal(log.tail().at(-1), 'line 19');
});
