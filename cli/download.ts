/** Downloads a result to a file. */
import { createWriteStream } from 'node:fs';
import { access, constants, mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, resolve } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { pipeline } from 'node:stream/promises';
import { OUTPUT_FORMATS } from '../schema.ts';
import type { OutputFormat } from '../schema.ts';
import { CliError, EXIT_USAGE } from './errors.ts';

/** Path and format of the output file. */
export interface Target {
  path: string;
  format: OutputFormat;
}

/**
 * Checks the path of the output before anything is started: a known extension, and a writable folder.
 * @throws CliError `bad_output`
 */
export async function checkTarget(out: string): Promise<Target> {
  const extension = extname(out).slice(1).toLowerCase();
  const format = OUTPUT_FORMATS.find((known) => known === extension);
  if (format === undefined) {
    throw refuse(`${basename(out)} has no extension of a known format.`, 'End the name with .wav, .flac or .mp3.');
  }
  const path = resolve(out);
  const folder = dirname(path);
  const isWritable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!isWritable) throw refuse(`The folder ${folder} is not writable.`, 'Create the folder, or choose another one.');
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isDirectory()) throw refuse(`${out} is a folder.`, 'Give the path of a file.');
  return { path, format };
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

/** Returns a path in the folder that does not exist: mashup.wav, or mashup-2.wav and so on. */
export async function freePath(folder: string): Promise<string> {
  for (let number = 1; ; number++) {
    const path = resolve(folder, number === 1 ? 'mashup.wav' : `mashup-${number}.wav`);
    const isTaken = await access(path).then(
      () => true,
      () => false,
    );
    if (!isTaken) return path;
  }
}

/** Returns the path with the extension of the rendered format: some renderers support one format only. */
export function fitExtension(target: Target, rendered: string | undefined): string {
  if (rendered === undefined || rendered === target.format) return target.path;
  return `${target.path.slice(0, -extname(target.path).length)}.${rendered}`;
}

/**
 * Downloads to a temporary file and renames it, so that the target is complete or does not exist.
 * @throws CliError `download_failed`
 */
export async function download(url: string, path: string, signal: AbortSignal): Promise<void> {
  const draft = `${path}.part-${process.pid}`;
  try {
    const response = await fetch(url, { signal });
    if (!response.ok || response.body === null) {
      throw new CliError('download_failed', `The result cannot be downloaded (${response.status}).`, 'Try again.');
    }
    await pipeline(Readable.fromWeb(response.body as ReadableStream), createWriteStream(draft), { signal });
    const expected = Number(response.headers.get('content-length') ?? Number.NaN);
    const { size } = await stat(draft);
    if (size === 0 || (Number.isFinite(expected) && size !== expected)) {
      throw new CliError('download_failed', 'The download is incomplete.', 'Try again.');
    }
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

function refuse(message: string, hint: string): CliError {
  return new CliError('bad_output', message, hint, EXIT_USAGE);
}
