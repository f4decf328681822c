/** Secrets are not disclosed: services never get a key, and their messages are stored and logged without secrets. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { ServiceName } from '../../schema.ts';
import type { Behaviour } from '../contract/replay-server.ts';
import { wavFile } from '../worker/wav-file.ts';
import { useWorkerFixture } from '../worker/worker-fixture.ts';

const world = await useWorkerFixture({ after });
await world.startWorker();
const songs = await Promise.all([1, 2].map((seed) => world.upload(`song-${seed}.wav`, wavFile(120, seed))));

/** Secrets by kind. Each contains a word that must not be stored or logged. */
const SECRETS: Record<string, string> = {
  jwt: 'eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiLEAKED1In0.LEAKED1_signature',
  'signed link': 'https://x.supabase.co/storage/v1/object/sign/mashups/uploads/a.mp3?token=LEAKED2.a.b',
  'amazon link': 'https://s3.test/a.wav?X-Amz-Credential=LEAKED3&X-Amz-Signature=LEAKED3',
  bearer: 'Authorization: Bearer LEAKED4-abcdefgh',
  basic: 'Authorization: Basic TEVBS0VENQLEAKED5==',
  'secret key': 'sb_secret_LEAKED6abcdefghijkl',
  'anthropic key': 'sk-ant-api03-LEAKED7abcdef',
  'database address': 'postgresql://postgres:LEAKED8@db.test:5432/postgres',
  'named in JSON': '{"api_key": "LEAKED9abcdef", "nested": {"password": "LEAKED9abcdef"}}',
  header: 'x-api-key: LEAKED10abcdef',
  cookie: 'Cookie: sb-access-token=LEAKED11abcdef; other=1',
  environment: 'SUPABASE_SERVICE_ROLE_KEY=LEAKED12abcdef',
  'python object': "{'service_role_key': 'LEAKED13abcdef', 'client_secret': 'LEAKED13abcdef'}",
};
const ALL = Object.values(SECRETS).join(' | ');
const sse = (event: object): string => `data: ${JSON.stringify(event)}\n\n`;

/** The content of all tables as text. */
async function stored(): Promise<Map<string, string>> {
  const tables = await world.sql<{ name: string }[]>`
    select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and (n.nspname in ('mashup', 'mashup_queue') or (n.nspname = 'public' and c.relname like 'mashup%'))`;
  const texts = new Map<string, string>();
  for (const { name } of tables) {
    const [row] = await world.sql.unsafe<{ text: string | null }[]>(
      `select jsonb_agg(to_jsonb(t))::text as text from ${name} t`,
    );
    texts.set(name, row?.text ?? '');
  }
  return texts;
}

async function assertNothingLeaked(): Promise<void> {
  for (const [table, text] of await stored()) assert.deepEqual(text.match(/.{0,80}LEAKED\d+/g), null, table);
  assert.deepEqual(world.log.join('\n').match(/.{0,80}LEAKED\d+/g), null, 'the log');
}

describe('requests to services', () => {
  it('contain no key of the project, no password and no token of a user', async () => {
    const job = await world.untilEnded(await world.submit(songs));
    assert.equal(job.stage, 'complete', job.error_message ?? '');
    const services = new Set(world.services.calls.map(({ service }) => service));
    assert.equal(services.size, 5, 'all services were called');
    const databasePassword = new URL(world.database.workerUrl).password;
    for (const { service, headers, body } of world.services.calls) {
      const sent = JSON.stringify([headers, body]);
      assert.equal(headers.authorization, undefined, service);
      assert.equal(headers['apikey'], undefined, service);
      for (const [, payload = ''] of sent.matchAll(/eyJ[\w-]+\.(eyJ[\w-]+)\.[\w-]+/g)) {
        const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as {
          role?: string;
          scope?: string;
          exp?: number;
        };
        assert.equal(claims.role, undefined, `${service}: a token with a role`);
        assert.match(
          claims.scope ?? '',
          /^(download|upload)$/,
          `${service}: a token that is not a Storage link for one file`,
        );
        assert.ok((claims.exp ?? Infinity) < Date.now() / 1000 + 3 * 3600, `${service}: a link that is valid too long`);
      }
      assert.doesNotMatch(sent, /sb_secret_|service_role|postgres(ql)?:\/\//, service);
      assert.ok(databasePassword === '' || !sent.includes(`:${databasePassword}@`), service);
    }
  });
});

describe('messages of services', () => {
  const plain = (status: number, contentType: string, body: unknown): Behaviour => ({ status, contentType, body });
  const messages: [string, ServiceName, Behaviour][] = [
    ['a detail of analysis', 'analysis', plain(400, 'application/json', { detail: ALL })],
    [
      'a list of faults of analysis',
      'analysis',
      plain(422, 'application/json', { detail: [{ loc: ['body', ALL], msg: ALL, input: ALL }] }),
    ],
    ['a page of a proxy', 'analysis', plain(404, 'text/html', `<html><b>${ALL}</b></html>`)],
    ['a text of scoring', 'scoring', plain(400, 'text/plain', ALL)],
    ['an error of planning', 'orchestrator', plain(400, 'application/json', { error: ALL, code: ALL, hint: ALL })],
    ['an error of separation', 'separation', plain(400, 'application/json', { detail: ALL, hint: ALL })],
    [
      'an error event of rendering',
      'processing',
      {
        stream: sse({ progress: 10, message: ALL }) + sse({ warning: ALL }) + sse({ error: ALL, code: ALL, hint: ALL }),
      },
    ],
    [
      'a broken stream of rendering',
      'processing',
      { stream: `data: {"progress": 1, "message": ${JSON.stringify(ALL)}\n\n` },
    ],
  ];
  for (const [what, service, behaviour] of messages) {
    it(`${what} is stored and logged without its secrets`, async () => {
      world.services.always(service, behaviour);
      // A new song, so that no analysis is cached.
      const id = await world.submit([
        songs[0]!,
        await world.upload('x.wav', wavFile(120, 10 + messages.findIndex(([name]) => name === what))),
      ]);
      const job = await world.untilEnded(id);
      world.services.always(service, undefined);
      assert.ok(job.stage === 'failed' || job.warnings.length > 0 || job.stage === 'complete');
      await assertNothingLeaked();
      await world.sql`update mashup.service_health set state = 'closed', failures = 0, opens = 0, retry_at = null, probe_task = null`;
    });
  }
});

describe('the command line', () => {
  it('reports a wrong database address without its password', async () => {
    const { output } = await new Promise<{ output: string }>((resolve) => {
      execFile(
        process.execPath,
        [join(import.meta.dirname, '../../cli/main.ts'), 'jobs'],
        {
          env: {
            ...process.env,
            DATABASE_URL: 'postgresql://postgres:LEAKED14@127.0.0.1:9/postgres',
            SUPABASE_SERVICE_ROLE_KEY: 'LEAKED15',
            SUPABASE_URL: 'http://127.0.0.1:9',
          },
        },
        (_error, stdout, stderr) => resolve({ output: stdout + stderr }),
      );
    });
    assert.notEqual(output, '');
    assert.doesNotMatch(output, /LEAKED/);
  });
});
