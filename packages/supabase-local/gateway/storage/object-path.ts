/** Names of buckets and objects. They are stored in rows; no path on disk is built from them. */
import { decodePath } from '../http.ts';
import { invalidKey } from './errors.ts';

const MAX_KEY_LENGTH = 1024;
const KEY = /^[\w/!\-.*'() &$@=;:+,?]+$/;

/** Bucket and name of an object. */
export interface ObjectPath {
  bucket: string;
  name: string;
}

/** Rejects names that hosted Storage rejects, and path traversal: `..`, empty parts, a leading slash. */
function requireName(name: string): string {
  const isTraversal = name.split('/').some((part) => part === '..' || part === '.' || part === '');
  if (isTraversal || name.length > MAX_KEY_LENGTH || !KEY.test(name)) throw invalidKey(name);
  return name;
}

/**
 * Parses the rest of a URL path, decoded once.
 * @throws HttpError `InvalidKey` without a valid name
 */
export function parseObjectPath(path: string): ObjectPath {
  const [bucket = '', ...parts] = path.split('/').map(decodePath);
  return { bucket, name: requireName(parts.join('/')) };
}

/** Returns the path as links and responses write it. */
export function objectKey({ bucket, name }: ObjectPath): string {
  return `${bucket}/${name}`;
}
