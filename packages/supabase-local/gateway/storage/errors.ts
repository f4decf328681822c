/** Errors of Storage. Nearly all of them are HTTP 400 with the real status as a string in the body. */
import type { OutgoingHttpHeaders } from 'node:http';
import type { DatabaseError } from '../database.ts';
import { HttpError } from '../http.ts';
import type { TokenError } from '../keys.ts';

/** A refusal in Storage's shape. `http` is the status of the answer itself. */
export function storageError(
  statusCode: number,
  code: string,
  error: string,
  message: string,
  options: { http?: number; headers?: OutgoingHttpHeaders } = {},
): HttpError {
  return new HttpError(options.http ?? 400, { statusCode: String(statusCode), code, error, message }, options.headers);
}

export const objectNotFound = (): HttpError => storageError(404, 'NoSuchKey', 'not_found', 'Object not found');
export const bucketNotFound = (): HttpError =>
  storageError(404, 'NoSuchBucket', 'Bucket not found', 'Bucket not found');
export const invalidKey = (key: string): HttpError =>
  storageError(400, 'InvalidKey', 'InvalidKey', `Invalid key: ${key}`);
export const alreadyExists = (): HttpError =>
  storageError(409, 'ResourceAlreadyExists', 'Duplicate', 'The resource already exists');
export const entityTooLarge = (): HttpError =>
  storageError(413, 'EntityTooLarge', 'Payload too large', 'The object exceeded the maximum allowed size');
export const invalidMimeType = (type: string): HttpError =>
  storageError(415, 'InvalidMimeType', 'invalid_mime_type', `mime type ${type} is not supported`);
export const badRequest = (message: string): HttpError =>
  storageError(400, 'InvalidRequest', 'Invalid Request', message);
export const accessDenied = (message = 'new row violates row-level security policy'): HttpError =>
  storageError(403, 'AccessDenied', 'Unauthorized', message);

/** A bearer that cannot be believed. */
export function invalidTokenError(error: TokenError): HttpError {
  return accessDenied(error.fault === 'expired' ? '"exp" claim timestamp check failed' : error.message);
}

/** The token of a link that cannot be believed. */
export function invalidLinkTokenError(error: TokenError): HttpError {
  const message = error.fault === 'expired' ? '"exp" claim timestamp check failed' : 'signature verification failed';
  return storageError(400, 'InvalidJWT', 'InvalidJWT', message);
}

export const invalidSignature = (): HttpError =>
  storageError(400, 'InvalidSignature', 'InvalidSignature', 'The url do not match the signature');

/** A statement on storage.objects that Postgres refused. */
export function databaseRefusal(error: DatabaseError): HttpError {
  if (error.code === '42501') return accessDenied();
  if (error.code === '23505') return alreadyExists();
  return storageError(500, 'DatabaseError', 'DatabaseError', error.message, { http: 500 });
}
