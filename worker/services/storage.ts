/** Storage as the worker uses it: signed URLs for the services, looks at what they wrote, deletions. */
import { createClient } from '@supabase/supabase-js';
import { StorageApiError } from '@supabase/supabase-js';
import { TaskError } from '../errors.ts';
import { errorText } from '../redact.ts';

/** The bucket of everything. */
export const BUCKET = 'mashups';
/** A signed URL lives at least this long: work waits for minutes behind other work. */
export const MIN_SIGNED_URL_SEC = 15 * 60;
/** Limit of one call to the Storage API; downloads have the task's. */
const STORAGE_TIMEOUT_MS = 30_000;
/** Objects that one listing answers, and one removal names. */
const PAGE = 100;
/** Depth below a deleted prefix that is looked into. */
const MAX_DEPTH = 6;

/** An object as Storage lists it. */
export interface StoredObject {
  path: string;
  bytes: number;
}

export interface Storage {
  /** A URL to download an object, fresh for each try. */
  downloadUrl(path: string, seconds: number): Promise<string>;
  /** As `downloadUrl`, for many objects with one call; in the order of the paths. */
  downloadUrls(paths: readonly string[], seconds: number): Promise<string[]>;
  /** A URL to `PUT` an object to, over an earlier one if need be. */
  uploadUrl(path: string): Promise<string>;
  /** The object at a path; undefined if there is none. */
  stat(path: string): Promise<StoredObject | undefined>;
  /** The objects right below a folder. */
  statAll(folder: string): Promise<StoredObject[]>;
  /** The first bytes of an object. */
  head(path: string, bytes: number, signal: AbortSignal): Promise<Uint8Array>;
  /** Everything below a folder. */
  listAll(bucket: string, folder: string): Promise<string[]>;
  remove(bucket: string, paths: readonly string[]): Promise<void>;
}

/**
 * Opens Storage with the service role's key. Every fault is a TaskError of class transient (it must not count against the
 * circuit of a service), or permanent where an object is missing.
 */
export function openStorage(supabaseUrl: string, serviceRoleKey: string): Storage {
  const client = createClient(supabaseUrl, serviceRoleKey, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: {
      fetch: (input, init) =>
        fetch(input, {
          ...init,
          signal: AbortSignal.any([...(init?.signal ? [init.signal] : []), AbortSignal.timeout(STORAGE_TIMEOUT_MS)]),
        }),
    },
  });
  const bucket = client.storage.from(BUCKET);

  async function list(inBucket: string, folder: string, offset: number, search?: string) {
    const { data, error } = await client.storage.from(inBucket).list(folder, { limit: PAGE, offset, search });
    if (error) throw storageFault('list files', error);
    return data;
  }

  async function listAll(inBucket: string, folder: string, depth = MAX_DEPTH): Promise<string[]> {
    const paths: string[] = [];
    for (let offset = 0; ; offset += PAGE) {
      const page = await list(inBucket, folder, offset);
      for (const entry of page) {
        const path = `${folder}/${entry.name}`;
        // A folder has nothing but a name.
        if (entry.id !== null) paths.push(path);
        else if (depth > 0) paths.push(...(await listAll(inBucket, path, depth - 1)));
      }
      if (page.length < PAGE) return paths;
    }
  }

  async function downloadUrl(path: string, seconds: number): Promise<string> {
    const { data, error } = await bucket.createSignedUrl(path, lifeOf(seconds));
    if (error) throw storageFault('sign a download', error);
    return data.signedUrl;
  }

  return {
    downloadUrl,
    async downloadUrls(paths, seconds) {
      const { data, error } = await bucket.createSignedUrls([...paths], lifeOf(seconds));
      if (error) throw storageFault('sign downloads', error);
      return paths.map((path) => {
        const signed = data.find((entry) => entry.path === path);
        if (signed?.signedUrl) return signed.signedUrl;
        // One that is not there is named by a word in the answer, not by a status.
        throw storageFault('sign a download', new Error(`not_found: ${signed?.error ?? path}`), 404);
      });
    },
    async uploadUrl(path) {
      const { data, error } = await bucket.createSignedUploadUrl(path, { upsert: true });
      if (error) throw storageFault('sign an upload', error);
      return data.signedUrl;
    },
    async stat(path) {
      const slash = path.lastIndexOf('/');
      const name = path.slice(slash + 1);
      const page = await list(BUCKET, path.slice(0, slash), 0, name);
      const entry = page.find((candidate) => candidate.name === name && candidate.id !== null);
      if (!entry) return undefined;
      return { path, bytes: Number(entry.metadata?.['size'] ?? 0) };
    },
    async statAll(folder) {
      const page = await list(BUCKET, folder, 0);
      return page
        .filter(({ id }) => id !== null)
        .map(({ name, metadata }) => ({ path: `${folder}/${name}`, bytes: Number(metadata?.['size'] ?? 0) }));
    },
    async head(path, bytes, signal) {
      const url = await downloadUrl(path, MIN_SIGNED_URL_SEC);
      const answer = await openDownload(url, signal, { Range: `bytes=0-${bytes - 1}` });
      const taken: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of answer) {
        taken.push(chunk);
        size += chunk.length;
        // Whoever ignores the range would send the whole file.
        if (size >= bytes) break;
      }
      return Buffer.concat(taken).subarray(0, bytes);
    },
    listAll: (inBucket, folder) => listAll(inBucket, folder.replace(/\/+$/, '')),
    async remove(inBucket, paths) {
      for (let start = 0; start < paths.length; start += PAGE) {
        const { error } = await client.storage.from(inBucket).remove(paths.slice(start, start + PAGE));
        if (error) throw storageFault('delete files', error);
      }
    },
  };
}

/** Seconds that a signed URL lives. */
function lifeOf(seconds: number): number {
  return Math.max(MIN_SIGNED_URL_SEC, Math.ceil(seconds));
}

/** Starts a download. @throws TaskError as all of Storage, and the reason of `signal` */
export async function openDownload(
  url: string,
  signal: AbortSignal,
  headers: Record<string, string> = {},
): Promise<AsyncIterable<Uint8Array>> {
  try {
    const answer = await fetch(url, { signal, headers });
    if (answer.ok && answer.body) return answer.body;
    const body = (await answer.text()).slice(0, 2_000);
    throw storageFault('download a file', new Error(`${answer.status} ${body}`), answer.status);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error instanceof TaskError ? error : storageFault('download a file', error);
  }
}

function storageFault(doing: string, cause: unknown, status?: number): TaskError {
  const isMissing =
    (cause instanceof StorageApiError && cause.statusCode === '404') ||
    (status !== undefined && status >= 400 && status < 500 && /not_found|NoSuchKey/.test(String(cause)));
  if (isMissing) {
    return new TaskError('The file is not in Storage any more.', {
      code: 'upload_missing',
      hint: 'Upload the song again.',
      faultClass: 'permanent',
      cause,
    });
  }
  return new TaskError(`Storage could not ${doing}: ${errorText(cause)}`, {
    code: 'storage_unavailable',
    hint: 'It is tried again by itself. If this lasts, check SUPABASE_URL and the service role key.',
    faultClass: 'transient',
    cause,
  });
}
