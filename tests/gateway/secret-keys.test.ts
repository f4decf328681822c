/** Secret keys and browsers: as the hosted gateway, which tells a browser by its User-Agent. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { LOCAL_ONLY, useGateway } from './gateway-fixture.ts';

const BROWSER = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36' };

const { url, keys } = await useGateway({ after });

describe('a secret key', { skip: LOCAL_ONLY }, () => {
  const status = async (path: string, headers: Record<string, string>): Promise<number> => {
    const response = await fetch(url + path, { headers });
    await response.body?.cancel();
    return response.status;
  };

  it('is refused from a browser by every service, in each place of a request, and accepted from a server', async () => {
    const places: [string, Record<string, string>][] = [
      ['/rest/v1/', { apikey: keys.secretKey }],
      ['/auth/v1/admin/users', { apikey: keys.secretKey, authorization: `Bearer ${keys.secretKey}` }],
      ['/storage/v1/bucket', { apikey: keys.publishableKey, authorization: `Bearer ${keys.secretKey}` }],
      [`/functions/v1/any?apikey=${keys.secretKey}`, {}],
    ];
    for (const [path, headers] of places) {
      const response = await fetch(url + path, { headers: { ...headers, ...BROWSER } });
      assert.equal(response.status, 401, path);
      const { message } = (await response.json()) as { message: string };
      assert.equal(message, 'Forbidden use of secret API key in browser');
      assert.notEqual(await status(path, headers), 401, path);
    }
  });

  it('is refused from the socket of a browser', async () => {
    const socketUrl = `${url.replace('http', 'ws')}/realtime/v1/websocket?apikey=${keys.secretKey}&vsn=2.0.0`;
    const refused = new WebSocket(socketUrl, { headers: BROWSER });
    const [, response] = (await once(refused, 'unexpected-response')) as [unknown, { statusCode: number }];
    assert.equal(response.statusCode, 401);
    const accepted = new WebSocket(socketUrl);
    await once(accepted, 'open');
    accepted.close();
  });

  it('other keys are accepted from a browser', async () => {
    for (const key of [keys.anonKey, keys.publishableKey, keys.serviceRoleKey])
      assert.equal(
        await status('/storage/v1/bucket', { apikey: key, authorization: `Bearer ${key}`, ...BROWSER }),
        200,
      );
  });
});
