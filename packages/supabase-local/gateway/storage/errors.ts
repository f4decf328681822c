/** Errors of Storage. Nearly all of them are HTTP 400 with the real status as a string in the body. */
import type { OutgoingHttpHeaders } from 'node:http';
import type { DatabaseError } from '../database.ts';
import { Refusal } from '../http.ts';
import type { TokenError } from '../keys.ts';

/** A refusal in Storage's shape. `http` is the status of the answer itself. */
export function storageRefusal(
  statusCode: number,
  code: string,
  error: string,
  message: string,
  options: { http?: number; headers?: OutgoingHttpHeaders } = {},
): Refusal {
  return new Refusal(options.http ?? 400, { statusCode: String(statusCode), code, error, message }, options.headers);
}

export const noObject = (): Refusal => storageRefusal(404, 'NoSuchKey', 'not_found', 'Object not found');
export const noBucket = (): Refusal => storageRefusal(404, 'NoSuchBucket', 'Bucket not found', 'Bucket not found');
export const invalidKey = (key: string): Refusal =>
  storageRefusal(400, 'InvalidKey', 'InvalidKey', `Invalid key: ${key}`);
export const duplicate = (): Refusal =>
  storageRefusal(409, 'ResourceAlreadyExists', 'Duplicate', 'The resource already exists');
export const tooLarge = (): Refusal =>
  storageRefusal(413, 'EntityTooLarge', 'Payload too large', 'The object exceeded the maximum allowed size');
export const wrongType = (type: string): Refusal =>
  storageRefusal(415, 'InvalidMimeType', 'invalid_mime_type', `mime type ${type} is not supported`);
export const badRequest = (message: string): Refusal =>
  storageRefusal(400, 'InvalidRequest', 'Invalid Request', message);
export const denied = (message = 'new row violates row-level security policy'): Refusal =>
  storageRefusal(403, 'AccessDenied', 'Unauthorized', message);

/** A bearer that cannot be believed. */
export function tokenRefusal(error: TokenError): Refusal {
  return denied(error.fault === 'expired' ? '"exp" claim timestamp check failed' : error.message);
}

/** The token of a link that cannot be believed. */
export function linkRefusal(error: TokenError): Refusal {
  const message = error.fault === 'expired' ? '"exp" claim timestamp check failed' : 'signature verification failed';
  return storageRefusal(400, 'InvalidJWT', 'InvalidJWT', message);
}

export const wrongLink = (): Refusal =>
  storageRefusal(400, 'InvalidSignature', 'InvalidSignature', 'The url do not match the signature');

/** A statement on storage.objects that Postgres refused. */
export function databaseRefusal(error: DatabaseError): Refusal {
  if (error.code === '42501') return denied();
  if (error.code === '23505') return duplicate();
  return storageRefusal(500, 'DatabaseError', 'DatabaseError', error.message, { http: 500 });
}
