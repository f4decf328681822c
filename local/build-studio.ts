/** Builds the studio before it is served for the first time, and again when its sources are newer. */
import { spawn } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { PROJECT_ROOT, STUDIO_DIST } from './layout.ts';

/** Inputs of a build. */
const SOURCES = ['studio/src', 'studio/public', 'studio/index.html', 'studio/vite.config.ts', 'studio/tailwind.ts'];
const SHARED_SOURCES = ['packages/client', 'packages/react', 'schema', 'music', 'audio'];
/** A build takes about five seconds, longer on a busy machine. */
const BUILD_TIMEOUT_MS = 120_000;

/** Returns the latest modification time below a path, in milliseconds since 1970. */
async function latestChange(path: string): Promise<number> {
  const own = await stat(path);
  if (!own.isDirectory()) return own.mtimeMs;
  const below = await Promise.all((await readdir(path)).map((name) => latestChange(join(path, name))));
  return Math.max(0, ...below);
}

async function isCurrent(): Promise<boolean> {
  const built = await stat(join(STUDIO_DIST, 'index.html')).catch(() => undefined);
  if (built === undefined) return false;
  const changes = await Promise.all(
    [...SOURCES, ...SHARED_SOURCES].map((path) => latestChange(join(PROJECT_ROOT, path))),
  );
  return built.mtimeMs >= Math.max(...changes);
}

/** Builds the studio if it is out of date. A failed build is logged and does not stop the start of the stack. */
export async function buildStudio(log: (line: string) => void, signal?: AbortSignal): Promise<void> {
  if (await isCurrent().catch(() => true)) return;
  log('building the studio (about 5 s, only when it has changed)');
  const output: string[] = [];
  const child = spawn(process.execPath, [join(PROJECT_ROOT, 'studio', 'build.ts'), STUDIO_DIST], {
    cwd: PROJECT_ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: BUILD_TIMEOUT_MS,
    signal,
  });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => output.push(text.toString()));
  const code = await new Promise<number | null>((resolve) => {
    child.on('close', resolve);
    child.on('error', () => resolve(null));
  });
  if (code !== 0 && signal?.aborted !== true) {
    log(
      `the studio could not be built; run \`npm run studio:build\` to see why. ${output.join('').trim().split('\n').at(-1) ?? ''}`,
    );
  }
}
