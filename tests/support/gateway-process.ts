/** The gateway as a separate process, as `mashup start` runs it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Keys } from '@mashup-engine/supabase-local/gateway/keys';

const MAIN = join(import.meta.dirname, '../../packages/supabase-local/gateway/main.ts');

/** A running gateway process. */
export interface GatewayProcess {
  hasExited(): boolean;
  /** Returns what it has written to standard error. */
  errorOutput(): string;
  close(): Promise<void>;
}

/** Starts the gateway and waits until it listens. It exits with the test's process. */
export async function startGatewayProcess(options: {
  port: number;
  dbUrl: string;
  keys: Keys;
  storageDir: string;
}): Promise<GatewayProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'mashup-keys-'));
  const keysFile = join(directory, 'keys.json');
  await writeFile(keysFile, JSON.stringify(options.keys), { mode: 0o600 });
  const child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env['PATH'],
      SUPABASE_LOCAL_PORT: String(options.port),
      SUPABASE_LOCAL_DB_URL: options.dbUrl,
      SUPABASE_LOCAL_KEYS_FILE: keysFile,
      SUPABASE_LOCAL_STORAGE_DIR: options.storageDir,
      SUPABASE_LOCAL_EXIT_WITH_PARENT: '1',
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let errorOutput = '';
  child.stderr.on('data', (text: Buffer) => (errorOutput += text.toString()));
  const exited = once(child, 'exit');
  const line = once(createInterface({ input: child.stdout }), 'line');
  await Promise.race([line, exited.then(() => Promise.reject(new Error(`the gateway exited: ${errorOutput}`)))]);
  return {
    hasExited: () => child.exitCode !== null || child.signalCode !== null,
    errorOutput: () => errorOutput,
    async close() {
      child.kill('SIGTERM');
      await exited;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
