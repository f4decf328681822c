/** `/rest/v1`: tables, views and functions of the exposed schema. */
import { decodePath } from '../http.ts';
import type { Exchange } from '../exchange.ts';
import { bearerOf, identityOf, requireApiKey } from '../identity.ts';
import type { Identity } from '../identity.ts';
import { TokenError } from '../keys.ts';
import type { KeyRing } from '../keys.ts';
import { invalidTokenError, unsupported } from './errors.ts';
import { handleRpc } from './rpc.ts';
import { handleTable } from './tables.ts';
import type { RestContext } from './tables.ts';

async function identify(ring: KeyRing, exchange: Exchange): Promise<Identity> {
  const keyRole = requireApiKey(exchange, ring);
  const bearer = bearerOf(exchange.request.headers);
  if (!bearer) return { role: keyRole, claims: { role: keyRole } };
  try {
    return await identityOf(ring, bearer);
  } catch (error) {
    throw error instanceof TokenError ? invalidTokenError(error) : error;
  }
}

/** Handles one call of REST; `path` is what follows `/rest/v1`. */
export async function handleRest(context: RestContext, ring: KeyRing, exchange: Exchange, path: string): Promise<void> {
  const identity = await identify(ring, exchange);
  const [, first = '', second, ...rest] = path.split('/').map(decodePath);
  if (first === 'rpc' && second && rest.length === 0) return handleRpc(context, exchange, identity, second);
  if (first === '' || second !== undefined) throw unsupported('the description of the API at the root');
  return handleTable(context, exchange, identity, first);
}
