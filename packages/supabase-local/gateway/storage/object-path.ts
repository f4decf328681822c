/** Names of buckets and objects. They are rows of a table; no path on disk is ever made of them. */
import { decodePath } from '../http.ts';
import { invalidKey } from './errors.ts';

const MAX_KEY_LENGTH = 1024;
const KEY = /^[\w/!\-.*'() &$@=;:+,?]+$/;

/** An object's place: bucket and name. */
export interface ObjectPath {
  bucket: string;
  name: string;
}

/** Refuses names that hosted Storage refuses, and any that climbs: `..`, empty parts, a leading slash. */
function requireName(name: string): string {
  const climbs = name.split('/').some((part) => part === '..' || part === '.' || part === '');
  if (climbs || name.length > MAX_KEY_LENGTH || !KEY.test(name)) throw invalidKey(name);
  return name;
}

/** The place in the rest of a path, decoded once. Without a name, or with a bad one, it is refused. */
export function parseObjectPath(path: string): ObjectPath {
  const [bucket = '', ...parts] = path.split('/').map(decodePath);
  return { bucket, name: requireName(parts.join('/')) };
}

/** The place as links and answers write it. */
export function objectKey({ bucket, name }: ObjectPath): string {
  return `${bucket}/${name}`;
}
