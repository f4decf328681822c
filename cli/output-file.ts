/** Checks where a command may write, before the work of minutes. */
import { access, constants, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { OUTPUT_FORMATS } from '../schema.ts';
import type { OutputFormat } from '../schema.ts';
import { confirm } from './confirm.ts';
import { CliError, EXIT_USAGE } from './errors.ts';

/** Path and format of the output file. */
export interface Target {
  path: string;
  format: OutputFormat;
  /** Whether a file at the path may be overwritten. */
  mayOverwrite: boolean;
}

/** How a command treats files that exist already. */
export interface Overwriting {
  /** `--force`: they are overwritten. */
  force?: boolean;
  /** `--json`: nobody is asked. */
  json?: boolean;
  signal?: AbortSignal;
}

const EXTENSIONS = OUTPUT_FORMATS.map((format) => `.${format}`);
/** The extensions of output files in a sentence. */
export const OUTPUT_EXTENSIONS = `${EXTENSIONS.slice(0, -1).join(', ')} or ${EXTENSIONS.at(-1)}`;

const isTerminal = (): boolean => process.stdin.isTTY === true && process.stdout.isTTY === true;

/**
 * Checks the path of an output file: a known extension, a writable folder, and no file that would be lost. Asks in a terminal.
 * @throws CliError `bad_output`, `output_exists`
 */
export async function checkTarget(out: string, overwriting: Overwriting = {}): Promise<Target> {
  const extension = extname(out).slice(1).toLowerCase();
  const format = OUTPUT_FORMATS.find((known) => known === extension);
  if (format === undefined) {
    throw refuse(`${basename(out)} has no extension of a known format.`, `End the name with ${OUTPUT_EXTENSIONS}.`);
  }
  const path = resolve(out);
  const folder = dirname(path);
  await tryWriting(path, folder);
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isDirectory()) throw refuse(`${out} is a folder.`, 'Give the path of a file.');
  if (stats && !stats.isFile()) throw refuse(`${out} is not a file.`, 'Give the path of a file.');
  return { path, format, mayOverwrite: await mayOverwrite([path], overwriting) };
}

/**
 * Tells whether files may be overwritten: with `--force`, or after a question in a terminal. Without any file at the paths nothing is asked.
 * @throws CliError `output_exists`
 */
export async function mayOverwrite(paths: readonly string[], { force, json, signal }: Overwriting): Promise<boolean> {
  if (force === true) return true;
  const taken: string[] = [];
  for (const path of paths) if (await exists(path)) taken.push(path);
  if (taken.length === 0) return false;
  const [what, them] =
    taken.length === 1
      ? [`${taken[0]} exists already`, 'it']
      : [`${taken.length} of the files exist already in ${dirname(taken[0]!)}`, 'them'];
  const fault = (message: string, hint: string): CliError => new CliError('output_exists', message, hint, EXIT_USAGE);
  if (json === true || !isTerminal())
    throw fault(`${what}.`, `Choose another place with --out, or overwrite ${them} with --force.`);
  if (await confirm(`${what}. Overwrite ${them}?`, signal ?? new AbortController().signal)) return true;
  throw fault('Nothing was overwritten.', 'Choose another place with --out.');
}

/** Creates a folder for output files unless it exists. Returns its path. @throws CliError `bad_output` */
export async function makeFolder(out: string): Promise<string> {
  const path = resolve(out);
  try {
    await mkdir(path, { recursive: true });
    await access(path, constants.W_OK);
    return path;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOTDIR') throw refuse(`${out} is not a folder.`, 'Give the path of a folder.');
    throw refuse(`The folder ${path} is not writable.`, 'Choose another one.');
  }
}

/** Returns a path that does not exist: `mashup.wav`, or `mashup-2.wav` and so on. */
export async function freePath(folder: string, name = 'mashup.wav'): Promise<string> {
  const extension = extname(name);
  const stem = name.slice(0, name.length - extension.length);
  for (let number = 1; ; number++) {
    const path = join(resolve(folder), number === 1 ? name : `${stem}-${number}${extension}`);
    if (!(await exists(path))) return path;
  }
}

/** Returns the path with the extension of the rendered format: some renderers support one format only. */
export function fitExtension(target: Target, rendered: string | undefined): Target {
  if (rendered === undefined || rendered === target.format) return target;
  // Nobody was asked about a file of that name.
  const path = `${target.path.slice(0, -extname(target.path).length)}.${rendered}`;
  return { ...target, path, mayOverwrite: false };
}

/** The temporary file into which an output file is written. */
export const draftOf = (path: string): string => `${path}.part-${process.pid}`;

const succeeds = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );
const exists = (path: string): Promise<boolean> => succeeds(stat(path));

/** Creates and removes a file beside the output: permissions alone do not tell of every folder whether it is writable. */
async function tryWriting(path: string, folder: string): Promise<void> {
  const draft = draftOf(path);
  try {
    await writeFile(draft, '');
    await rm(draft);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENAMETOOLONG') throw refuse('The name of the output file is too long.', 'Choose a shorter one.');
    if (code === 'ENOENT' && !(await exists(folder)))
      throw refuse(`There is no folder ${folder}.`, 'Create it, or choose another one.');
    throw refuse(`The folder ${folder} is not writable.`, 'Choose another one.');
  }
}

function refuse(message: string, hint: string): CliError {
  return new CliError('bad_output', message, hint, EXIT_USAGE);
}
