/** Every client reads sslmode and certificates as libpq does. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import postgres from 'postgres';
import { checkDatabase } from '../../cli/doctor/database.ts';
import { postgresOptions } from '../../connection/clients.ts';
import { ConnectionError } from '../../connection/errors.ts';
import { migrate } from '../../migrate/migrate.ts';
import { openPool } from '../../worker/database/pool.ts';
import { openRegistrationConnection } from '../../worker/database/registration-connection.ts';
import { startSocketWatchdog } from '../../worker/database/socket-watchdog.ts';
import type { WorkerStartError } from '../../worker/errors.ts';
import { runWorker } from '../../worker/run.ts';
import { until } from '../support/until.ts';
import { mashup } from '../cli/cli.ts';
import { useTlsServer } from './tls-server.ts';
import type { ServerTls, TlsServer } from './tls-server.ts';
import { startOwnTime } from '../support/own-time.ts';

const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is missing';
const server: TlsServer | undefined = skip ? undefined : await useTlsServer({ after });
const sockets = startSocketWatchdog(10_000);
const ROOT = join(import.meta.dirname, '../..');
const IS_ENCRYPTED = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()';

interface Clients {
  url: string;
  workerUrl: string;
}
type Client = (clients: Clients) => Promise<boolean | undefined>;

/** Connects and returns whether the connection is encrypted, or undefined where the client does not tell. */
const CLIENTS: Record<string, Client> = {
  migrate: async ({ url }) => void (await migrate({ databaseUrl: url })),
  doctor: async ({ url }) => void (await checkDatabase(url)),
  'an operator command': async ({ url }) => {
    const sql = postgres(postgresOptions(url, { max: 1 }));
    const rows = await sql.unsafe<{ ssl: boolean }[]>(IS_ENCRYPTED).finally(() => sql.end({ timeout: 1 }));
    return rows[0]?.ssl;
  },
  "the worker's pool": async ({ workerUrl }) => {
    const pool = openPool(workerUrl, { max: 1, name: 'test', sockets });
    const { rows } = await pool.query<{ ssl: boolean }>(IS_ENCRYPTED).finally(() => pool.end());
    return rows[0]?.ssl;
  },
  "the worker's registration": async ({ workerUrl }) => {
    const client = await openRegistrationConnection({
      databaseUrl: workerUrl,
      onJobSignal: () => {},
      onAdmit: () => {},
      onError: () => {},
      register: () => Promise.resolve(),
    });
    const { rows } = await client.query<{ ssl: boolean }>(IS_ENCRYPTED).finally(() => client.end());
    return rows[0]?.ssl;
  },
};

/** `tls`, `plain`, or the code of the error. */
async function outcomeOf(client: Client, clients: Clients): Promise<string> {
  try {
    const isEncrypted = await client(clients);
    return isEncrypted === undefined ? 'connected' : isEncrypted ? 'tls' : 'plain';
  } catch (error) {
    const cause = error instanceof ConnectionError ? error : (error as Error).cause;
    if (cause instanceof ConnectionError) return cause.code;
    throw error;
  }
}

async function activeSleeps(): Promise<number> {
  const sql = postgres(server?.superuserUrl ?? '', { max: 1 });
  const rows = await sql`
    select from pg_stat_activity where query = 'select pg_sleep(5)' and state = 'active'`.finally(() => sql.end());
  return rows.length;
}

const root = (name: string): string => encodeURIComponent(join(server?.folder ?? '', name));
const CASES: Record<ServerTls, [query: string, outcome: string][]> = {
  off: [
    ['', 'plain'],
    ['sslmode=disable', 'plain'],
    ['sslmode=allow', 'plain'],
    ['sslmode=prefer', 'plain'],
    ['sslmode=require', 'tls_not_supported'],
    ['sslmode=no-verify', 'tls_not_supported'],
    [`sslmode=verify-ca&sslrootcert=${root('ca.crt')}`, 'tls_not_supported'],
    [`sslmode=verify-full&sslrootcert=${root('ca.crt')}`, 'tls_not_supported'],
  ],
  good: [
    ['', 'tls'],
    ['sslmode=disable', 'plain'],
    ['sslmode=prefer', 'tls'],
    ['sslmode=require', 'tls'],
    ['sslmode=no-verify', 'tls'],
    ['ssl=true', 'tls'],
    ['sslmode=require&pgbouncer=true&connection_limit=1', 'tls'],
    [`sslmode=prefer&sslrootcert=${root('other-ca.crt')}`, 'tls'],
    [`sslmode=require&sslrootcert=${root('ca.crt')}`, 'tls'],
    [`sslmode=require&sslrootcert=${root('other-ca.crt')}`, 'certificate_not_trusted'],
    [`sslmode=verify-ca&sslrootcert=${root('ca.crt')}`, 'tls'],
    [`sslmode=verify-ca&sslrootcert=${root('other-ca.crt')}`, 'certificate_not_trusted'],
    ['sslmode=verify-ca', 'tls_file_missing'],
    [`sslmode=verify-full&sslrootcert=${root('ca.crt')}`, 'tls'],
    [`sslmode=verify-full&sslrootcert=${root('missing.crt')}`, 'tls_file_missing'],
    ['sslmode=verify-full', 'tls_file_missing'],
    ['sslrootcert=system', 'certificate_not_trusted'],
    ['sslmode=require&sslrootcert=system', 'bad_tls_setting'],
    ['sslmode=verify', 'bad_tls_setting'],
    ['sslmode=require&sslrotcert=x', 'bad_tls_setting'],
  ],
  'other-host': [
    ['sslmode=require', 'tls'],
    [`sslmode=verify-ca&sslrootcert=${root('ca.crt')}`, 'tls'],
    [`sslmode=verify-full&sslrootcert=${root('ca.crt')}`, 'certificate_host_mismatch'],
  ],
};

