import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { LOCAL_ONLY, useGateway } from './gateway-fixture.ts';

const PASSWORD = 'correct horse';

const world = await useGateway({ after });

describe('the gateway as Auth', { skip: LOCAL_ONLY }, () => {
  it('signs a user up, confirmed at once, and lets them sign in again', async () => {
    const client = world.client();
    const email = 'first@example.com';
    const up = await client.auth.signUp({ email, password: PASSWORD, options: { data: { nick: 'one' } } });
    assert.equal(up.error, null);
    assert.equal(up.data.session?.token_type, 'bearer');
    assert.equal(up.data.user?.email, email);
    assert.equal(up.data.user?.user_metadata.nick, 'one');
    assert.equal(up.data.user?.identities?.length, 1);
    const again = await world.client().auth.signInWithPassword({ email: 'First@Example.com', password: PASSWORD });
    assert.equal(again.data.user?.id, up.data.user?.id);
    assert.ok(again.data.user?.last_sign_in_at);
  });

  it('gives string codes for its errors, since it echoes and exposes the API version', async () => {
    const client = world.client();
    const credentials = { email: 'second@example.com', password: PASSWORD };
    await client.auth.signUp(credentials);
    const taken = await world.client().auth.signUp(credentials);
    assert.deepEqual([taken.error?.status, taken.error?.code], [422, 'user_already_exists']);
    const wrong = await client.auth.signInWithPassword({ ...credentials, password: 'wrong' });
    assert.deepEqual([wrong.error?.status, wrong.error?.code], [400, 'invalid_credentials']);
    const unknown = await client.auth.signInWithPassword({ email: 'nobody@example.com', password: 'wrong!' });
    assert.equal(unknown.error?.message, wrong.error?.message);
    const weak = await client.auth.signUp({ email: 'third@example.com', password: '12' });
    assert.equal(weak.error?.name, 'AuthWeakPasswordError');
    const response = await world.fetch('/auth/v1/token?grant_type=password', {
      method: 'POST',
      headers: { 'x-supabase-api-version': '2024-01-01' },
      body: '{"email":"x@y.z","password":"nonono"}',
    });
    assert.equal(response.headers.get('x-supabase-api-version'), '2024-01-01');
    assert.match(response.headers.get('access-control-expose-headers') ?? '', /X-Supabase-Api-Version/i);
    const old = await world.fetch('/auth/v1/signup', { method: 'POST', body: '{"email":"no","password":"nonono"}' });
    assert.equal(((await old.json()) as { error_code: string }).error_code, 'validation_failed');
  });

  it('signs visitors in without email, marked as anonymous', async () => {
    const { data } = await world.client().auth.signInAnonymously();
    assert.equal(data.user?.is_anonymous, true);
    assert.equal(data.user?.email, '');
    assert.equal(data.user?.phone, '');
    assert.deepEqual(data.user?.identities, []);
    const claims = decodeJwt(data.session?.access_token ?? '');
    assert.equal(claims.role, 'authenticated');
    assert.equal(claims.aud, 'authenticated');
    assert.equal(claims.iss, `${world.url}/auth/v1`);
    assert.equal(claims.is_anonymous, true);
  });

  it('publishes the public half of its ES256 key, and getClaims trusts it without asking for the user', async () => {
    const asked: string[] = [];
    const spy: typeof fetch = (input, init) => {
      asked.push(new URL(String(input)).pathname);
      return fetch(input, init);
    };
    const client = world.client(world.keys.anonKey, { global: { fetch: spy } });
    const { data } = await client.auth.signInAnonymously();
    const token = data.session?.access_token ?? '';
    const claims = await client.auth.getClaims();
    assert.equal(claims.error, null);
    assert.equal(claims.data?.claims.sub, data.user?.id);
    assert.deepEqual(asked, ['/auth/v1/signup', '/auth/v1/.well-known/jwks.json']);
    const { keys } = (await (await fetch(`${world.url}/auth/v1/.well-known/jwks.json`)).json()) as {
      keys: Record<string, unknown>[];
    };
    assert.equal(keys.length, 1);
    assert.equal(keys[0]?.d, undefined);
    assert.deepEqual(keys[0]?.key_ops, ['verify']);
    assert.equal(decodeProtectedHeader(token).kid, keys[0]?.kid);
    await jwtVerify(token, createRemoteJWKSet(new URL(`${world.url}/auth/v1/.well-known/jwks.json`)));
    const [head, body, signature = ''] = token.split('.');
    const forged = `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
    assert.equal((await client.auth.getClaims(forged)).error?.name, 'AuthInvalidJwtError');
  });

  it('rotates refresh tokens and accepts the one just used again, with the same successor', async () => {
    const client = world.client();
    const { data } = await client.auth.signInAnonymously();
    const first = data.session!.refresh_token;
    const tabs = [world.client(), world.client()];
    const [a, b] = await Promise.all(tabs.map((tab) => tab.auth.refreshSession({ refresh_token: first })));
    assert.equal(a!.error, null);
    assert.equal(b!.error, null);
    assert.notEqual(a!.data.session?.refresh_token, first);
    assert.equal(a!.data.session?.refresh_token, b!.data.session?.refresh_token);
  });

  it('ends the session when an old refresh token comes back after the reuse interval', async () => {
    const { data } = await world.client().auth.signInAnonymously();
    const first = data.session!.refresh_token;
    const second = (await world.client().auth.refreshSession({ refresh_token: first })).data.session!.refresh_token;
    const third = (await world.client().auth.refreshSession({ refresh_token: second })).data.session!.refresh_token;
    await world.sql`update auth.refresh_tokens set updated_at = now() - interval '1 minute' where token = ${first}`;
    const stolen = await world.client().auth.refreshSession({ refresh_token: first });
    assert.deepEqual([stolen.error?.status, stolen.error?.code], [400, 'refresh_token_already_used']);
    const rightful = await world.client().auth.refreshSession({ refresh_token: third });
    assert.equal(rightful.error?.code, 'refresh_token_not_found');
  });

  it('answers getUser for a live session and 403 for a bad token, a gone session or a gone user', async () => {
    const client = world.client();
    const { data } = await client.auth.signInAnonymously();
    const token = data.session!.access_token;
    assert.equal((await client.auth.getUser()).data.user?.id, data.user?.id);
    const bad = await client.auth.getUser('not.a.token');
    assert.deepEqual([bad.error?.status, bad.error?.code], [403, 'bad_jwt']);
    assert.equal((await world.fetch('/auth/v1/user', { headers: { authorization: '' } })).status, 401);
    await world.sql`delete from auth.sessions where user_id = ${data.user!.id}`;
    const gone = await world.fetch('/auth/v1/user', { token, headers: { 'x-supabase-api-version': '2024-01-01' } });
    assert.equal(gone.status, 403);
    assert.equal(((await gone.json()) as { code: string }).code, 'session_not_found');
  });

  it('signs out: the refresh token is gone and other sessions live on with scope local', async () => {
    const email = 'leaver@example.com';
    const one = world.client();
    await one.auth.signUp({ email, password: PASSWORD });
    const other = world.client();
    const kept = (await other.auth.signInWithPassword({ email, password: PASSWORD })).data.session!;
    const ended = (await one.auth.getSession()).data.session!;
    assert.equal((await one.auth.signOut({ scope: 'local' })).error, null);
    const refused = await world.client().auth.refreshSession({ refresh_token: ended.refresh_token });
    assert.equal(refused.error?.code, 'refresh_token_not_found');
    assert.equal((await other.auth.getUser(kept.access_token)).error, null);
    assert.equal((await other.auth.signOut()).error, null);
    assert.equal((await world.fetch('/auth/v1/user', { token: kept.access_token })).status, 403);
  });

  it('makes an account of a guest by updateUser: the same user, who signs in with a password from then on', async () => {
    const { client, id } = await world.visitor();
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
    const elsewhere = await world.client().auth.signInWithPassword(credentials);
    assert.equal(elsewhere.data.user?.id, id);
    assert.equal((await client.auth.updateUser({ password: PASSWORD })).error?.code, 'same_password');
    const other = await world.visitor();
    const taken = await other.client.auth.updateUser(credentials);
    assert.deepEqual([taken.error?.status, taken.error?.code], [422, 'email_exists']);
    assert.equal((await world.client().auth.updateUser({ password: PASSWORD })).error?.name, 'AuthSessionMissingError');
  });

  it('lets the service key make, list and delete users, and nobody else', async () => {
    const service = world.client(world.keys.serviceRoleKey);
    const made = await service.auth.admin.createUser({ email: 'made@example.com', password: PASSWORD });
    assert.equal(made.error, null);
    const id = made.data.user!.id;
    const listed = await service.auth.admin.listUsers({ page: 1, perPage: 1000 });
    assert.ok(listed.data.users.some((user) => user.id === id));
    const refused = await world.client().auth.admin.deleteUser(id);
    assert.deepEqual([refused.error?.status, refused.error?.code], [403, 'not_admin']);
    const signedIn = world.client();
    const session = await signedIn.auth.signInWithPassword({ email: 'made@example.com', password: PASSWORD });
    assert.equal((await service.auth.admin.deleteUser(id)).error, null);
    const user = await signedIn.auth.getUser(session.data.session!.access_token);
    assert.equal(user.error?.code, 'user_not_found');
    const secret = world.client(world.keys.secretKey);
    assert.equal((await secret.auth.admin.getUserById(id)).error?.code, 'user_not_found');
  });

  it('refuses calls without a key or with a wrong one, in the words of the hosted gateway', async () => {
    const none = await fetch(`${world.url}/auth/v1/signup`, { method: 'POST', body: '{}' });
    assert.equal(none.status, 401);
    assert.equal(((await none.json()) as { message: string }).message, 'No API key found in request');
    const wrong = await world.client('sb_publishable_wrong').from('anything').select();
    assert.deepEqual([wrong.status, wrong.error?.message], [401, 'Invalid API key']);
  });
});
