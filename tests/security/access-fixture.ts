/** A fixture for access tests: an owner with jobs and files, and three intruders without any right to them. */
import { request as httpRequest } from 'node:http';
import type { SupabaseClient } from '@supabase/supabase-js';
import { SignJWT } from 'jose';
import { makeKeys, openKeyRing } from '@mashup-engine/supabase-local/gateway/keys';
import { startFunctionsFixture } from '../functions/functions-fixture.ts';
import type { FunctionsFixture, Visitor } from '../functions/functions-fixture.ts';
import type { CleanUpScope } from '../support/postgres.ts';

/** Content of the owner's files. */
export const SECRET = 'the owner’s own sound';

/** Someone without a right to the owner's data: a bearer token and a client that sends it. */
export interface Intruder {
  name: string;
  client: SupabaseClient;
  bearer: string;
  /** Null for a visitor without a session. */
  id: string | null;
}

export interface AccessFixture {
  functions: FunctionsFixture;
  owner: Visitor;
  /** A complete job of the owner, with events, a plan, stems and a result that is in Storage. */
  job: string;
  /** A draft, a failed and a running job of the owner, so that each operation finds a job that it could change. */
  draft: string;
  failed: string;
  running: string;
  /** The token of the public link of the complete job. */
  token: string;
  /** Paths of an upload of the owner, of a stem and of a result. */
  upload: string;
  stem: string;
  result: string;
  /** Texts of the owner's data that no generated request contains: a response that contains one discloses it. */
  unsent: string[];
  /** Another registered user, an anonymous user, a visitor with the anon key. */
  intruders: Intruder[];
  /** The rows that belong to the owner, as one text. It must be equal before and after an attempt. */
  ownedRows(): Promise<string>;
  /** Sends an HTTP request with the path as it is written; `fetch` would normalise dots. */
  raw(method: string, path: string, as: Intruder, body?: string): Promise<{ status: number; body: string }>;
  /** Creates a valid Storage token. */
  link(claims: Record<string, unknown>, seconds: number): Promise<string>;
}

/** Starts the fixture: the owner's data, and the users who have no right to it. */
export async function startAccessFixture(scope: CleanUpScope): Promise<AccessFixture> {
  const functions = await startFunctionsFixture(scope);
  const owner = await register(functions, 'owner@example.test');
  const jobs = await submitJobs(functions, owner);
  const files = await storeFiles(functions, owner, jobs.job);
  const shared = await owner.client.rpc('share_mashup', { p_job_id: jobs.job });
  if (shared.error) throw shared.error;
  const other = await register(functions, 'other@example.test');
  const anonymous = await functions.visitor();
  const ring = await openKeyRing(functions.keys);
  return {
    functions,
    owner,
    ...jobs,
    ...files,
    token: (shared.data as { token: string }).token,
    unsent: await unsentTexts(functions, owner, Object.values(files)),
    intruders: [
      { name: 'another user', client: other.client, bearer: other.token, id: other.id },
      { name: 'an anonymous user', client: anonymous.client, bearer: anonymous.token, id: anonymous.id },
      {
        name: 'a visitor with the anon key',
        client: functions.client(),
        bearer: functions.keys.anonKey,
        id: null,
      },
    ],
    ownedRows: () => readOwnedRows(functions, owner.id, Object.values(files)),
    raw: (method, path, as, body) => sendRaw(functions, method, path, as.bearer, body),
    link: (claims, seconds) => ring.signLink(claims, seconds),
  };
}

/** Submits the owner's jobs. The last one keeps running. */
async function submitJobs(
  { machine }: FunctionsFixture,
  owner: Visitor,
): Promise<Pick<AccessFixture, 'job' | 'failed' | 'draft' | 'running'>> {
  const worker = await machine.worker();
  const job = await machine.submit(owner.id);
  await machine.run(worker);
  const failed = await machine.submit(owner.id);
  const task = await machine.claimNext(worker, failed);
  if (task === undefined) throw new Error('nothing to fail');
  await machine.fail(task, 'permanent');
  const draft = await machine.submit(owner.id, 1, { hold: 'planning' });
  await machine.run(worker);
  const running = await machine.submit(owner.id);
  return { job, failed, draft, running };
}

