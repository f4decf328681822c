/** The network address of the client, for the limits of requests without an account. */
import { clientAddressHeader } from './environment.ts';

/**
 * The address that the nearest proxy saw; null if no header tells it. Only that proxy's entry counts: those before it come from
 * the client.
 */
export function clientAddressOf(request: Request): string | null {
  return request.headers.get(clientAddressHeader())?.split(',').at(-1)?.trim() || null;
}
