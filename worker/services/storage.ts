/** The worker's access to Storage: signed URLs for the services, metadata of what they wrote, deletions. */
import { createClient } from '@supabase/supabase-js';
import type { SupabaseClient } from '@supabase/supabase-js';
import { SpanKind } from '@opentelemetry/api';
import { withSpan } from '../../telemetry/trace.ts';
import { TaskError } from '../errors.ts';
import { openDownload, storageFault } from './download.ts';

/** The bucket of all files. */
export const BUCKET = 'mashups';
/** Minimum life of a signed URL: a service may process other work first, for minutes. */
export const MIN_SIGNED_URL_SEC = 15 * 60;
/** Limit of one call to the Storage API; downloads have the limit of their task. */
const STORAGE_TIMEOUT_MS = 30_000;
/** Objects per listing and per deletion. */
const PAGE_SIZE = 100;
/** How deep a listing descends. */
const MAX_DEPTH = 6;

/** An object in a listing. */
export interface StoredObject {
  path: string;
  bytes: number;
}

/** Methods throw TaskErrors: see {@link storageFault}. */
export interface Storage {
  /** Asks Storage for the bucket: one cheap call that shows whether the key is accepted. */
  check(): Promise<void>;
  /** Signs a download URL. */
  downloadUrl(path: string, seconds: number): Promise<string>;
  /** Signs download URLs of many objects in one call, in the order of the paths. */
  downloadUrls(paths: readonly string[], seconds: number): Promise<string[]>;
  /** Returns the paths whose file cannot be read. A row of `storage.objects` does not prove that there is a file. */
  findMissing(paths: readonly string[], signal: AbortSignal): Promise<string[]>;
  /** URL of the edge function that signs an upload of a task again. */
  readonly renewalUrl: string;
  /** Signs a URL for a `PUT` of an object, which may replace an earlier one. */
  uploadUrl(path: string): Promise<string>;
  /** Returns the object at a path, or undefined. */
  stat(path: string): Promise<StoredObject | undefined>;
  /** Lists the objects directly in a folder. */
  statAll(folder: string): Promise<StoredObject[]>;
  /** Reads the first bytes of an object. */
  head(path: string, bytes: number, signal: AbortSignal): Promise<Uint8Array>;
  /** Lists the paths of all objects in a folder and its subfolders. */
  listAll(bucket: string, folder: string): Promise<string[]>;
  /** Deletes objects; missing ones are ignored. */
  remove(bucket: string, paths: readonly string[]): Promise<void>;
}

/** Opens Storage with the service role's key. */
export function openStorage(supabaseUrl: string, serviceRoleKey: string): Storage {
  const client = createClient(supabaseUrl, serviceRoleKey, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: {
      fetch: tracedFetch,
    },
  });
  return new SupabaseStorage(client, `${supabaseUrl.replace(/\/+$/, '')}/functions/v1/renew-upload`);
}

/** One call to the Storage API, as a span of the active trace. */
function tracedFetch(input: Parameters<typeof fetch>[0], init?: RequestInit): Promise<Response> {
  const attributes = { 'http.request.method': init?.method ?? 'GET' };
  return withSpan('call storage', { kind: SpanKind.CLIENT, attributes }, async (span) => {
    const response = await fetch(input, {
      ...init,
      signal: AbortSignal.any([...(init?.signal ? [init.signal] : []), AbortSignal.timeout(STORAGE_TIMEOUT_MS)]),
    });
    span.setAttribute('http.response.status_code', response.status);
    return response;
  });
}

class SupabaseStorage implements Storage {
  readonly renewalUrl: string;
  readonly #client: SupabaseClient;

  constructor(client: SupabaseClient, renewalUrl: string) {
    this.#client = client;
    this.renewalUrl = renewalUrl;
  }

  async check(): Promise<void> {
    const { error } = await this.#client.storage.getBucket(BUCKET);
    if (error) throw storageFault('open the bucket', error);
  }

  async downloadUrl(path: string, seconds: number): Promise<string> {
    const { data, error } = await this.#client.storage.from(BUCKET).createSignedUrl(path, lifetime(seconds));
    if (error) throw storageFault('sign a download', error);
    return data.signedUrl;
  }

