/** Follows docs/how-to/hosted.md: its commands, in its order, on an empty Postgres with Supabase's schemas and the gateway. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, it } from 'node:test';
import { createClient } from '@supabase/supabase-js';
import type { Finding } from '../../cli/doctor/finding.ts';
import { SERVICE_DEFAULTS, SERVICES } from '../../schema.ts';
import { freePort } from '../../local/ports.ts';
import { startFunctions } from '../functions/functions-fixture.ts';
import { useGateway } from '../support/gateway.ts';
import { useDatabase } from '../support/postgres.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = await readFile(join(ROOT, 'docs/how-to/hosted.md'), 'utf8');
const EMAIL = 'you@example.com';
const PASSWORD = 'correct horse';

/** Returns the block of the page that contains a text. @throws if there is none */
function block(text: string): string {
  const found = [...PAGE.matchAll(/^```(?:sh|sql)\n(.*?)^```$/gms)].map(([, content = '']) => content);
  const wanted = found.find((content) => content.includes(text));
  assert.ok(wanted, `the page has a block with ${text}`);
  return wanted;
}

/** The command of the page that contains a text, as the shell runs it. */
function command(text: string): string {
  const line = block(text)
    .split('\n')
    .find((one) => one.includes(text));
  return (line ?? '').replace('npx mashup', `"${process.execPath}" "${join(ROOT, 'cli/mashup.js')}"`);
}

let env: NodeJS.ProcessEnv = {};
const directory = await mkdtemp(join(tmpdir(), 'mashup-hosted-'));
after(() => rm(directory, { recursive: true, force: true }));
await symlink(join(ROOT, 'examples'), join(directory, 'examples'), 'dir');

function start(text: string, more = ''): ChildProcess {
  return spawn('sh', ['-c', `exec ${command(text).replace(/^(\w+="[^"]*") /, 'env $1 ')}${more}`], {
    cwd: directory,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function run(text: string, more = ''): Promise<{ code: number | null; output: string }> {
  const child = start(text, more);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: Buffer) => (output += data.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

it('the commands of the guide take an empty project to a finished mashup, with accounts only', async (t) => {
  const project = await useDatabase(t, { empty: true });
  const functionsPort = await freePort();
  const { url, keys } = await useGateway(t, project, {
    anonymousUsers: false,
    functionsUrl: `http://127.0.0.1:${functionsPort}`,
  });
  env = {
    PATH: process.env.PATH,
    NO_COLOR: '1',
    SUPABASE_URL: url,
    SUPABASE_PUBLISHABLE_KEY: keys.publishableKey,
    SUPABASE_SECRET_KEY: keys.secretKey,
    DATABASE_URL: project.url,
    MASHUP_EMAIL: EMAIL,
    MASHUP_PASSWORD: PASSWORD,
    ...(await instantServices()),
  };

  const migrated = await run('npx mashup migrate');
  assert.equal(migrated.code, 0, migrated.output);
  assert.match(migrated.output, /created the schema of the queue/);
  assert.match((await run('npx mashup migrate')).output, /Up to date/);

  const deno = await startFunctions(functionsPort, {
    SUPABASE_URL: url,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishableKey }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secretKey }),
  });
  t.after(() => deno.kill('SIGKILL'));

  await project.sql.unsafe(block('alter role mashup_worker').replace('a long random password', 'worker'));
  env.WORKER_DATABASE_URL = project.workerUrl;
  const worker = start('npx mashup worker');
  t.after(() => worker.kill('SIGTERM'));
  const stopped = once(worker, 'exit').then(() => Promise.reject(new Error('the worker ended')));
  await Promise.race([once(createInterface({ input: worker.stdout! }), 'line'), stopped]);

  const account = createClient(url, keys.publishableKey, { auth: { persistSession: false, autoRefreshToken: false } });
  assert.equal((await account.auth.signUp({ email: EMAIL, password: PASSWORD })).error, null);
  assert.match((await run('npx mashup operators add')).output, /operator from the next sign-in on/);
  await account.auth.signInWithPassword({ email: EMAIL, password: PASSWORD });
  assert.equal((await account.rpc('operator_overview')).error, null);

  const { output } = await run('npx mashup doctor', ' --json');
  const { findings } = JSON.parse(output.split('\n')[0] ?? '') as { findings: Finding[] };
  const faults = findings.filter(({ name, ok }) => !ok && !SERVICES.some((service) => service === name));
  assert.deepEqual(faults, [], 'the services of this test have no health page');
  const signIn = findings.find(({ name }) => name === 'sign-in');
  assert.match(signIn?.message ?? '', /^accounts only: anonymous sign-ins are off/);

  const made = await run('npx mashup make');
  assert.equal(made.code, 0, made.output);
  assert.ok((await stat(join(directory, 'mashup.wav'))).size > 0);
});

/** Starts services that respond at once. Returns their variables. */
async function instantServices(): Promise<NodeJS.ProcessEnv> {
  const child = spawn(process.execPath, [join(ROOT, 'bench/instant-services.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  after(() => child.kill('SIGKILL'));
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { port } = JSON.parse(line) as { port: number };
  return Object.fromEntries(SERVICES.map((name) => [SERVICE_DEFAULTS[name].urlVariable, `http://127.0.0.1:${port}`]));
}
