import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { SignJWT } from 'jose';
import { makeKeys } from '@mashup-engine/supabase-local/gateway/keys';
import { startFunctionsFixture } from './functions-fixture.ts';

const FUNCTIONS = [
  'generate-mashup',
  'get-mashup-status',
  'create-signed-upload',
  'claude-mashup-iteration',
  'edit-mashup',
  'stem-separation',
  'delete-account',
];

const fixture = await startFunctionsFixture({ after });
const visitor = await fixture.visitor();

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function forgedTokens(): Promise<Record<string, string>> {
  const claims = {
    sub: visitor.id,
    role: 'authenticated',
    exp: Math.floor(Date.now() / 1000) + 3600,
    aud: 'authenticated',
  };
  const [, payload, signature] = visitor.token.split('.');
  const sign = (secret: string, more: object = {}) =>
    new SignJWT({ ...claims, ...more })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .sign(new TextEncoder().encode(secret));
  return (async () => ({
    'no signature (alg none)': `${base64url({ alg: 'none', typ: 'JWT' })}.${payload}.`,
    'another header': `${base64url({ alg: 'HS256', typ: 'JWT' })}.${payload}.${signature}`,
    "another project's secret": await sign((await makeKeys()).jwtSecret),
    'no claims': `${base64url({ alg: 'ES256' })}.e30.${signature}`,
    'an expired session': await sign(fixture.keys.jwtSecret, { exp: 1_000_000_000 }),
    nonsense: 'x.y.z',
  }))();
}

describe('authentication', () => {
  for (const name of FUNCTIONS) {
    test(`${name} requires a user’s token: none, the anon key and the publishable key are refused`, async () => {
      for (const as of [undefined, fixture.keys.anonKey, fixture.keys.publishableKey]) {
        const headers = { apikey: fixture.keys.publishableKey };
        const { status, body, headers: received } = await fixture.call(name, {}, { as, headers });
        assert.equal(status, 401, JSON.stringify(body));
        assert.equal(body.code, 'sign_in_required');
        assert.equal(received.get('access-control-allow-origin'), '*');
      }
    });
  }

  test('a forged, unsigned, foreign or expired token is refused', async () => {
    for (const [what, as] of Object.entries(await forgedTokens())) {
      for (const name of FUNCTIONS) {
        const { status, body } = await fixture.call(name, {}, { as });
        assert.equal(status, 401, `${name} with ${what}: ${JSON.stringify(body)}`);
        assert.equal(body.code, 'sign_in_required', `${name} with ${what}`);
      }
    }
  });

  test('a token of an older project, signed with the shared secret, is accepted', async () => {
    const now = Math.floor(Date.now() / 1000);
    const { session_id } = JSON.parse(Buffer.from(visitor.token.split('.')[1] ?? '', 'base64url').toString()) as {
      session_id: string;
    };
    const token = await new SignJWT({ role: 'authenticated', session_id, aud: 'authenticated' })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject(visitor.id)
      .setIssuedAt(now)
      .setExpirationTime(now + 600)
      .sign(new TextEncoder().encode(fixture.keys.jwtSecret));
    const { status, body } = await fixture.call('get-mashup-status', {}, { as: token });
    assert.equal(status, 400, JSON.stringify(body));
  });

  test('a preflight needs no token, and GET is not allowed', async () => {
    for (const name of FUNCTIONS) {
      const preflight = await fixture.call(name, null, { method: 'OPTIONS' });
      assert.equal(preflight.status, 200);
      assert.match(
        preflight.headers.get('access-control-allow-headers') ?? '',
        /authorization.*apikey.*idempotency-key/,
      );
      const get = await fixture.call(name, null, { method: 'GET' });
      assert.equal(get.status, 405);
      assert.equal(get.body.error, 'Method not allowed');
    }
  });
});
