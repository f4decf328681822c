/** A Postgres whose TLS can be switched on and off, and certificates of a private CA. */
import { execFile } from 'node:child_process';
import { chmod, chown, copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { prepareDatabase } from '../../local/database.ts';
import { startPostgres } from '../../local/postgres/launcher.ts';
import type { CleanUpScope } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** `off`: without TLS. `good`: a certificate for the server's host. `other-host`: one for another host. */
export type ServerTls = 'off' | 'good' | 'other-host';

export interface TlsServer {
  superuserUrl: string;
  /** Connection URLs without parameters. The host is an address that the certificate `good` names. */
  url: string;
  workerUrl: string;
  /** Folder of the certificates: ca.crt, other-ca.crt. */
  folder: string;
  use(tls: ServerTls): Promise<void>;
  /** Whether hosts may connect without TLS. */
  allowPlain(isAllowed: boolean): Promise<void>;
}

/** Starts a migrated database. @throws when `openssl` is missing */
export async function useTlsServer(scope: CleanUpScope): Promise<TlsServer> {
  const folder = await mkdtemp(join(tmpdir(), 'mashup-tls-'));
  await chmod(folder, 0o711);
  await makeCertificates(folder);
  const server = await startPostgres({ dataDir: folder, port: 0, settings: { fsync: 'off' } });
  scope.after(async () => {
    await server.stop('immediate');
    await rm(folder, { recursive: true, force: true });
  });
  const { superuserUrl } = server;
  const url = server.url.replace(/\?.*/, '');
  await prepareDatabase({ superuserUrl, url, workerPassword: 'worker', log: () => {} });
  const workerUrl = `postgres://mashup_worker:worker@127.0.0.1:${server.port}/postgres`;
  const sql = postgres(superuserUrl, { max: 1, onnotice: () => {}, idle_timeout: 1 });
  const [row] = await sql<{ data: string }[]>`select current_setting('data_directory') as data`;
  const data = row?.data ?? '';
  const { uid, gid } = await stat(data);
  const hba = await readFile(join(data, 'pg_hba.conf'), 'utf8');

  async function reload(setting: string, value: string): Promise<void> {
    await sql`select pg_reload_conf()`;
    // The server answers before it has read its files.
    await until('the server has read its files', async () => {
      const fresh = postgres(superuserUrl, { max: 1, onnotice: () => {} });
      try {
        const [row] = await fresh<{ value: string }[]>`select current_setting(${setting}) as value`;
        return row?.value === value;
      } finally {
        await fresh.end();
      }
    });
  }

  return {
    superuserUrl,
    url,
    workerUrl,
    folder,
    async use(tls) {
      if (tls !== 'off') {
        for (const kind of ['crt', 'key']) {
          const file = join(data, `server-${tls}.${kind}`);
          await copyFile(join(folder, `${tls}.${kind}`), file);
          await chmod(file, 0o600);
          await chown(file, uid, gid);
          await sql.unsafe(`alter system set ssl_${kind === 'crt' ? 'cert' : 'key'}_file = 'server-${tls}.${kind}'`);
        }
      }
      await sql.unsafe(`alter system set ssl = ${tls === 'off' ? 'off' : 'on'}`);
      await reload(tls === 'off' ? 'ssl' : 'ssl_cert_file', tls === 'off' ? 'off' : `server-${tls}.crt`);
    },
    async allowPlain(isAllowed) {
      await writeFile(join(data, 'pg_hba.conf'), isAllowed ? hba : hba.replace(/^host\s/gm, 'hostssl '));
      await sql`select pg_reload_conf()`;
    },
  };
}

async function makeCertificates(folder: string): Promise<void> {
  const path = (name: string): string => join(folder, name);
  for (const name of ['ca', 'other-ca']) {
    await run('openssl', [
      'req',
      '-x509',
      ...KEY,
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      path(`${name}.key`),
      '-out',
      path(`${name}.crt`),
    ]);
  }
  const hosts = { good: 'IP:127.0.0.1', 'other-host': 'DNS:other.example.test' };
  for (const [name, host] of Object.entries(hosts)) {
    await run('openssl', [
      'req',
      '-x509',
      ...KEY,
      '-days',
      '2',
      '-subj',
      '/CN=server',
      '-addext',
      `subjectAltName=${host}`,
      '-addext',
      'basicConstraints=critical,CA:FALSE',
      '-CA',
      path('ca.crt'),
      '-CAkey',
      path('ca.key'),
      '-keyout',
      path(`${name}.key`),
      '-out',
      path(`${name}.crt`),
    ]);
  }
}
