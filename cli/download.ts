/** Writes output files, so that each is complete or does not exist. */
import { createWriteStream } from 'node:fs';
import { link, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { pipeline } from 'node:stream/promises';
import { CliError } from './errors.ts';
import { draftOf, freePath } from './output-file.ts';

/** Where a file goes. */
export interface Place {
  path: string;
  mayOverwrite: boolean;
}

/**
 * Downloads a file. Returns its path: another one beside it if a file has come to the place in the meantime.
 * @throws CliError `download_failed`, `output_not_written`
 */
export function download(url: string, place: Place, signal: AbortSignal): Promise<string> {
  return writeDraft(place, async (draft) => {
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
  });
}

/** Writes a file, as `download` does. @throws CliError `output_not_written` */
export function save(content: Uint8Array, place: Place, signal: AbortSignal): Promise<string> {
  return writeDraft(place, (draft) => writeFile(draft, content, { signal }));
}

/** Lets `write` write a temporary file beside the place, and moves it there. */
async function writeDraft({ path, mayOverwrite }: Place, write: (draft: string) => Promise<void>): Promise<string> {
  const draft = draftOf(path);
  try {
    await write(draft);
    if (mayOverwrite) {
      await rename(draft, path);
      return path;
    }
    return await placeNew(draft, path);
  } catch (error) {
    throw writeFault(error, path) ?? error;
  } finally {
    await rm(draft, { force: true }).catch(() => {});
  }
}

/** Moves a file to a path that had none. The work of minutes is not lost if there is one by now. */
async function placeNew(draft: string, path: string): Promise<string> {
  for (let free = path; ;) {
    try {
      await link(draft, free);
      return free;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') break;
    }
    free = await freePath(dirname(path), basename(path));
  }
  // The file system has no links.
  const free = await freePath(dirname(path), basename(path));
  await rename(draft, free);
  return free;
}

const WRITE_FAULTS: Record<string, [text: string, hint: string]> = {
  ENOSPC: ['there is no space left', 'Make room, or choose another disk with --out.'],
  EDQUOT: ['the quota of the disk is used up', 'Make room, or choose another disk with --out.'],
  EROFS: ['the disk is read-only', 'Choose another place with --out.'],
  EACCES: ['it is not permitted', 'Choose another place with --out.'],
  EPERM: ['it is not permitted', 'Choose another place with --out.'],
  ENOENT: ['its folder is gone', 'Choose another place with --out.'],
  ENAMETOOLONG: ['its name is too long', 'Choose a shorter name with --out.'],
};

function writeFault(cause: unknown, path: string): CliError | undefined {
  const [text, hint] = WRITE_FAULTS[(cause as NodeJS.ErrnoException).code ?? ''] ?? [];
  if (text === undefined || hint === undefined) return undefined;
  return new CliError('output_not_written', `${path} cannot be written: ${text}.`, hint, undefined, { cause });
}
