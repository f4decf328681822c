/**
 * Object bytes on disk. Each version of an object is a file with a random name, which the object's row refers to. A file is
 * written under a temporary name and renamed when it is complete, so a version is never a partial file.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { entityTooLarge } from './errors.ts';

/** A stored body: its version, its size in bytes and the MD5 of its bytes in hex. */
export interface StoredFile {
  version: string;
  size: number;
  md5: string;
}

const VERSION = /^[0-9a-f-]{36}$/;
const INCOMING = 'incoming';

/** The directory of object bytes. */
export interface Files {
  /** Streams a body to disk. @throws HttpError for a body larger than `limit` bytes, which leaves no file */
  write(body: Readable, limit: number, signal: AbortSignal): Promise<StoredFile>;
  /** Opens a version for reading; undefined if the file does not exist. */
  open(version: string): Promise<FileHandle | undefined>;
  /** Deletes the files of versions, as far as they exist. */
  remove(versions: readonly string[]): Promise<void>;
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/** Opens the directory and deletes partial files of earlier runs. */
export async function openFiles(directory: string): Promise<Files> {
  const incoming = join(directory, INCOMING);
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  for (const name of await readdir(incoming)) await rm(join(incoming, name), { force: true });

  function pathOf(version: string): string {
    if (!VERSION.test(version)) throw new TypeError('not a version of an object');
    return join(directory, version.slice(0, 2), version);
  }

  return {
    async write(body, limit, signal) {
      const version = randomUUID();
      const unfinished = join(incoming, version);
      const hash = createHash('md5');
      let size = 0;
      async function* measure(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
        for await (const chunk of source) {
          size += chunk.length;
          if (size > limit) throw entityTooLarge();
          hash.update(chunk);
          yield chunk;
        }
      }
      try {
        // The request is not destroyed on an error: the response still has to be sent on its connection.
        await pipeline(
          body.iterator({ destroyOnReturn: false }),
          measure,
          createWriteStream(unfinished, { mode: 0o600 }),
          { signal },
        );
        const path = pathOf(version);
        await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
        await rename(unfinished, path);
      } catch (error) {
        await rm(unfinished, { force: true });
        throw error;
      }
      return { version, size, md5: hash.digest('hex') };
    },
    async open(version) {
      try {
        return await open(pathOf(version), 'r');
      } catch (error) {
        if (errorCode(error) === 'ENOENT') return undefined;
        throw error;
      }
    },
    async remove(versions) {
      await Promise.all(versions.map((version) => rm(pathOf(version), { force: true })));
    },
  };
}
