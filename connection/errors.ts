/** Typed errors of connections to Postgres, and explanations of those that drivers and servers report. */

export type ConnectionErrorCode =
  | 'bad_database_url'
  | 'bad_tls_setting'
  | 'tls_file_missing'
  | 'tls_not_supported'
  | 'tls_failed'
  | 'certificate_not_trusted'
  | 'certificate_expired'
  | 'certificate_host_mismatch';

/** A connection string that cannot be used, or a connection that could not be encrypted as it demands. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code: ConnectionErrorCode;
  readonly hint: string;

  constructor(code: ConnectionErrorCode, message: string, hint: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.hint = hint;
  }
}

const TLS_PAGE = 'docs/how-to/tls.md';
const NOT_TRUSTED: ReadonlySet<string> = new Set([
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'INVALID_CA',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
const OUT_OF_DATE: ReadonlySet<string> = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);

/** Converts the error of a TLS handshake. */
export function handshakeError(error: unknown, host: string): ConnectionError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (NOT_TRUSTED.has(code)) {
    return new ConnectionError(
      'certificate_not_trusted',
      `the certificate of the database server ${host} is not trusted (${code})`,
      `Set PGSSLROOTCERT (or sslrootcert= in DATABASE_URL) to the CA certificate of the server; on Supabase download it from the dashboard. See ${TLS_PAGE}.`,
      error,
    );
  }
  if (OUT_OF_DATE.has(code)) {
    return new ConnectionError(
      'certificate_expired',
      `the certificate of the database server ${host} is not valid today (${code})`,
      'Renew the certificate of the server, and check the clock of this machine.',
      error,
    );
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return new ConnectionError(
      'certificate_host_mismatch',
      `the certificate of the database server is not for host ${host}`,
      `Use a host name of the certificate in DATABASE_URL, or sslmode=verify-ca, which does not check the name. See ${TLS_PAGE}.`,
      error,
    );
  }
  return new ConnectionError(
    'tls_failed',
    `TLS with the database server ${host} failed: ${message}`,
    `Check that the host and port of DATABASE_URL are those of Postgres, and sslcert and sslkey if the server asks for them. See ${TLS_PAGE}.`,
    error,
  );
}

/** Returns the error of a server that does not speak TLS although the connection string demands it. */
export function tlsNotSupported(host: string): ConnectionError {
  return new ConnectionError(
    'tls_not_supported',
    `the database server ${host} does not support TLS`,
    `Enable TLS on the server (ssl = on), or set sslmode=disable where the network is trusted. See ${TLS_PAGE}.`,
  );
}
