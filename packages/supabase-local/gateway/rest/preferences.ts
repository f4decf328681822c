/** What a REST call asks of its answer: one object or an array, a count, the rows it wrote. */
import { header } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';
import { EXPOSED_SCHEMA } from './catalog.ts';
import { restError, unsupported } from './errors.ts';

const OBJECT_TYPE = 'application/vnd.pgrst.object+json';

export interface Preferences {
  /** One object is wanted; zero or several rows are an error. */
  single: boolean;
  /** The total number of rows is wanted. */
  count: boolean;
  /** The rows written are wanted. */
  representation: boolean;
}

/** Reads `accept` and `prefer`, and refuses a profile that is not exposed. */
export function readPreferences({ request, method }: Exchange): Preferences {
  const reading = method === 'GET' || method === 'HEAD';
  const profile = header(request.headers, reading ? 'accept-profile' : 'content-profile');
  if (profile !== undefined && profile !== EXPOSED_SCHEMA)
    throw restError(406, 'PGRST106', `Invalid schema: ${profile}`, {
      hint: `Only the following schemas are exposed: ${EXPOSED_SCHEMA}`,
    });
  const accept = header(request.headers, 'accept') ?? '*/*';
  if (/text\/csv|geo\+json|vnd\.pgrst\.plan|nulls=stripped/.test(accept))
    throw unsupported(`answers of type ${accept}`);
  const wishes = (header(request.headers, 'prefer') ?? '').split(',').map((wish) => wish.trim());
  for (const wish of wishes)
    if (/^(resolution|tx|max-affected)=/.test(wish) || wish === 'count=planned' || wish === 'count=estimated')
      throw unsupported(`the preference "${wish}"`);
  return {
    single: accept.includes(OBJECT_TYPE),
    count: wishes.includes('count=exact'),
    representation: wishes.includes('return=representation'),
  };
}

/** The type of the answer's body. */
export function contentType(preferences: Preferences): string {
  return `${preferences.single ? OBJECT_TYPE : 'application/json'}; charset=utf-8`;
}
