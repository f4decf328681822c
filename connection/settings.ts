/** Reads a connection string. All clients of the engine read it here, so that they agree on its meaning. */
import { parse } from 'pg-connection-string';
import type { ConnectionVariables } from './environment.ts';
import { ConnectionError } from './errors.ts';
import { readTlsSettings } from './tls-settings.ts';
import type { TlsSettings } from './tls-settings.ts';

const DEFAULT_PORT = 5432;

/** The parts of a connection string. Undefined parts are left to the defaults of the client. */
export interface ConnectionSettings {
  /** Name or address; the folder of a Unix socket starts with a slash. */
  host: string;
  port: number;
  user: string | undefined;
  password: string | undefined;
  database: string | undefined;
  applicationName: string | undefined;
  /** Command-line options of the server session. */
  options: string | undefined;
  connectTimeoutSec: number | undefined;
  tls: TlsSettings;
}

/**
 * Reads a connection string and the PG* variables, with the meanings of libpq. Parameters of other clients, such as
 * `pgbouncer=true`, are ignored: sent to the server, they would end the connection.
 * @throws ConnectionError
 */
export function readConnection(url: string, environment: ConnectionVariables = process.env): ConnectionSettings {
  refuseSeveralHosts(url);
  if (!URL.canParse(url) || !/^postgres(ql)?:$/.test(new URL(url).protocol)) {
    throw new ConnectionError(
      'bad_database_url',
      'DATABASE_URL is not a postgres:// URL',
      'Its form is postgres://user:password@host:port/database; special characters of the password are percent-encoded.',
    );
  }
  const withoutQuery = new URL(url);
  const query = new URLSearchParams(withoutQuery.search);
  withoutQuery.search = '';
  const { host, port, user, password, database } = parse(withoutQuery.href);
  return {
    host: query.get('host') || host || environment.PGHOST || 'localhost',
    port: Number(query.get('port') || port || environment.PGPORT || DEFAULT_PORT),
    user: user || environment.PGUSER,
    password: password || environment.PGPASSWORD,
    database: database || environment.PGDATABASE,
    applicationName: query.get('application_name') || undefined,
    options: query.get('options') || environment.PGOPTIONS,
    connectTimeoutSec: Number(query.get('connect_timeout') || environment.PGCONNECT_TIMEOUT) || undefined,
    tls: readTlsSettings(query, environment),
  };
}

/** A list of hosts is libpq's failover. The clients of the engine connect to one server: a list would be read as one name. */
function refuseSeveralHosts(url: string): void {
  const [, authority = ''] = /^postgres(?:ql)?:\/\/([^/?]*)/.exec(url) ?? [];
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  if (!host.includes(',')) return;
  throw new ConnectionError(
    'bad_database_url',
    'DATABASE_URL names several hosts',
    'Name one host: the primary server, or an address that always leads to it.',
  );
}
