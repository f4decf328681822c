/** The functions with the settings of different projects: keys of the old and the new style, and tokens verified by JWKS. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import { exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import type { CryptoKey, JWTPayload } from 'jose';
import { makeKeys, openKeyRing } from '@mashup-engine/supabase-local/gateway/keys';
import { freePort } from '../../local/ports.ts';
import { startFunctions, startFunctionsFixture } from './functions-fixture.ts';
import type { ResponseBody } from './functions-fixture.ts';

const fixture = await startFunctionsFixture({ after }, { functions: false });
const { keys, url: projectUrl } = fixture;
const visitor = await fixture.visitor();
const song = { songId: 'song-1', fileName: 'song.mp3', fileSize: 1000, contentType: 'audio/mpeg' };

type Call = (
  name: string,
  body: unknown,
  headers: Record<string, string>,
) => Promise<{ status: number; body: ResponseBody }>;

/** Starts the functions in their own Deno with exactly these environment variables. */
async function functionsWith(settings: Record<string, string>): Promise<Call> {
  const port = await freePort();
  const deno = await startFunctions(port, settings);
  after(() => void deno.kill('SIGKILL'));
  return async (name, body, headers) => {
    const response = await fetch(`http://127.0.0.1:${port}/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as ResponseBody };
  };
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

const STYLES: { style: string; settings: Record<string, string>; service: string; foreign: string }[] = [
  {
    style: 'old (SUPABASE_ANON_KEY, SUPABASE_SERVICE_ROLE_KEY)',
    settings: { SUPABASE_ANON_KEY: keys.anonKey, SUPABASE_SERVICE_ROLE_KEY: keys.serviceRoleKey },
    service: keys.serviceRoleKey,
    foreign: keys.secretKey,
  },
  {
    style: 'new (SUPABASE_PUBLISHABLE_KEYS, SUPABASE_SECRET_KEYS)',
    // As the platform sets them: names to keys, with one key named default.
    settings: {
      SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ mobile: 'sb_publishable_gone', default: keys.publishableKey }),
      SUPABASE_SECRET_KEYS: JSON.stringify({ automation: 'sb_secret_gone', default: keys.secretKey }),
    },
    service: keys.secretKey,
    foreign: keys.serviceRoleKey,
  },
  {
    style: 'new, one by one (SUPABASE_PUBLISHABLE_KEY, SUPABASE_SECRET_KEY)',
    settings: {
      SUPABASE_PUBLISHABLE_KEYS: 'no json',
      SUPABASE_PUBLISHABLE_KEY: keys.publishableKey,
      SUPABASE_SECRET_KEY: keys.secretKey,
    },
    service: keys.secretKey,
    foreign: keys.serviceRoleKey,
  },
];

for (const { style, settings, service, foreign } of STYLES) {
  describe(`keys of the style ${style}`, async () => {
    const call = await functionsWith({ SUPABASE_URL: projectUrl, ...settings });

    test('serve a user with that user’s rights in the database and in Storage', async () => {
      const signed = await call('create-signed-upload', song, bearer(visitor.token));
      assert.equal(signed.status, 200, JSON.stringify(signed.body));
      assert.equal(signed.body['path'], `uploads/${visitor.id}/song-1/song.mp3`);
      const status = await call('get-mashup-status', { jobId: randomUUID() }, bearer(visitor.token));
      assert.deepEqual([status.status, status.body.code], [404, 'job_not_found']);
    });

    test('accept only their own key for the service role, as bearer or as apikey', async () => {
      const request = { audio_url: 'x', job_id: randomUUID() };
      for (const headers of [bearer(service), { apikey: service }, { apikey: service, ...bearer(service) }]) {
        const { status, body } = await call('stem-separation', request, headers);
        assert.deepEqual([status, body.code], [404, 'job_not_found'], JSON.stringify(body));
      }
      for (const stranger of [foreign, 'sb_secret_wrong', `${service}x`, keys.publishableKey, keys.anonKey]) {
        const { status, body } = await call('stem-separation', request, { apikey: stranger, ...bearer(stranger) });
        assert.deepEqual([status, body.code], [401, 'sign_in_required'], stranger);
      }
    });
  });
}

describe('incomplete settings', () => {
  test('without any key the functions refuse with env_missing', async () => {
    const call = await functionsWith({ SUPABASE_URL: projectUrl });
    const { status, body } = await call('get-mashup-status', { jobId: randomUUID() }, bearer(visitor.token));
    assert.deepEqual([status, body.code], [500, 'env_missing']);
  });

  test('if Auth cannot be reached to check a token, the functions refuse with auth_unreachable', async () => {
    const dead = `http://127.0.0.1:${await freePort()}`;
    const call = await functionsWith({ SUPABASE_URL: dead, SUPABASE_ANON_KEY: keys.anonKey });
    const { status, body } = await call('get-mashup-status', { jobId: randomUUID() }, bearer(visitor.token));
    assert.deepEqual([status, body.code], [503, 'auth_unreachable']);
  });
});

