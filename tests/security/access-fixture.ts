/** A house with doors: an owner with everything there is to steal, and three who try to get in. */
import { request as httpRequest } from 'node:http';
import type { SupabaseClient } from '@supabase/supabase-js';
import { SignJWT } from 'jose';
import { makeKeys, openKeyRing } from '@mashup-engine/supabase-local/gateway/keys';
import { useSurface } from '../functions/functions-fixture.ts';
import type { Surface, Visitor } from '../functions/functions-fixture.ts';
import type { CleanUpScope } from '../support/postgres.ts';

/** What stands at places that nobody else may read. */
export const SECRET = 'the owner’s own sound';

/** One who tries: a bearer (none: the anon key alone) and a client that carries it. */
export interface Party {
  name: string;
  client: SupabaseClient;
  bearer: string;
  /** Null for a visitor without a session. */
  id: string | null;
}

export interface House {
  surface: Surface;
  owner: Visitor;
  /** A complete job of the owner, with events, a plan, stems and a result that is in Storage. */
  job: string;
  /** A draft, a failed and a running job of the owner: each verb finds one that it could move. */
  draft: string;
  failed: string;
  running: string;
  upload: string;
  stem: string;
  result: string;
  /** Another registered user, an anonymous user, a visitor with the anon key. */
  parties: Party[];
  /** Rows of the state machine that belong to the owner, as one text: equal before and after an attack. */
  belongings(): Promise<string>;
  /** An HTTP call whose path is sent as it is written: `fetch` would tidy dots away. */
  raw(method: string, path: string, as: Party, body?: string): Promise<{ status: number; body: string }>;
  /** A token of Storage's own making. */
  link(claims: Record<string, unknown>, seconds: number): Promise<string>;
}

export async function buildHouse(scope: CleanUpScope): Promise<House> {
  const surface = await useSurface(scope);
  const { machine } = surface;
  const owner = await registered(surface, 'owner@example.test');
  const worker = await machine.worker();
  const service = surface.client(surface.keys.serviceRoleKey);
  const put = async (client: SupabaseClient, path: string): Promise<string> => {
    const { error } = await client.storage.from('mashups').upload(path, new Blob([SECRET], { type: 'audio/wav' }));
    if (error) throw error;
    return path;
  };

  const job = await machine.submit(owner.id);
  await machine.run(worker);
  const { result_path: result } = await machine.job(job);
  if (result === null) throw new Error('the job has no result');
  await put(service, result);
  const [cached] = await machine.sql<{ paths: Record<string, string> }[]>`select paths from mashup.stems limit 1`;
  const stem = await put(service, cached?.paths['vocals'] ?? '');
  const upload = await put(owner.client, `uploads/${owner.id}/song-1/song.wav`);

  const failed = await machine.submit(owner.id);
  const task = await machine.claimNext(worker, failed);
  if (task === undefined) throw new Error('nothing to fail');
  await machine.fail(task, 'permanent');
  const draft = await machine.submit(owner.id, 1, { hold: 'planning' });
  await machine.run(worker);
  const running = await machine.submit(owner.id);

  const other = await registered(surface, 'other@example.test');
  const passer = await surface.visitor();
  const ring = await openKeyRing(surface.keys);
  return {
    surface,
    owner,
    job,
    draft,
    failed,
    running,
    upload,
    stem,
    result,
    parties: [
      { name: 'another user', client: other.client, bearer: other.token, id: other.id },
      { name: 'an anonymous user', client: passer.client, bearer: passer.token, id: passer.id },
      { name: 'a visitor with the key alone', client: surface.client(), bearer: surface.keys.anonKey, id: null },
    ],
    async belongings() {
      const rows = await machine.sql`
        with owned as (select id from public.mashup_jobs where user_id = ${owner.id})
        select (select jsonb_agg(to_jsonb(j) - 'updated_at' - 'queue_position' order by id) from public.mashup_jobs j where user_id = ${owner.id}) as jobs,
          (select count(*) from public.mashup_job_events where job_id in (select id from owned)) as events,
          (select count(*) from public.mashup_plans where job_id in (select id from owned)) as plans,
          (select count(*) from public.mashup_results where job_id in (select id from owned)) as results,
          (select count(*) from mashup.storage_deletions d
            where exists (select from unnest(${[upload, stem, result]}::text[]) as mine where starts_with(mine, d.path))) as deletions,
          (select jsonb_agg(jsonb_build_array(name, owner_id, version, metadata) order by name) from storage.objects
            where name in (${upload}, ${stem}, ${result})) as objects`;
      return JSON.stringify(rows);
    },
    raw: (method, path, as, body) =>
      new Promise((resolve, reject) => {
        const { hostname, port } = new URL(surface.url);
        const headers = {
          apikey: surface.keys.anonKey,
          authorization: `Bearer ${as.bearer}`,
          'content-type': 'application/json',
        };
        const sent = httpRequest({ hostname, port, method, path, headers }, (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () =>
            resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
          );
        });
        sent.on('error', reject);
        sent.end(body);
      }),
    link: (claims, seconds) => ring.signLink(claims, seconds),
  };
}

async function registered(surface: Surface, email: string): Promise<Visitor> {
  const client = surface.client();
  const { data, error } = await client.auth.signUp({ email, password: 'correct horse battery' });
  if (error || !data.session) throw error ?? new Error('no session');
  return { client, id: data.session.user.id, token: data.session.access_token };
}

/** Tokens that claim to be the owner's session and are not. */
export async function falseTokens(house: House): Promise<Record<string, string>> {
  const { surface, owner } = house;
  const foreign = await makeKeys();
  const foreignRing = await openKeyRing(foreign);
  const now = Math.floor(Date.now() / 1000);
  const claims = { sub: owner.id, role: 'authenticated', aud: 'authenticated', iat: now };
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const shared = (secret: string, more: object): Promise<string> =>
    new SignJWT({ ...claims, exp: now + 3600, ...more })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .sign(new TextEncoder().encode(secret));
  const [head = '', body = '', signature = ''] = owner.token.split('.');
  const promoted = encode({
    ...(JSON.parse(Buffer.from(body, 'base64url').toString()) as object),
    role: 'service_role',
  });
  const { x, y } = (
    (await (await fetch(`${surface.url}/auth/v1/.well-known/jwks.json`)).json()) as { keys: { x: string; y: string }[] }
  ).keys[0] ?? { x: '', y: '' };
  return {
    'alg none, no signature': `${encode({ alg: 'none', typ: 'JWT' })}.${body}.`,
    'alg none, with the signature': `${encode({ alg: 'none', typ: 'JWT' })}.${body}.${signature}`,
    'role changed after signing': `${head}.${promoted}.${signature}`,
    'HS256 with the public key as secret': await shared(x + y, {}),
    'expired an hour ago': await shared(surface.keys.jwtSecret, { iat: now - 7200, exp: now - 3600 }),
    'the secret of another project': await shared(foreign.jwtSecret, {}),
    'the signing key of another project': await foreignRing.signUser({ ...claims, exp: now + 3600 }),
    'an empty secret': await shared('\0', {}),
    'the service role by the secret of another project': await shared(foreign.jwtSecret, { role: 'service_role' }),
    'no JWT at all': 'x.y.z',
  };
}
