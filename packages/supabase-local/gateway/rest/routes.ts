/** `/rest/v1`: tables, views and functions of the exposed schema. */
import { decodePath } from '../http.ts';
import type { Exchange } from '../http.ts';
import { bearerOf, identityOf, requireApiKey } from '../identity.ts';
import type { Identity } from '../identity.ts';
import { TokenError } from '../keys.ts';
import type { KeyRing } from '../keys.ts';
import { tokenRefusal, unsupported } from './errors.ts';
import { answerRpc } from './rpc.ts';
import { answerTable } from './tables.ts';
import type { RestContext } from './tables.ts';

async function identify(ring: KeyRing, exchange: Exchange): Promise<Identity> {
  const keyRole = requireApiKey(exchange, ring);
  const bearer = bearerOf(exchange.request.headers);
  if (!bearer) return { role: keyRole, claims: { role: keyRole } };
  try {
    return await identityOf(ring, bearer);
  } catch (error) {
    throw error instanceof TokenError ? tokenRefusal(error) : error;
  }
}

/** Answers one call of REST. `path` is what follows `/rest/v1`. */
export async function answerRest(context: RestContext, ring: KeyRing, exchange: Exchange, path: string): Promise<void> {
  const identity = await identify(ring, exchange);
  const [, first = '', second, ...rest] = path.split('/').map(decodePath);
  if (first === 'rpc' && second && rest.length === 0) return answerRpc(context, exchange, identity, second);
  if (first === '' || second !== undefined) throw unsupported('the description of the API at the root');
  return answerTable(context, exchange, identity, first);
}
