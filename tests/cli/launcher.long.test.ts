/** The command `mashup` starts under any Node, passes signals on and ends with its parent. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { delimiter, join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { SERVICE_DEFAULTS, SERVICES } from '../../schema.ts';
import { useDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const ROOT = join(import.meta.dirname, '../..');
const LAUNCHER = join(ROOT, 'cli/mashup.js');
const database = await useDatabase({ after });
const PATHS = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
const OLD_NODE = PATHS.map((folder) => join(folder, 'node')).find(isOldNode);
const SKIP_OLD = OLD_NODE === undefined ? 'there is no Node older than 22.18 in PATH' : false;
/** Runs a command as process 1 of a namespace. The kernel ends all of its processes with process 1. */
const UNSHARE = ['--pid', '--fork', '--kill-child', '--mount-proc'];
const CAN_UNSHARE = spawnSync('unshare', [...UNSHARE, 'true']).status === 0;
const SKIP_UNSHARE = CAN_UNSHARE ? false : 'unshare is missing or not permitted';
/** Nodes under which the launcher is started. */
const NODES: [name: string, node: string, skip: string | false][] = [
  ['this Node', process.execPath, false],
  ['an old Node', OLD_NODE ?? '', SKIP_OLD],
];

function isOldNode(program: string): boolean {
  if (!existsSync(program)) return false;
  const [major = 0, minor = 0] = spawnSync(program, ['-p', 'process.versions.node'], { encoding: 'utf8' })
    .stdout.split('.')
    .map(Number);
  return major >= 18 && (major < 22 || (major === 22 && minor < 18));
}

const env = {
  ...process.env,
  PATH: PATHS.join(delimiter),
  NO_COLOR: '1',
  DATABASE_URL: database.workerUrl,
  SUPABASE_URL: 'http://127.0.0.1:1',
  SUPABASE_SERVICE_ROLE_KEY: 'key',
  // A service that has a URL is not expected to run when the worker starts.
  ...Object.fromEntries(SERVICES.map((service) => [SERVICE_DEFAULTS[service].urlVariable, 'http://127.0.0.1:1'])),
};

interface StartedWorker {
  child: ChildProcess;
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Id of the worker. */
  worker: string;
  /** Its process; undefined in a namespace of its own, where the worker sees an id that names another process here. */
  pid: number | undefined;
}

/** Starts a command that runs a worker. Resolves when the worker is registered. */
async function startWorker(t: TestContext, program: string, args: string[]): Promise<StartedWorker & { pid: number }> {
  const { pid, ...started } = await spawnWorker(t, program, args);
  t.after(() => {
    if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  });
  return { ...started, pid };
}

/** Starts a worker as process 1 of a namespace, or below it. */
async function startFirstProcess(t: TestContext, program: string, args: string[]): Promise<StartedWorker> {
  const started = await spawnWorker(t, 'unshare', [...UNSHARE, program, ...args]);
  return { ...started, pid: undefined };
}

async function spawnWorker(t: TestContext, program: string, args: string[]): Promise<StartedWorker & { pid: number }> {
  const child = spawn(program, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', resolve);
    void exited.then(() => reject(new Error(`it ended: ${errors}`)));
  });
  const { worker, pid } = JSON.parse(line) as { worker: string; pid: number };
  t.after(() => child.kill('SIGKILL'));
  return { child, exited, worker, pid };
}

/** Whether a process runs; a zombie does not. */
function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Resolves when the worker's process has ended and has removed itself from the database. */
async function untilStopped({ worker, pid }: StartedWorker): Promise<void> {
  if (pid !== undefined) await until(`process ${pid} has ended`, () => !isRunning(pid));
  const rows = await database.sql`select from mashup.workers where id = ${worker} and not draining`;
  assert.equal(rows.length, 0, 'the worker has not deregistered');
}

describe('the launcher', { skip: existsSync('/proc/self/stat') ? false : 'there is no /proc' }, () => {
  for (const [name, node, skip] of NODES) {
    test(`passes arguments, output and exit codes under ${name}`, { skip }, () => {
      const run = (...args: string[]): ReturnType<typeof spawnSync> =>
        spawnSync(node, [LAUNCHER, ...args], { env, encoding: 'utf8' });
      const help = run('--help');
      assert.equal(help.status, 0, String(help.stderr));
      assert.match(String(help.stdout), /^Usage: mashup/);
      const refused = run('nonsense');
      assert.equal(refused.status, 2);
      assert.match(String(refused.stderr), /Unknown command 'nonsense'/);
    });

    test(`passes SIGTERM on under ${name}`, { skip }, async (t) => {
      const started = await startWorker(t, node, [LAUNCHER, 'worker']);
      started.child.kill('SIGTERM');
      assert.deepEqual(await started.exited, { code: 0, signal: null });
      await untilStopped(started);
    });

    test(`leaves no worker when its shell is killed under ${name}`, { skip }, async (t) => {
      const started = await startWorker(t, 'sh', ['-c', `"${node}" "${LAUNCHER}" worker; true`]);
      started.child.kill('SIGKILL');
      await untilStopped(started);
    });

    test(`stops as process 1 under ${name}`, { skip: skip || SKIP_UNSHARE }, async (t) => {
      const started = await startFirstProcess(t, node, [LAUNCHER, 'worker']);
      process.kill(childOf(started.child.pid), 'SIGTERM');
      assert.deepEqual(await started.exited, { code: 0, signal: null });
      await untilStopped(started);
    });
  }

  test('a killed launcher leaves no worker under an old Node', { skip: SKIP_OLD }, async (t) => {
    const started = await startWorker(t, OLD_NODE ?? '', [LAUNCHER, 'worker']);
    assert.notEqual(started.pid, started.child.pid);
    started.child.kill('SIGKILL');
    await untilStopped(started);
  });

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    test(`npx mashup worker leaves no worker when npx gets ${signal}`, async (t) => {
      const started = await startWorker(t, 'npx', ['mashup', 'worker']);
      started.child.kill(signal);
      await untilStopped(started);
    });
  }

  for (const [name, node, skip] of NODES) {
    test(
      `a signal ends a command without a handler as process 1 under ${name}`,
      { skip: skip || SKIP_UNSHARE },
      async (t) => {
        const silent = createServer().listen(0, '127.0.0.1');
        const connected = new Promise<Socket>((resolve) => silent.once('connection', resolve));
        await once(silent, 'listening');
        const { port } = silent.address() as AddressInfo;
        const child = spawn('unshare', [...UNSHARE, node, LAUNCHER, 'jobs'], {
          env: { ...env, DATABASE_URL: `postgres://a:b@127.0.0.1:${port}/c` },
          stdio: 'ignore',
        });
        t.after(() => silent.close());
        const exited = new Promise((resolve) => child.once('exit', resolve));
        const socket = await connected;
        process.kill(childOf(child.pid), 'SIGTERM');
        assert.equal(await exited, 143);
        socket.destroy();
      },
    );
  }

  test('a worker in a session of its own outlives its shell', async (t) => {
    const command = `setsid "${process.execPath}" "${LAUNCHER}" worker & wait`;
    const started = await startWorker(t, 'sh', ['-c', command]);
    started.child.kill('SIGKILL');
    await started.exited;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    assert.ok(isRunning(started.pid));
    process.kill(started.pid, 'SIGTERM');
    await untilStopped(started);
  });
});

/** Returns the first child of a process; 0 if it has none. */
function childOf(pid = 0): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')[0] ?? 0);
}
