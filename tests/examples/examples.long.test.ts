/** The programs of examples/, run as a reader runs them, on one stack whose other services return canned results. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, it } from 'node:test';
import postgres from 'postgres';
import { startStack } from '../../local/index.ts';
import { SERVICE_DEFAULTS, SERVICES } from '../../schema.ts';

const ROOT = join(import.meta.dirname, '../..');
const SONGS = ['neon-drive.mp3', 'paper-kites.mp3'].map((name) => join(ROOT, 'examples', name));

/** A running program and the lines that it has printed. */
interface Program {
  lines: string[];
  /** Resolves with the first line, from now or before, that matches. */
  line(pattern: RegExp): Promise<string>;
  exit: Promise<number | null>;
}

function run(path: string, args: string[], env: Record<string, string>): Program {
  const child = spawn(process.execPath, [join(ROOT, path), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  after(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    for (const look of waiting) look();
  });
  const exit = new Promise<number | null>((resolve) => child.on('close', resolve));
  const line = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = lines.find((one) => pattern.test(one));
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
      void exit.then((code) => reject(new Error(`${path} ended with ${code} before ${pattern}: ${lines.join('\n')}`)));
    });
  return { lines, line, exit };
}

const portIn = (line: string): number => Number(/"port":(\d+)/.exec(line)?.[1]);

describe('examples', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'mashup-examples-'));
  const instant = portIn(await run('bench/instant-services.ts', [], {}).line(/"port"/));
  const scoring = portIn(await run('examples/custom-scoring-service.ts', [], { PORT: '0' }).line(/"port"/));
  for (const name of SERVICES) {
    process.env[SERVICE_DEFAULTS[name].urlVariable] = `http://127.0.0.1:${name === 'scoring' ? scoring : instant}`;
  }
  const stack = await startStack({ dataDir, portBase: 0, only: ['gateway', 'functions', 'worker'] });
  after(async () => {
    await stack.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  const { apiUrl, anonKey, secretKey, dbUrl } = stack.info;
  const watcher = run('examples/watch-jobs.ts', [], {
    SUPABASE_URL: apiUrl,
    SUPABASE_SECRET_KEY: secretKey,
  });
  await watcher.line(/^stream ok/);
  let jobId = '';

  it('submit-and-follow.ts makes a mashup and prints its stages and the link', async () => {
    const program = run('examples/submit-and-follow.ts', SONGS, { SUPABASE_URL: apiUrl, SUPABASE_ANON_KEY: anonKey });
    jobId = (await program.line(/^job /)).slice(4);
    assert.equal(await program.exit, 0);
    assert.match(program.lines.at(-2) ?? '', /^complete 100 % /);
    const link = program.lines.at(-1) ?? '';
    assert.equal((await fetch(link)).status, 200, link);
  });

  it('custom-scoring-service.ts scores the pair of songs', async () => {
    const sql = postgres(dbUrl, { max: 1, onnotice: () => {} });
    const rows = await sql`select * from mashup.scores where job_id = ${jobId}`;
    await sql.end();
    assert.match(JSON.stringify(rows), /120 and 120 BPM/);
  });

  it('replay.ts runs a job again, and watch-jobs.ts prints the changes', async () => {
    await watcher.line(new RegExp(`^UPDATE ${jobId} version \\d+: complete 100 %`));
    const program = run('examples/replay.ts', [jobId, 'planning'], { DATABASE_URL: dbUrl });
    assert.equal(await program.exit, 0);
    assert.match(program.lines.join('\n'), /epoch 2 /);
    await watcher.line(new RegExp(`^UPDATE ${jobId} version \\d+: planning `));
  });
});
