/** Type-checks the edge functions with the Deno that the project brings, offline: `npm run check:functions`. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FUNCTIONS_DIR, locateDeno } from '../local/functions.ts';

const entries = readdirSync(FUNCTIONS_DIR)
  .map((name) => join(FUNCTIONS_DIR, name, 'index.ts'))
  .filter((path) => existsSync(path));

const { status, error } = spawnSync(
  locateDeno(),
  [
    'check',
    '--no-lock',
    '--node-modules-dir=manual',
    '--no-remote',
    `--config=${join(FUNCTIONS_DIR, 'deno.json')}`,
    ...entries,
  ],
  { stdio: 'inherit', env: { ...process.env, DENO_NO_UPDATE_CHECK: '1' } },
);
if (error) throw error;
if (status === 0) console.log(`checked ${entries.length} edge functions`);
process.exitCode = status ?? 1;
