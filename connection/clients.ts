/** Options of the two database clients for a connection string. */
import type { ClientConfig } from 'pg';
import type postgres from 'postgres';
import { readConnection } from './settings.ts';
import { DatabaseSocket } from './socket.ts';
import type { CreateSocket } from './socket.ts';

/**
 * Returns options of `pg.Client` and `pg.Pool`.
 * @param createSocket creates the network connection below TLS
 * @throws ConnectionError for a connection string that cannot be used
 */
export function pgOptions(url: string, createSocket?: CreateSocket): ClientConfig {
  const settings = readConnection(url);
  const options: ClientConfig = {
    host: settings.host,
    port: settings.port,
    // The stream is encrypted already. Given explicitly, because pg would read PGSSLMODE and PGSSLNEGOTIATION.
    ssl: false,
    stream: () => new DatabaseSocket(settings, createSocket),
  };
  Object.assign(options, { sslnegotiation: 'postgres' });
  if (settings.user !== undefined) options.user = settings.user;
  if (settings.password !== undefined) options.password = settings.password;
  if (settings.database !== undefined) options.database = settings.database;
  if (settings.applicationName !== undefined) options.application_name = settings.applicationName;
  if (settings.options !== undefined) options.options = settings.options;
  if (settings.connectTimeoutSec !== undefined) options.connectionTimeoutMillis = settings.connectTimeoutSec * 1000;
  return options;
}

type PostgresOptions = postgres.Options<Record<string, never>>;

/**
 * Returns options of postgres.js, to be passed without a URL.
 * @throws ConnectionError for a connection string that cannot be used
 */
export function postgresOptions(url: string, own: PostgresOptions = {}): PostgresOptions {
  const settings = readConnection(url);
  const options: PostgresOptions & { socket: () => DatabaseSocket; sslnegotiation: null } = {
    ...own,
    host: settings.host,
    port: settings.port,
    ssl: false,
    sslnegotiation: null,
    socket: () => new DatabaseSocket(settings).connect(),
    connection: {
      ...own.connection,
      ...(settings.applicationName === undefined ? {} : { application_name: settings.applicationName }),
      ...(settings.options === undefined ? {} : { options: settings.options }),
    },
  };
  if (settings.user !== undefined) options.user = settings.user;
  if (settings.password !== undefined) options.password = settings.password;
  if (settings.database !== undefined) options.database = settings.database;
  if (settings.connectTimeoutSec !== undefined) options.connect_timeout = settings.connectTimeoutSec;
  return options;
}