  async downloadUrls(paths: readonly string[], seconds: number): Promise<string[]> {
    const { data, error } = await this.#client.storage.from(BUCKET).createSignedUrls([...paths], lifetime(seconds));
    if (error) throw storageFault('sign downloads', error);
    return paths.map((path) => {
      const signed = data.find((entry) => entry.path === path);
      if (signed?.signedUrl) return signed.signedUrl;
      // The response reports a missing object as text, not by a status.
      throw storageFault('sign a download', new Error(`not_found: ${signed?.error ?? path}`), 404);
    });
  }

  async findMissing(paths: readonly string[], signal: AbortSignal): Promise<string[]> {
    const missing = await Promise.all(paths.map((path) => this.#isMissing(path, signal)));
    return paths.filter((_path, index) => missing[index]);
  }

  /** Reads one byte: after a restore of the database without files, a listing and a signature show files that are not there. */
  async #isMissing(path: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.head(path, 1, signal);
      return false;
    } catch (error) {
      if (error instanceof TaskError && error.code === 'upload_missing') return true;
      throw error;
    }
  }

  async uploadUrl(path: string): Promise<string> {
    const { data, error } = await this.#client.storage.from(BUCKET).createSignedUploadUrl(path, { upsert: true });
    if (error) throw storageFault('sign an upload', error);
    return data.signedUrl;
  }

  async stat(path: string): Promise<StoredObject | undefined> {
    const slash = path.lastIndexOf('/');
    const name = path.slice(slash + 1);
    const page = await this.#list(BUCKET, path.slice(0, slash), 0, name);
    const entry = page.find((candidate) => candidate.name === name && candidate.id !== null);
    if (!entry) return undefined;
    return { path, bytes: Number(entry.metadata?.['size'] ?? 0) };
  }

  async statAll(folder: string): Promise<StoredObject[]> {
    const objects: StoredObject[] = [];
    for (let offset = 0; ; offset += PAGE_SIZE) {
      const page = await this.#list(BUCKET, folder, offset);
      for (const { id, name, metadata } of page)
        if (id !== null) objects.push({ path: `${folder}/${name}`, bytes: Number(metadata?.['size'] ?? 0) });
      if (page.length < PAGE_SIZE) return objects;
    }
  }

  async head(path: string, bytes: number, signal: AbortSignal): Promise<Uint8Array> {
    const url = await this.downloadUrl(path, MIN_SIGNED_URL_SEC);
    const body = await openDownload(url, signal, { Range: `bytes=0-${bytes - 1}` });
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of body) {
      chunks.push(chunk);
      size += chunk.length;
      // A server that ignores the range sends the whole file.
      if (size >= bytes) break;
    }
    return Buffer.concat(chunks).subarray(0, bytes);
  }

  listAll(bucket: string, folder: string): Promise<string[]> {
    return this.#listBelow(bucket, folder.replace(/\/+$/, ''), MAX_DEPTH);
  }

  async remove(bucket: string, paths: readonly string[]): Promise<void> {
    for (let start = 0; start < paths.length; start += PAGE_SIZE) {
      const { error } = await this.#client.storage.from(bucket).remove(paths.slice(start, start + PAGE_SIZE));
      if (error) throw storageFault('delete files', error);
    }
  }

  async #list(bucket: string, folder: string, offset: number, search?: string) {
    const { data, error } = await this.#client.storage.from(bucket).list(folder, { limit: PAGE_SIZE, offset, search });
    if (error) throw storageFault('list files', error);
    return data;
  }

  async #listBelow(bucket: string, folder: string, depth: number): Promise<string[]> {
    const paths: string[] = [];
    for (let offset = 0; ; offset += PAGE_SIZE) {
      const page = await this.#list(bucket, folder, offset);
      for (const entry of page) {
        const path = `${folder}/${entry.name}`;
        // Folders have no id.
        if (entry.id !== null) paths.push(path);
        else if (depth > 0) paths.push(...(await this.#listBelow(bucket, path, depth - 1)));
      }
      if (page.length < PAGE_SIZE) return paths;
    }
  }
}

/** Life of a signed URL in seconds. */
function lifetime(seconds: number): number {
  return Math.max(MIN_SIGNED_URL_SEC, Math.ceil(seconds));
}
