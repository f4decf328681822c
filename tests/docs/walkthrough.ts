/** Applies the steps of a tutorial to a copy of the repository. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../..');
/** Workspaces of the repository; their links lead to the copy. */
const WORKSPACES = '@mashup-engine';
const run = promisify(execFile);

/** A fenced block with a file name: the text of a new file, or a change of an existing one. */
export interface Step {
  path: string;
  isChange: boolean;
  text: string;
}

/** Returns the steps of a page, in order. Blocks without a file name are not steps. */
export function stepsOf(page: string): Step[] {
  return [...page.matchAll(/^```(\w+) (\S+)\n(.*?)^```$/gms)].map(([, language, path = '', text = '']) => ({
    path,
    isChange: language === 'diff',
    text,
  }));
}

/**
 * Copies the files of the repository, also uncommitted ones, and links its packages.
 * @returns the path of the copy, in the directory for temporary files
 */
export async function copyRepository(): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'mashup-copy-'));
  const { stdout } = await run('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: ROOT,
    maxBuffer: 10_000_000,
  });
  for (const file of stdout.split('\0').filter((name) => /\.(ts|tsx|sql|json|css|html)$/.test(name))) {
    await mkdir(dirname(join(copy, file)), { recursive: true });
    // A file that was deleted without a commit is listed too.
    await cp(join(ROOT, file), join(copy, file), { force: true }).catch(ignoreMissing);
  }
  const modules = join(copy, 'node_modules');
  await mkdir(join(modules, WORKSPACES), { recursive: true });
  for (const name of await readdir(join(ROOT, 'node_modules')))
    if (name !== WORKSPACES) await symlink(join(ROOT, 'node_modules', name), join(modules, name), 'junction');
  for (const name of await readdir(join(ROOT, 'packages')))
    await symlink(join(copy, 'packages', name), join(modules, WORKSPACES, name), 'junction');
  return copy;
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}

/**
 * Applies a step to a copy of the repository.
 * @throws Error if a new file exists already, or if the lines that a change is to replace are not there exactly once
 */
export async function applyStep(copy: string, { path, isChange, text }: Step): Promise<void> {
  const file = join(copy, path);
  if (!isChange) return writeFile(file, text, { flag: 'wx' });
  let content = await readFile(file, 'utf8');
  for (const hunk of text.split(/^@@\n/m)) {
    const lines = hunk.split('\n').slice(0, -1);
    const side = (sign: '-' | '+'): string =>
      lines
        .filter((line) => line.startsWith(' ') || line.startsWith(sign))
        .map((line) => `${line.slice(1)}\n`)
        .join('');
    const parts = content.split(side('-'));
    if (parts.length !== 2) throw new Error(`${path}: ${parts.length - 1} places for the change\n${hunk}`);
    content = parts.join(side('+'));
  }
  await writeFile(file, content);
}

/**
 * Runs a program of the project in a copy.
 * @throws with the output if it fails
 */
export async function runIn(copy: string, ...parameters: string[]): Promise<void> {
  await run(process.execPath, parameters, { cwd: copy }).catch((error: { stdout?: string; stderr?: string }) => {
    throw new Error(`node ${parameters.join(' ')}\n${error.stdout}${error.stderr}`, { cause: error });
  });
}
