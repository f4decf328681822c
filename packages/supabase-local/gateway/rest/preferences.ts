/** The form of the response that a REST call requests: one object or an array, a count, the written rows. */
import { header } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';
import { EXPOSED_SCHEMA } from './catalog.ts';
import { restError, unsupported } from './errors.ts';

const OBJECT_TYPE = 'application/vnd.pgrst.object+json';

/** Preferences of a request. */
export interface Preferences {
  /** One object is requested: zero or several rows are an error. */
  single: boolean;
  /** The total number of rows is requested. */
  count: boolean;
  /** The written rows are requested. */
  representation: boolean;
}

/**
 * Reads `accept` and `prefer`.
 * @throws HttpError 406 for a schema that is not exposed, 501 for an unsupported preference
 */
export function readPreferences({ request, method }: Exchange): Preferences {
  const reading = method === 'GET' || method === 'HEAD';
  const profile = header(request.headers, reading ? 'accept-profile' : 'content-profile');
  if (profile !== undefined && profile !== EXPOSED_SCHEMA)
    throw restError(406, 'PGRST106', `Invalid schema: ${profile}`, {
      hint: `Only the following schemas are exposed: ${EXPOSED_SCHEMA}`,
    });
  const accept = header(request.headers, 'accept') ?? '*/*';
  if (/text\/csv|geo\+json|vnd\.pgrst\.plan|nulls=stripped/.test(accept))
    throw unsupported(`responses of type ${accept}`);
  const preferences = (header(request.headers, 'prefer') ?? '').split(',').map((preference) => preference.trim());
  for (const preference of preferences)
    if (
      /^(resolution|tx|max-affected)=/.test(preference) ||
      preference === 'count=planned' ||
      preference === 'count=estimated'
    )
      throw unsupported(`the preference "${preference}"`);
  return {
    single: accept.includes(OBJECT_TYPE),
    count: preferences.includes('count=exact'),
    representation: preferences.includes('return=representation'),
  };
}

/** Returns the content type of the response. */
export function contentType(preferences: Preferences): string {
  return `${preferences.single ? OBJECT_TYPE : 'application/json'}; charset=utf-8`;
}
