/** A client with its own tokens: a token expires, joins are refused, and the next token is valid. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { createClient } from '@supabase/supabase-js';
import { followJob } from '@mashup-engine/client';
import { openKeyRing } from '@mashup-engine/supabase-local/gateway/keys';
import { startFunctionsFixture } from '../functions/functions-fixture.ts';
import { until } from '../support/until.ts';

const surface = await startFunctionsFixture({ after }, { functions: false });
const { machine } = surface;
const ring = await openKeyRing(surface.keys);

const SHORT_SEC = 3;
/** Added for each stream that was lost before it was ready: a slow machine needs longer. */
const LONGER_SEC = 3;

describe('followJob with tokens of the frontend’s own', () => {
  test('rejoins after its token has expired, opens no additional channels while it is refused, and continues with the next token', async (t) => {
    const visitor = await surface.visitor();
    const id = await machine.submit(visitor.id);
    const token = (seconds: number): Promise<string> => {
      const now = Math.floor(Date.now() / 1000);
      return ring.signUser({ sub: visitor.id, role: 'authenticated', iat: now, exp: now + seconds });
    };
    let current = '';
    let wasLive = false;
    let lost = 0;
    const statuses: number[] = [];
    const client = createClient(surface.url, surface.keys.publishableKey, {
      // A slow machine needs more than one token until the stream is ready.
      accessToken: async () => (wasLive ? current : (current = await token(SHORT_SEC + lost * LONGER_SEC))),
      global: {
        fetch: async (input, init) => {
          const response = await fetch(input, init);
          statuses.push(response.status);
          return response;
        },
      },
    });
    t.after(() => client.removeAllChannels());
    const live: boolean[] = [];
    let most = 0;
    const follower = followJob(client, id, {
      safetyReadMs: 600_000,
      onLive: (isLive) => {
        wasLive ||= isLive;
        if (wasLive) live.push(isLive);
        else lost += 1;
        most = Math.max(most, client.getChannels().length);
      },
    });
    t.after(() => follower.stop());
    await until('the stream is ready', () => wasLive);
    await until('the channel is closed', () => live.at(-1) === false);
    // Only the expired token is available: reads return 401, joins are refused, and the client keeps trying.
    await until('it was refused more than once', () => live.filter((isLive) => !isLive).length >= 3);
    await until('a read was refused', () => statuses.includes(401));
    assert.ok(most <= 1 && client.getChannels().length <= 1, `${most} channels`);
    current = await token(600);
    await until('the stream is ready again', () => live.at(-1) === true);
    await machine.sql`select mashup.cancel(${id})`;
    assert.equal((await follower.finished)?.stage, 'cancelled');
    assert.equal(client.getChannels().length, 0);
  });
});

describe('followJob of a user', () => {
  test('without a session ends with sign_in_required', async (t) => {
    const visitor = await surface.visitor();
    const id = await machine.submit(visitor.id);
    t.after(() => machine.sql`select mashup.cancel(${id})`);
    await visitor.client.auth.signOut();
    await assert.rejects(followJob(visitor.client, id).finished, { code: 'sign_in_required' });
  });
});