describe('all clients agree on the meaning of a connection string', { skip }, () => {
  for (const [tls, cases] of Object.entries(CASES) as [ServerTls, (typeof CASES)['off']][]) {
    test(`on a server with TLS: ${tls}`, async () => {
      assert.ok(server);
      await server.use(tls);
      for (const [query, expected] of cases) {
        const clients = { url: `${server.url}?${query}`, workerUrl: `${server.workerUrl}?${query}` };
        for (const [name, client] of Object.entries(CLIENTS)) {
          const outcome = await outcomeOf(client, clients);
          const isAsExpected = outcome === 'connected' ? /^(tls|plain)$/.test(expected) : outcome === expected;
          assert.ok(isAsExpected, `${name} with ${query}: ${outcome} instead of ${expected}`);
        }
      }
    });
  }

  test('PGSSLMODE and PGSSLROOTCERT are used where the connection string says nothing', async () => {
    assert.ok(server);
    await server.use('good');
    const { url, folder } = server;
    const withVariables = (PGSSLMODE: string, PGSSLROOTCERT: string): ReturnType<typeof mashup> =>
      mashup(['migrate'], { DATABASE_URL: url, PGSSLMODE, PGSSLROOTCERT });
    const [trusted, other, missing] = await Promise.all([
      withVariables('verify-full', join(folder, 'ca.crt')),
      withVariables('verify-full', join(folder, 'other-ca.crt')),
      withVariables('verify-full', join(folder, 'missing.crt')),
    ]);
    assert.equal(trusted.code, 0, trusted.stderr);
    assert.match(other.stderr, /certificate .* is not trusted.*Set PGSSLROOTCERT .*docs\/how-to\/tls\.md/);
    assert.match(missing.stderr, /cannot be read \(ENOENT\).*missing\.crt.*Correct PGSSLROOTCERT/);
    assert.equal(other.stderr.trim().split('\n').length, 1);
  });

  test('sslrootcert=system trusts the certificates of the system', async () => {
    assert.ok(server);
    await server.use('good');
    const run = await mashup(['jobs'], {
      DATABASE_URL: `${server.url}?sslrootcert=system`,
      SSL_CERT_FILE: join(server.folder, 'ca.crt'),
    });
    assert.equal(run.code, 0, run.stderr);
  });

  test('a worker does not start with a certificate that it does not trust, and names the variable', async () => {
    assert.ok(server);
    await server.use('good');
    const start = runWorker({
      databaseUrl: `${server.workerUrl}?sslmode=verify-full&sslrootcert=${root('other-ca.crt')}`,
      supabaseUrl: 'http://127.0.0.1:1',
      serviceRoleKey: 'key',
      serviceUrls: { analysis: '', processing: '', scoring: '', orchestrator: '', separation: '' },
      write: () => {},
    });
    await assert.rejects(start, (error: WorkerStartError) => {
      assert.match(error.hint, /PGSSLROOTCERT/);
      return error.code === 'certificate_not_trusted';
    });
  });

  test('the watchdog of half-open connections closes encrypted ones, and the pool replaces them', async () => {
    assert.ok(server);
    await server.use('good');
    const pool = openPool(`${server.workerUrl}?sslmode=require`, { max: 1, name: 'test', sockets });
    const waiting = pool.query('select pg_sleep(5)');
    await until('the query runs', async () => (await activeSleeps()) > 0);
    const ownTime = startOwnTime();
    sockets.destroySilentSince(performance.now() + 1_000);
    await assert.rejects(waiting, /did not respond in time|terminated/);
    assert.ok(ownTime() < 1_000);
    assert.equal((await pool.query<{ ssl: boolean }>(IS_ENCRYPTED)).rows[0]?.ssl, true);
    await pool.end();
  });

  test('the error of a server that demands TLS names sslmode', async () => {
    assert.ok(server);
    await server.use('good');
    await server.allowPlain(false);
    const run = await mashup(['jobs'], { DATABASE_URL: `${server.url}?sslmode=disable` });
    assert.match(run.stderr, /no encryption.*set sslmode=require/);
    const encrypted = await mashup(['jobs'], { DATABASE_URL: server.url });
    assert.equal(encrypted.code, 0, encrypted.stderr);
  });
});

test('worker, command line and migrations open connections only with the shared options', async () => {
  const found: string[] = [];
  for await (const file of glob('{worker,cli,migrate}/**/*.ts', { cwd: ROOT })) {
    const text = await readFile(join(ROOT, file), 'utf8');
    if (/connectionString|\bpostgres\((?!\s*postgresOptions|ql)|new pg\.\w+\((?!\{[^}]*pgOptions)/.test(text))
      found.push(file);
  }
  assert.deepEqual(found, []);
});
