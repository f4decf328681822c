/** The TLS settings of a connection string and of the PG* variables, with the meanings of libpq. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import type { ConnectionVariables } from './environment.ts';
import { ConnectionError } from './errors.ts';

/** Modes of libpq, and `no-verify` of `pg`, which is the same as `require` without a root certificate. */
const MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'] as const;
type Mode = (typeof MODES)[number];

/** Parameters of libpq and the variables that give their defaults. */
const VARIABLES = {
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  sslpassword: undefined,
  sslnegotiation: 'PGSSLNEGOTIATION',
} as const;
type Parameter = keyof typeof VARIABLES;
type Values = Partial<Record<Parameter, string>>;

/** How to encrypt a connection. */
export interface TlsSettings {
  /** `prefer`: without TLS if the server has none, or if the handshake fails. */
  mode: 'disable' | 'prefer' | 'require';
  /** Starts with the handshake, without asking the server for TLS first. */
  isDirect: boolean;
  /** Options of `tls.connect`: certificates and checks. */
  options: ConnectionOptions;
}

/**
 * Reads the TLS settings.
 * @param query the parameters of the connection string; they take precedence over the variables
 * @throws ConnectionError for an unknown mode or parameter, a combination that libpq refuses, and a missing file
 */
export function readTlsSettings(query: URLSearchParams, environment: ConnectionVariables): TlsSettings {
  const values = readValues(query, environment);
  const mode = readMode(values);
  const isDirect = readNegotiation(values.sslnegotiation, mode);
  if (mode === 'disable') return { mode, isDirect: false, options: {} };
  return {
    mode: mode === 'allow' || mode === 'prefer' ? 'prefer' : 'require',
    isDirect,
    options: { ...serverChecks(mode, values.sslrootcert), ...clientCertificate(values) },
  };
}

function readValues(query: URLSearchParams, environment: ConnectionVariables): Values {
  const values: Values = {};
  for (const [name, variable] of Object.entries(VARIABLES) as [Parameter, keyof ConnectionVariables | undefined][]) {
    const value = query.get(name) || (variable === undefined ? undefined : environment[variable]);
    if (value) values[name] = value;
  }
  // The form of postgres.js and of earlier versions of pg.
  const short = query.get('ssl');
  if (short && values.sslmode === undefined) {
    values.sslmode = { true: 'require', '1': 'require', false: 'disable', '0': 'disable' }[short] ?? short;
  }
  for (const name of query.keys()) {
    // A misspelt parameter must not weaken the connection.
    if (/^ssl/.test(name) && name !== 'ssl' && !(name in VARIABLES)) {
      throw new ConnectionError(
        'bad_tls_setting',
        `DATABASE_URL has the unknown parameter ${name}`,
        `The TLS parameters are ${Object.keys(VARIABLES).join(', ')}.`,
      );
    }
  }
  return values;
}

/** Returns the mode: `prefer` by default, and `verify-full` with the certificates of the system. */
function readMode({ sslmode, sslrootcert }: Values): Mode {
  const mode = MODES.find((known) => known === sslmode);
  if (sslmode !== undefined && mode === undefined) {
    throw new ConnectionError('bad_tls_setting', `sslmode ${sslmode} is unknown`, `The modes are ${MODES.join(', ')}.`);
  }
  if (sslrootcert !== 'system') return mode ?? 'prefer';
  if (mode === undefined || mode === 'verify-full') return 'verify-full';
  throw new ConnectionError(
    'bad_tls_setting',
    `sslmode ${mode} is too weak for sslrootcert=system: anyone can get a certificate of a public CA`,
    'Use sslmode=verify-full, which also checks the host name.',
  );
}

function readNegotiation(value: string | undefined, mode: Mode): boolean {
  if (value === undefined || value === 'postgres') return false;
  if (value === 'direct' && !['disable', 'allow', 'prefer'].includes(mode)) return true;
  throw new ConnectionError(
    'bad_tls_setting',
    `sslnegotiation ${value} cannot be used with sslmode ${mode}`,
    'Remove sslnegotiation, or use sslnegotiation=direct with sslmode=require or a stronger mode.',
  );
}

/** Returns the options that check the server's certificate. `require` checks it if there is a root certificate. */
function serverChecks(mode: Mode, sslrootcert: string | undefined): ConnectionOptions {
  const isVerified = mode === 'verify-ca' || mode === 'verify-full';
  if (!isVerified && mode !== 'require') return { rejectUnauthorized: false };
  const ca = rootCertificates(sslrootcert);
  if (ca === undefined && !isVerified) return { rejectUnauthorized: false };
  if (ca === undefined) {
    throw new ConnectionError(
      'tls_file_missing',
      `sslmode ${mode} needs a root certificate, and there is none in ${defaultFile('root.crt')}`,
      'Set PGSSLROOTCERT (or sslrootcert= in DATABASE_URL) to the CA certificate of the server, or to `system` for a public CA. See docs/how-to/tls.md.',
    );
  }
  const options: ConnectionOptions = { ca, rejectUnauthorized: true };
  if (mode !== 'verify-full') options.checkServerIdentity = () => undefined;
  return options;
}

function rootCertificates(sslrootcert: string | undefined): string[] | undefined {
  if (sslrootcert === 'system') return [...getCACertificates('default'), ...getCACertificates('system')];
  if (sslrootcert !== undefined) return [readFile(sslrootcert, 'sslrootcert')];
  const file = defaultFile('root.crt');
  return existsSync(file) ? [readFile(file, 'sslrootcert')] : undefined;
}

function clientCertificate({ sslcert, sslkey, sslpassword }: Values): ConnectionOptions {
  const certFile = sslcert ?? defaultFile('postgresql.crt');
  if (sslcert === undefined && !existsSync(certFile)) return {};
  const options: ConnectionOptions = {
    cert: readFile(certFile, 'sslcert'),
    key: readFile(sslkey ?? defaultFile('postgresql.key'), 'sslkey'),
  };
  if (sslpassword !== undefined) options.passphrase = sslpassword;
  return options;
}

/** Returns the path of a file in libpq's folder. */
function defaultFile(name: string): string {
  return join(homedir(), '.postgresql', name);
}

function readFile(path: string, parameter: 'sslrootcert' | 'sslcert' | 'sslkey'): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConnectionError(
      'tls_file_missing',
      `the file of ${parameter} cannot be read (${code}): ${path}`,
      `Correct ${VARIABLES[parameter]}, or ${parameter}= in DATABASE_URL.`,
      error,
    );
  }
}
