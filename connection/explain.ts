/** Explains errors of connections: what failed, what to do about it, and whether a later attempt can succeed. */
import { ConnectionError } from './errors.ts';

/**
 * What a retry can do. `retry`: the database may be back soon. `refused`: the server refuses the login or the settings; only a
 * person can change that.
 */
export type ConnectionOutlook = 'retry' | 'refused';

export interface ConnectionExplanation {
  /** Kind of the error; `unexpected` for one that is not a connection's. */
  code: string;
  /** Never empty, unlike that of a refused connection to a name with several addresses. */
  message: string;
  /** What to do; empty if nothing is known about the error. */
  hint: string;
  outlook: ConnectionOutlook;
}

interface Cause {
  code: string;
  message: string;
  url: URL | undefined;
}

/** One kind of error. The first kind that matches explains an error. */
interface Kind {
  matches: (cause: Cause) => boolean;
  code: string;
  outlook: ConnectionOutlook;
  hint: string | ((cause: Cause) => string);
}

const POOLER_USER =
  "The pooler's user name is role.project-ref (mashup_worker.abcdefghijklmnopqrst), and its host is the one that the dashboard shows for the project (Connect > Session pooler).";
const CHECK_HOST = 'Check host and port in DATABASE_URL, and that the database runs.';

const KINDS: Kind[] = [
  {
    // Supavisor, in two generations.
    matches: ({ message }) => /tenant.*not found|no tenant identifier/i.test(message),
    code: 'pooler_tenant_not_found',
    outlook: 'refused',
    hint: POOLER_USER,
  },
  {
    matches: ({ code, message }) => code === '53300' || /max clients|too many (clients|connections)/i.test(message),
    code: 'too_many_connections',
    outlook: 'retry',
    hint: 'Raise the connection limit (pool size of the pooler, or max_connections), or run fewer workers or a lower WORKER_CONCURRENCY.',
  },
  {
    matches: ({ message }) => /unsupported startup parameter/i.test(message),
    code: 'pooler_startup_parameter',
    outlook: 'refused',
    hint: 'Remove the parameter from DATABASE_URL and from PGOPTIONS, or add it to ignore_startup_parameters of PgBouncer.',
  },
  {
    matches: ({ code, message }) =>
      ['28000', 'XX000', '08P01'].includes(code) && /no encryption|ssl (connection is )?required/i.test(message),
    code: 'tls_required',
    outlook: 'refused',
    hint: 'The server accepts encrypted connections only: set sslmode=require, or verify-full. See docs/how-to/tls.md.',
  },
  {
    matches: ({ code, message }) => code === '28000' && /client certificate/i.test(message),
    code: 'client_certificate_required',
    outlook: 'refused',
    hint: 'Set PGSSLCERT and PGSSLKEY (or sslcert= and sslkey= in DATABASE_URL). See docs/how-to/tls.md.',
  },
  {
    matches: ({ code }) => code === '28P01',
    code: 'login_refused',
    outlook: 'refused',
    hint: ({ url }) => `Check user and password in DATABASE_URL.${needsProjectRef(url) ? ` ${POOLER_USER}` : ''}`,
  },
  {
    matches: ({ code }) => code === '28000',
    code: 'login_refused',
    outlook: 'refused',
    hint: 'Check the user in DATABASE_URL, and that the role may log in.',
  },
  {
    matches: ({ code }) => code === '3D000',
    code: 'unknown_database',
    outlook: 'refused',
    hint: 'Check the database name in DATABASE_URL.',
  },
  {
    matches: ({ code }) => ['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'ENODATA'].includes(code),
    code: 'host_not_found',
    outlook: 'retry',
    hint: ({ url }) => `Check the host name in DATABASE_URL, and the DNS of this machine. ${supabaseHost(url)}`.trim(),
  },
  {
    matches: ({ code }) => ['ENETUNREACH', 'EHOSTUNREACH', 'EADDRNOTAVAIL'].includes(code),
    code: 'host_unreachable',
    outlook: 'retry',
    hint: ({ url }) => `Check the network of this machine. ${supabaseHost(url)}`.trim(),
  },
  {
    matches: ({ code, message }) =>
      ['ETIMEDOUT', 'CONNECT_TIMEOUT'].includes(code) || /timeout (expired|exceeded)/i.test(message),
    code: 'connect_timeout',
    outlook: 'retry',
    hint: `${CHECK_HOST} A firewall, or the network restrictions of the project, may drop the packets.`,
  },
  {
    matches: ({ code }) => /^(E(CONN|PIPE)|CONNECTION_|57P0|08)/.test(code),
    code: 'database_unreachable',
    outlook: 'retry',
    hint: CHECK_HOST,
  },
];

/**
 * Explains the error of a connection.
 * @param databaseUrl the connection string, to give hints about its host and user
 */
export function explainConnection(error: unknown, databaseUrl: string): ConnectionExplanation {
  if (error instanceof ConnectionError) {
    // A handshake also fails when the connection is lost during it.
    const outlook = error.code === 'tls_failed' ? 'retry' : 'refused';
    return { code: error.code, message: error.message, hint: error.hint, outlook };
  }
  const { code, message } = (typeof error === 'object' && error !== null ? error : {}) as Partial<Cause>;
  const cause: Cause = {
    code: String(code ?? ''),
    message: String(message ?? ''),
    url: URL.canParse(databaseUrl) ? new URL(databaseUrl) : undefined,
  };
  const kind = KINDS.find(({ matches }) => matches(cause));
  const text = cause.message || cause.code || String(error);
  if (kind === undefined) return { code: 'unexpected', message: text, hint: '', outlook: 'retry' };
  const hint = typeof kind.hint === 'string' ? kind.hint : kind.hint(cause);
  return { code: kind.code, message: text, hint, outlook: kind.outlook };
}

/** Whether the host is Supabase's pooler and the user lacks the project. */
function needsProjectRef(url: URL | undefined): boolean {
  return url !== undefined && url.hostname.endsWith('.pooler.supabase.com') && !url.username.includes('.');
}

function supabaseHost(url: URL | undefined): string {
  const host = url?.hostname ?? '';
  if (/^db\..*\.supabase\.co$/.test(host)) {
    return `The direct connection ${host} has an IPv6 address only (without the IPv4 add-on): where there is no IPv6, use the session pooler. ${POOLER_USER}`;
  }
  return host.endsWith('.pooler.supabase.com') ? POOLER_USER : '';
}
