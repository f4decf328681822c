/** Errors of Storage. Most of them are HTTP 400 with the real status as a text in the body. */
import type { OutgoingHttpHeaders } from 'node:http';
import type { DatabaseError } from '../database.ts';
import { HttpError } from '../http.ts';
import type { TokenError } from '../keys.ts';

/** Creates an error with the body of Storage. `http` is the status of the response itself; default 400. */
export function storageError(
  statusCode: number,
  code: string,
  error: string,
  message: string,
  options: { http?: number; headers?: OutgoingHttpHeaders } = {},
): HttpError {
  return new HttpError(options.http ?? 400, { statusCode: String(statusCode), code, error, message }, options.headers);
}

/** The object does not exist, or the caller may not see it. */
export const objectNotFound = (): HttpError => storageError(404, 'NoSuchKey', 'not_found', 'Object not found');

/** The bucket does not exist, or the caller may not see it. */
export const bucketNotFound = (): HttpError =>
  storageError(404, 'NoSuchBucket', 'Bucket not found', 'Bucket not found');

/** The name of an object is not allowed. */
export const invalidKey = (key: string): HttpError =>
  storageError(400, 'InvalidKey', 'InvalidKey', `Invalid key: ${key}`);

/** The object exists already. */
export const objectExists = (): HttpError =>
  storageError(409, 'KeyAlreadyExists', 'Duplicate', 'The resource already exists');

/** The bucket exists already. */
export const bucketExists = (): HttpError =>
  storageError(409, 'BucketAlreadyExists', 'Duplicate', 'The resource already exists');

/** The body is larger than the limit of the bucket. */
export const entityTooLarge = (): HttpError =>
  storageError(413, 'EntityTooLarge', 'Payload too large', 'The object exceeded the maximum allowed size');

/** The bucket does not accept the type. */
export const invalidMimeType = (type: string): HttpError =>
  storageError(415, 'InvalidMimeType', 'invalid_mime_type', `mime type ${type} is not supported`);

/** The request is invalid. */
export const badRequest = (message: string): HttpError =>
  storageError(400, 'InvalidRequest', 'Invalid Request', message);

/** The caller may not do this. */
export const accessDenied = (message = 'new row violates row-level security policy'): HttpError =>
  storageError(403, 'AccessDenied', 'Unauthorized', message);

/** The URL is not the one for which the token of the link was signed. */
export const invalidSignature = (): HttpError =>
  storageError(400, 'InvalidSignature', 'InvalidSignature', 'The url do not match the signature');

/** Creates the error for an invalid bearer token. */
export function invalidTokenError(error: TokenError): HttpError {
  return accessDenied(error.fault === 'expired' ? '"exp" claim timestamp check failed' : error.message);
}

/** Creates the error for an invalid token of a signed link. */
export function invalidLinkTokenError(error: TokenError): HttpError {
  const message = error.fault === 'expired' ? '"exp" claim timestamp check failed' : 'signature verification failed';
  return storageError(400, 'InvalidJWT', 'InvalidJWT', message);
}

/**
 * Converts an error of Postgres, raised by a statement on storage tables.
 * @param exists creates the error for a row that exists already
 */
export function toStorageError(error: DatabaseError, exists: () => HttpError): HttpError {
  if (error.code === '42501') return accessDenied();
  if (error.code === '23505') return exists();
  return storageError(500, 'DatabaseError', 'DatabaseError', error.message, { http: 500 });
}