/** Stores an upload of the owner, and a stem and the result of a complete job. */
async function storeFiles(
  functions: FunctionsFixture,
  owner: Visitor,
  job: string,
): Promise<Pick<AccessFixture, 'upload' | 'stem' | 'result'>> {
  const { machine } = functions;
  const service = functions.client(functions.keys.serviceRoleKey);
  const put = async (client: SupabaseClient, path: string): Promise<string> => {
    const { error } = await client.storage.from('mashups').upload(path, new Blob([SECRET], { type: 'audio/wav' }));
    if (error) throw error;
    return path;
  };
  const { result_path: path } = await machine.job(job);
  if (path === null) throw new Error('the job has no result');
  const [cached] = await machine.sql<{ paths: Record<string, string> }[]>`select paths from mashup.stems limit 1`;
  return {
    result: await put(service, path),
    stem: await put(service, cached?.paths['vocals'] ?? ''),
    upload: await put(owner.client, `uploads/${owner.id}/song-1/song.wav`),
  };
}

/** The owner's address, and the paths of the songs and stems of the owner's jobs that are not among `sent`. */
async function unsentTexts({ machine }: FunctionsFixture, owner: Visitor, sent: string[]): Promise<string[]> {
  const paths = await machine.sql<{ path: string }[]>`
    select song ->> 'path' as path from public.mashup_jobs j, jsonb_array_elements(j.songs) as song
    where j.user_id = ${owner.id}
    union select p.value from mashup.stems s, jsonb_each_text(s.paths) as p`;
  return ['owner@example.test', ...paths.map(({ path }) => path).filter((path) => !sent.includes(path))];
}

async function readOwnedRows({ machine }: FunctionsFixture, ownerId: string, files: string[]): Promise<string> {
  const rows = await machine.sql`
    with owned as (select id from public.mashup_jobs where user_id = ${ownerId})
    select (select jsonb_agg(to_jsonb(j) - 'updated_at' - 'queue_position' order by id) from public.mashup_jobs j where user_id = ${ownerId}) as jobs,
      (select count(*) from public.mashup_job_events where job_id in (select id from owned)) as events,
      (select count(*) from public.mashup_plans where job_id in (select id from owned)) as plans,
      (select count(*) from public.mashup_results where job_id in (select id from owned)) as results,
      (select jsonb_agg(to_jsonb(s) order by token) from public.mashup_shares s where job_id in (select id from owned)) as shares,
      (select count(*) from mashup.storage_deletions d
        where exists (select from unnest(${files}::text[]) as mine where starts_with(mine, d.path))) as deletions,
      (select jsonb_agg(jsonb_build_array(name, owner_id, version, metadata) order by name) from storage.objects
        where name = any(${files})) as objects`;
  return JSON.stringify(rows);
}

function sendRaw(
  { url, keys }: FunctionsFixture,
  method: string,
  path: string,
  bearer: string,
  body: string | undefined,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const headers = {
      apikey: keys.anonKey,
      authorization: `Bearer ${bearer}`,
      'content-type': 'application/json',
    };
    // A kept connection may be closed by the server at the moment in which it is used again.
    const request = httpRequest({ hostname, port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function register(functions: FunctionsFixture, email: string): Promise<Visitor> {
  const client = functions.client();
  const { data, error } = await client.auth.signUp({ email, password: 'correct horse battery' });
  if (error || !data.session) throw error ?? new Error('no session');
  return { client, id: data.session.user.id, token: data.session.access_token };
}

/** Tokens that claim to be the owner's session, but are not valid. */
export async function invalidTokens(access: AccessFixture): Promise<Record<string, string>> {
  const { functions, owner } = access;
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
    (await (await fetch(`${functions.url}/auth/v1/.well-known/jwks.json`)).json()) as {
      keys: { x: string; y: string }[];
    }
  ).keys[0] ?? { x: '', y: '' };
  return {
    'alg none, no signature': `${encode({ alg: 'none', typ: 'JWT' })}.${body}.`,
    'alg none, with the signature': `${encode({ alg: 'none', typ: 'JWT' })}.${body}.${signature}`,
    'role changed after signing': `${head}.${promoted}.${signature}`,
    'HS256 with the public key as secret': await shared(x + y, {}),
    'expired an hour ago': await shared(functions.keys.jwtSecret, { iat: now - 7200, exp: now - 3600 }),
    'the secret of another project': await shared(foreign.jwtSecret, {}),
    'the signing key of another project': await foreignRing.signUser({ ...claims, exp: now + 3600 }),
    'an empty secret': await shared('\0', {}),
    'the service role by the secret of another project': await shared(foreign.jwtSecret, { role: 'service_role' }),
    'no JWT at all': 'x.y.z',
  };
}
