/** Runs the CLI as a process. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '../../cli/main.ts');

export interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `mashup` with arguments. `env` is added to an environment without settings of an engine. */
export function mashup(args: string[], env: Record<string, string> = {}): Promise<Run> {
  const { SUPABASE_URL: _url, DATABASE_URL: _database, MASHUP_DATA_DIR: _dir, ...rest } = process.env;
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...rest, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const run: Run = { code: -1, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (run.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (run.stderr += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ ...run, code: code ?? -1 }));
  });
}
