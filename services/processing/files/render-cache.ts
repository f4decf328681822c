/**
 * A bounded cache of rendered sound on disk. A name is the hash of all that a file depends on, with the code of the renderer. What was not
 * used for the longest time is deleted first. A fault of the cache never fails a render.
 */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { type CachedSound, deleteIfPossible, readCacheFile } from './cache-file.ts';

/** Folders with code that changes what is rendered. */
const CODE = ['audio', 'music', 'services/processing', 'services/analysis'];
const ROOT = join(import.meta.dirname, '..', '..', '..');
/** A file that was not completed after so long is left over from a process that ended. */
const UNFINISHED_MS = 3_600_000;

/** A hash of values that JSON can hold. */
export const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');

/** Identifies the code of the renderer by the sizes and times of its files. */
function codeHash(): string {
  const files = CODE.flatMap((folder) => {
    try {
      return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => join(parentPath, name));
    } catch {
      return [];
    }
  });
  const states = files.sort().map((file) => {
    const { size, mtimeMs } = statSync(file);
    return [file, size, mtimeMs];
  });
  return hashOf([process.version, process.arch, states]);
}

/** The cache of a process. Several processes may share its folder. */
export class RenderCache {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #code = codeHash();
  /** Bytes by name, in the order of their last use. */
  readonly #files = new Map<string, number>();
  #bytes = 0;

  private constructor(folder: string, maxBytes: number) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    const files = readdirSync(folder).flatMap((name) => {
      const state = statSync(join(folder, name), { throwIfNoEntry: false });
      return state?.isFile() ? [{ name, size: state.size, mtimeMs: state.mtimeMs }] : [];
    });
    for (const { name, size, mtimeMs } of files.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
      if (/^[0-9a-f]{64}$/.test(name)) this.#count(name, size);
      else if (mtimeMs < Date.now() - UNFINISHED_MS) deleteIfPossible(join(folder, name));
    }
    this.#evict();
  }

  /** Opens the cache in a folder that only this user can read; undefined if it cannot be used, or `maxBytes` is 0. */
  static open(folder: string, maxBytes: number): RenderCache | undefined {
    if (maxBytes === 0) return undefined;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const { uid, mode } = lstatSync(folder);
      const isPrivate = process.getuid === undefined || (uid === process.getuid() && (mode & 0o077) === 0);
      return isPrivate && lstatSync(folder).isDirectory() ? new RenderCache(folder, maxBytes) : undefined;
    } catch {
      return undefined;
    }
  }

  /** The path of a file with this key, whether it is there or not. */
  pathOf(key: string): string {
    return join(this.#folder, hashOf([this.#code, key]));
  }

  /** Reads a file; null if it is not there or broken. */
  async read(path: string): Promise<CachedSound | null> {
    const name = path.slice(-64);
    const sound = await readCacheFile(path);
    if (sound === null) {
      this.#forget(name);
      deleteIfPossible(path);
      return null;
    }
    this.#forget(name);
    this.#count(name, sound.bytes);
    try {
      utimesSync(path, new Date(), new Date());
    } catch {
      // Another process deleted it.
    }
    return sound;
  }

  /** Counts a file that a thread wrote, and deletes others if there are too many bytes. */
  added(path: string): void {
    const name = path.slice(-64);
    this.#forget(name);
    this.#count(name, statSync(path, { throwIfNoEntry: false })?.size ?? 0);
    this.#evict();
  }

  #count(name: string, bytes: number): void {
    if (bytes === 0) return;
    this.#files.set(name, bytes);
    this.#bytes += bytes;
  }

  #forget(name: string): void {
    this.#bytes -= this.#files.get(name) ?? 0;
    this.#files.delete(name);
  }

  #evict(): void {
    for (const name of this.#files.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#forget(name);
      deleteIfPossible(join(this.#folder, name));
    }
  }
}