/** A proxy of the project whose key set has the signing key and an RSA key. */
async function projectWithTwoKeys(): Promise<{ url: string; rsa: CryptoKey }> {
  const ring = await openKeyRing(keys);
  const rsa = await generateKeyPair('RS256', { extractable: true });
  const rsaJwk = { ...(await exportJWK(rsa.publicKey)), kid: 'rsa-1', alg: 'RS256', use: 'sig', key_ops: ['verify'] };
  const front = createServer((request, response) => {
    void (async () => {
      if (request.url === '/auth/v1/.well-known/jwks.json') {
        response.setHeader('content-type', 'application/json');
        return response.end(JSON.stringify({ keys: [...ring.jwks().keys, rsaJwk] }));
      }
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const forwarded = await fetch(projectUrl + request.url, {
        method: request.method,
        headers: request.headers as Record<string, string>,
        ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
      });
      response.writeHead(forwarded.status, {
        'content-type': forwarded.headers.get('content-type') ?? 'application/json',
      });
      return response.end(await forwarded.text());
    })();
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  after(() => void front.close().closeAllConnections());
  return { url: `http://127.0.0.1:${(front.address() as AddressInfo).port}`, rsa: rsa.privateKey };
}

describe('a user’s token, verified by the project’s key set', async () => {
  const project = await projectWithTwoKeys();
  const issuer = `${projectUrl}/auth/v1`;
  const call = await functionsWith({
    SUPABASE_URL: project.url,
    SB_JWT_ISSUER: issuer,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishableKey }),
  });
  const now = Math.floor(Date.now() / 1000);
  const claims: JWTPayload = {
    ...(JSON.parse(Buffer.from(visitor.token.split('.')[1] ?? '', 'base64url').toString()) as JWTPayload),
    iss: issuer,
    iat: now,
    exp: now + 600,
  };
  const { kid } = keys.signingKey;
  const signingKey = (await importJWK({ ...keys.signingKey }, 'ES256')) as CryptoKey;
  const other = await makeKeys();
  const otherKey = (await importJWK({ ...other.signingKey }, 'ES256')) as CryptoKey;
  const otherRsa = await generateKeyPair('RS256');
  const secret = (text: string): Uint8Array => new TextEncoder().encode(text);

  function sign(
    key: CryptoKey | Uint8Array,
    header: { alg: string; kid?: string },
    more: JWTPayload = {},
  ): Promise<string> {
    return new SignJWT({ ...claims, ...more }).setProtectedHeader({ typ: 'JWT', ...header }).sign(key);
  }

  /** Whether the token is accepted: then the function checks the body, in which the id is missing. */
  const isAccepted = async (token: string): Promise<boolean> => {
    const { status, body } = await call('get-mashup-status', {}, bearer(token));
    if (status === 400) assert.equal(body.code, 'invalid_request');
    else assert.deepEqual([status, body.code], [401, 'sign_in_required'], JSON.stringify(body));
    return status === 400;
  };

  const ACCEPTED: [string, () => Promise<string>][] = [
    ['signed by Auth itself', () => Promise.resolve(visitor.token)],
    ['ES256', () => sign(signingKey, { alg: 'ES256', kid })],
    ['RS256', () => sign(project.rsa, { alg: 'RS256', kid: 'rsa-1' })],
    [
      'HS256 of the legacy secret, with a session that Auth knows',
      () => sign(secret(keys.jwtSecret), { alg: 'HS256' }),
    ],
  ];
  for (const [what, make] of ACCEPTED) {
    test(`${what}: is accepted`, async () => assert.equal(await isAccepted(await make()), true));
  }

  const es256 = { alg: 'ES256', kid };
  const REFUSED: [string, () => Promise<string>][] = [
    ['the issuer is another project', () => sign(signingKey, es256, { iss: 'https://other.supabase.co/auth/v1' })],
    ['there is no issuer', () => sign(signingKey, es256, { iss: undefined })],
    [
      'RS256 of another issuer',
      () => sign(project.rsa, { alg: 'RS256', kid: 'rsa-1' }, { iss: `${projectUrl}/auth/v2` }),
    ],
    ['another key under the id of the right one', () => sign(otherKey, es256)],
    ['another RSA key under the id of the right one', () => sign(otherRsa.privateKey, { alg: 'RS256', kid: 'rsa-1' })],
    ['a key that is not in the set', () => sign(otherKey, { alg: 'ES256', kid: other.signingKey.kid })],
    ['expired a second ago', () => sign(signingKey, es256, { exp: now - 1 })],
    ['RS256, expired', () => sign(project.rsa, { alg: 'RS256', kid: 'rsa-1' }, { exp: now - 1 })],
    ['HS256 of another secret', () => sign(secret(other.jwtSecret), { alg: 'HS256' })],
    ['HS256, expired', () => sign(secret(keys.jwtSecret), { alg: 'HS256' }, { exp: now - 1 })],
    [
      'HS256 with the public key for a secret',
      () => sign(secret(keys.signingKey.x + keys.signingKey.y), { alg: 'HS256', kid }),
    ],
    ['the role of the service', () => sign(signingKey, es256, { role: 'service_role' })],
    ['the role anon', () => sign(signingKey, es256, { role: 'anon' })],
  ];
  for (const [what, make] of REFUSED) {
    test(`${what}: is refused`, async () => assert.equal(await isAccepted(await make()), false));
  }

  test('a public SUPABASE_URL defines the issuer; a local stack accepts its sessions on another port', async () => {
    const strict = await functionsWith({ SUPABASE_URL: `${project.url}/`, SUPABASE_ANON_KEY: keys.anonKey });
    const status = async (token: string): Promise<number> =>
      (await strict('get-mashup-status', {}, bearer(token))).status;
    assert.equal(await status(await sign(signingKey, es256, { iss: `${project.url}/auth/v1` })), 400);
    assert.notEqual(project.url, projectUrl);
    assert.equal(await status(visitor.token), 400);
    assert.equal(await status(await sign(signingKey, es256, { iss: 'https://other.supabase.co/auth/v1' })), 401);
    assert.equal(await status(await sign(signingKey, es256, { iss: `${project.url}/auth/v2` })), 401);
  });
});
