/** The variables of libpq that every connection to Postgres reads. */
import { z } from 'zod';

const text = (description: string): z.ZodOptional<z.ZodString> => z.string().optional().describe(description);

export const ConnectionEnvironment = z.object({
  PGHOST: text('Host, if `DATABASE_URL` has none.'),
  PGPORT: text('Port, if `DATABASE_URL` has none.'),
  PGUSER: text('User, if `DATABASE_URL` has none.'),
  PGPASSWORD: text('Password, if `DATABASE_URL` has none.'),
  PGDATABASE: text('Database, if `DATABASE_URL` has none.'),
  PGOPTIONS: text('Command-line options of the server session. PgBouncer refuses them by default.'),
  PGCONNECT_TIMEOUT: text('Limit for opening a connection, in seconds.'),
  PGSSLMODE: text('`disable`, `allow`, `prefer` (default), `require`, `verify-ca`, `verify-full`, `no-verify`.'),
  PGSSLROOTCERT: text("File with the certificate of the server's CA, or `system`. Default: `~/.postgresql/root.crt`."),
  PGSSLCERT: text('File with the client certificate. Default: `~/.postgresql/postgresql.crt`.'),
  PGSSLKEY: text('File with its key. Default: `~/.postgresql/postgresql.key`.'),
  PGSSLNEGOTIATION: text('`postgres` (default) or `direct`.'),
});

/** Values of the variables. */
export type ConnectionVariables = Partial<Record<keyof typeof ConnectionEnvironment.shape, string>>;
