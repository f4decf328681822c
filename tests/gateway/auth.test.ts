import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { LOCAL_ONLY, useGateway } from './gateway-fixture.ts';

const PASSWORD = 'correct horse';

const fixture = await useGateway({ after });

describe('Auth of the gateway', { skip: LOCAL_ONLY }, () => {
  it('signs up a confirmed user, who can sign in again', async () => {
    const client = fixture.client();
    const email = 'first@example.com';
    const up = await client.auth.signUp({ email, password: PASSWORD, options: { data: { nick: 'one' } } });
    assert.equal(up.error, null);
    assert.equal(up.data.session?.token_type, 'bearer');
    assert.equal(up.data.user?.email, email);
    assert.equal(up.data.user?.user_metadata.nick, 'one');
    assert.equal(up.data.user?.identities?.length, 1);
    const again = await fixture.client().auth.signInWithPassword({ email: 'First@Example.com', password: PASSWORD });
    assert.equal(again.data.user?.id, up.data.user?.id);
    assert.ok(again.data.user?.last_sign_in_at);
  });

  it('returns string error codes, and repeats and exposes the API version', async () => {
    const client = fixture.client();
    const credentials = { email: 'second@example.com', password: PASSWORD };
    await client.auth.signUp(credentials);
    const taken = await fixture.client().auth.signUp(credentials);
    assert.deepEqual([taken.error?.status, taken.error?.code], [422, 'user_already_exists']);
    const wrong = await client.auth.signInWithPassword({ ...credentials, password: 'wrong' });
    assert.deepEqual([wrong.error?.status, wrong.error?.code], [400, 'invalid_credentials']);
    const unknown = await client.auth.signInWithPassword({ email: 'nobody@example.com', password: 'wrong!' });
    assert.equal(unknown.error?.message, wrong.error?.message);
    const weak = await client.auth.signUp({ email: 'third@example.com', password: '12' });
    assert.equal(weak.error?.name, 'AuthWeakPasswordError');
    const response = await fixture.fetch('/auth/v1/token?grant_type=password', {
      method: 'POST',
      headers: { 'x-supabase-api-version': '2024-01-01' },
      body: '{"email":"x@y.z","password":"nonono"}',
    });
    assert.equal(response.headers.get('x-supabase-api-version'), '2024-01-01');
    assert.match(response.headers.get('access-control-expose-headers') ?? '', /X-Supabase-Api-Version/i);
    const old = await fixture.fetch('/auth/v1/signup', { method: 'POST', body: '{"email":"no","password":"nonono"}' });
    assert.equal(((await old.json()) as { error_code: string }).error_code, 'validation_failed');
  });

  it('signs in anonymous users without an e-mail address', async () => {
    const { data } = await fixture.client().auth.signInAnonymously();
    assert.equal(data.user?.is_anonymous, true);
    assert.equal(data.user?.email, '');
    assert.equal(data.user?.phone, '');
    assert.deepEqual(data.user?.identities, []);
    const claims = decodeJwt(data.session?.access_token ?? '');
    assert.equal(claims.role, 'authenticated');
    assert.equal(claims.aud, 'authenticated');
    assert.equal(claims.iss, `${fixture.url}/auth/v1`);
    assert.equal(claims.is_anonymous, true);
  });

  it('publishes its public ES256 key, with which getClaims verifies tokens locally', async () => {
    const requested: string[] = [];
    const spy: typeof fetch = (input, init) => {
      requested.push(new URL(String(input)).pathname);
      return fetch(input, init);
    };
    const client = fixture.client(fixture.keys.anonKey, { global: { fetch: spy } });
    const { data } = await client.auth.signInAnonymously();
    const token = data.session?.access_token ?? '';
    const claims = await client.auth.getClaims();
    assert.equal(claims.error, null);
    assert.equal(claims.data?.claims.sub, data.user?.id);
    assert.deepEqual(requested, ['/auth/v1/signup', '/auth/v1/.well-known/jwks.json']);
    const { keys } = (await (await fetch(`${fixture.url}/auth/v1/.well-known/jwks.json`)).json()) as {
      keys: Record<string, unknown>[];
    };
    assert.equal(keys.length, 1);
    assert.equal(keys[0]?.d, undefined);
    assert.deepEqual(keys[0]?.key_ops, ['verify']);
    assert.equal(decodeProtectedHeader(token).kid, keys[0]?.kid);
    await jwtVerify(token, createRemoteJWKSet(new URL(`${fixture.url}/auth/v1/.well-known/jwks.json`)));
    const [head, body, signature = ''] = token.split('.');
    const forged = `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
    assert.equal((await client.auth.getClaims(forged)).error?.name, 'AuthInvalidJwtError');
  });

  it('rotates refresh tokens, and returns the same successor for one that was just used', async () => {
    const client = fixture.client();
    const { data } = await client.auth.signInAnonymously();
    const first = data.session!.refresh_token;
    const tabs = [fixture.client(), fixture.client()];
    const [a, b] = await Promise.all(tabs.map((tab) => tab.auth.refreshSession({ refresh_token: first })));
    assert.equal(a!.error, null);
    assert.equal(b!.error, null);
    assert.notEqual(a!.data.session?.refresh_token, first);
    assert.equal(a!.data.session?.refresh_token, b!.data.session?.refresh_token);
  });

  it('ends the session when an old refresh token is used after the reuse interval', async () => {
    const { data } = await fixture.client().auth.signInAnonymously();
    const first = data.session!.refresh_token;
    const second = (await fixture.client().auth.refreshSession({ refresh_token: first })).data.session!.refresh_token;
    const third = (await fixture.client().auth.refreshSession({ refresh_token: second })).data.session!.refresh_token;
    await fixture.sql`update auth.refresh_tokens set updated_at = now() - interval '1 minute' where token = ${first}`;
    const stolen = await fixture.client().auth.refreshSession({ refresh_token: first });
    assert.deepEqual([stolen.error?.status, stolen.error?.code], [400, 'refresh_token_already_used']);
    const rightful = await fixture.client().auth.refreshSession({ refresh_token: third });
    assert.equal(rightful.error?.code, 'refresh_token_not_found');
  });

  it('getUser returns the user of an open session, and 403 for an invalid token or a deleted session', async () => {
    const client = fixture.client();
    const { data } = await client.auth.signInAnonymously();
    const token = data.session!.access_token;
    assert.equal((await client.auth.getUser()).data.user?.id, data.user?.id);
    const bad = await client.auth.getUser('not.a.token');
    assert.deepEqual([bad.error?.status, bad.error?.code], [403, 'bad_jwt']);
    assert.equal((await fixture.fetch('/auth/v1/user', { headers: { authorization: '' } })).status, 401);
    await fixture.sql`delete from auth.sessions where user_id = ${data.user!.id}`;
    const deleted = await fixture.fetch('/auth/v1/user', {
      token,
      headers: { 'x-supabase-api-version': '2024-01-01' },
    });
    assert.equal(deleted.status, 403);
    assert.equal(((await deleted.json()) as { code: string }).code, 'session_not_found');
  });

  it('signing out with scope local ends this session and no other', async () => {
    const email = 'leaver@example.com';
    const one = fixture.client();
    await one.auth.signUp({ email, password: PASSWORD });
    const other = fixture.client();
    const kept = (await other.auth.signInWithPassword({ email, password: PASSWORD })).data.session!;
    const ended = (await one.auth.getSession()).data.session!;
    assert.equal((await one.auth.signOut({ scope: 'local' })).error, null);
    const rejected = await fixture.client().auth.refreshSession({ refresh_token: ended.refresh_token });
    assert.equal(rejected.error?.code, 'refresh_token_not_found');
    assert.equal((await other.auth.getUser(kept.access_token)).error, null);
    assert.equal((await other.auth.signOut()).error, null);
    assert.equal((await fixture.fetch('/auth/v1/user', { token: kept.access_token })).status, 403);
  });

  it('updateUser turns an anonymous user into a permanent one with the same id', async () => {
    const { client, id } = await fixture.visitor();
    const credentials = { email: `guest-${id.slice(0, 8)}@example.com`, password: PASSWORD };
    const nameless = await client.auth.updateUser({ password: PASSWORD });
    assert.equal(nameless.error?.code, 'validation_failed');
    const weak = await client.auth.updateUser({ ...credentials, password: '12' });
    assert.equal(weak.error?.name, 'AuthWeakPasswordError');
    const changed = await client.auth.updateUser({ ...credentials, data: { nick: 'guest' } });
    assert.equal(changed.error, null);
    assert.deepEqual(
      [changed.data.user?.id, changed.data.user?.email, changed.data.user?.is_anonymous],
      [id, credentials.email, false],
    );
    assert.equal(changed.data.user?.user_metadata.nick, 'guest');
    const renewed = await client.auth.refreshSession();
    assert.equal(decodeJwt(renewed.data.session?.access_token ?? '').is_anonymous, false);
    const elsewhere = await fixture.client().auth.signInWithPassword(credentials);
    assert.equal(elsewhere.data.user?.id, id);
    assert.equal((await client.auth.updateUser({ password: PASSWORD })).error?.code, 'same_password');
    const other = await fixture.visitor();
    const taken = await other.client.auth.updateUser(credentials);
    assert.deepEqual([taken.error?.status, taken.error?.code], [422, 'email_exists']);
    assert.equal(
      (await fixture.client().auth.updateUser({ password: PASSWORD })).error?.name,
      'AuthSessionMissingError',
    );
  });

  it('only the service key may create, list and delete users', async () => {
    const service = fixture.client(fixture.keys.serviceRoleKey);
    const made = await service.auth.admin.createUser({ email: 'made@example.com', password: PASSWORD });
    assert.equal(made.error, null);
    const id = made.data.user!.id;
    const listed = await service.auth.admin.listUsers({ page: 1, perPage: 1000 });
    assert.ok(listed.data.users.some((user) => user.id === id));
    const rejected = await fixture.client().auth.admin.deleteUser(id);
    assert.deepEqual([rejected.error?.status, rejected.error?.code], [403, 'not_admin']);
    const signedIn = fixture.client();
    const session = await signedIn.auth.signInWithPassword({ email: 'made@example.com', password: PASSWORD });
    assert.equal((await service.auth.admin.deleteUser(id)).error, null);
    const user = await signedIn.auth.getUser(session.data.session!.access_token);
    assert.equal(user.error?.code, 'user_not_found');
    const secret = fixture.client(fixture.keys.secretKey);
    assert.equal((await secret.auth.admin.getUserById(id)).error?.code, 'user_not_found');
  });

  it('rejects calls without a valid API key, with the messages of the hosted gateway', async () => {
    const none = await fetch(`${fixture.url}/auth/v1/signup`, { method: 'POST', body: '{}' });
    assert.equal(none.status, 401);
    assert.equal(((await none.json()) as { message: string }).message, 'No API key found in request');
    const wrong = await fixture.client('sb_publishable_wrong').from('anything').select();
    assert.deepEqual([wrong.status, wrong.error?.message], [401, 'Invalid API key']);
  });
});
