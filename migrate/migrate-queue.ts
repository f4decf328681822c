/** The schema of the queue: created and upgraded by the library of Graphile Worker, without effect on other applications. */
import { Logger, runMigrations } from 'graphile-worker';
import pg from 'pg';
import type postgres from 'postgres';
import { pgOptions } from '../connection/clients.ts';
import { MigrateError } from './migrate-error.ts';

/** Schema of the queue unless setting `queue_schema` names another one. */
export const DEFAULT_QUEUE_SCHEMA = 'mashup_queue';

/** What a schema holds already. */
interface SchemaContent {
  is_queue: boolean;
  has_relations: boolean;
}

export interface QueueMigration {
  databaseUrl: string;
  schema: string;
  log: (line: string) => void;
}

/**
 * Creates or upgrades the schema of the queue. A schema that another application uses is used as it is, but never changed: an
 * upgrade would stop that application's workers.
 * @throws MigrateError `queue_schema_taken` if the schema is not a queue, or if it would have to be upgraded under another application
 */
export async function migrateQueue(
  sql: postgres.Sql | postgres.TransactionSql,
  { databaseUrl, schema, log }: QueueMigration,
): Promise<void> {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema) || /^(pg_.*|mashup|public|information_schema)$/.test(schema)) {
    throw taken(`"${schema}" cannot be the schema of the queue`, schema);
  }
  const [content] = await sql<SchemaContent[]>`
    select to_regclass(${`${schema}.migrations`}) is not null and to_regclass(${`${schema}._private_tasks`}) is not null as is_queue,
      exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = ${schema}) as has_relations`;
  if (content?.has_relations && !content.is_queue) {
    throw taken(`the schema "${schema}" exists and is not a queue of Graphile Worker`, schema);
  }
  const foreign = content?.is_queue ? await foreignTasks(sql, schema) : [];
  const guard = new QueryGuard(schema, foreign.length > 0);
  const pool = new pg.Pool({ ...pgOptions(databaseUrl), max: 1 });
  // An idle connection that is lost: the next query reports it.
  pool.on('error', () => {});
  pool.on('connect', (client) => guard.attach(client));
  try {
    await runMigrations({ pgPool: pool, schema, logger: quietLogger(log) });
    if (!content?.is_queue) log(`created the schema of the queue, ${schema}`);
  } catch (error) {
    if (!guard.isUpgradeRefused) throw error;
    throw taken(
      `the schema "${schema}" is the queue of another application (its tasks: ${foreign.slice(0, 3).join(', ')}) and has an older version of Graphile Worker; an upgrade would stop that application`,
      schema,
    );
  } finally {
    await pool.end();
  }
}

function taken(message: string, schema: string): MigrateError {
  return new MigrateError(
    'queue_schema_taken',
    message,
    `Nothing was changed. Name another schema: \`mashup migrate --queue-schema ${schema === DEFAULT_QUEUE_SCHEMA ? 'mashup_queue_2' : DEFAULT_QUEUE_SCHEMA}\`, which changes the setting queue_schema.`,
  );
}

/** Returns the identifiers of tasks of other applications in a queue. */
async function foreignTasks(sql: postgres.Sql | postgres.TransactionSql, schema: string): Promise<string[]> {
  const rows = await sql<{ identifier: string }[]>`
    select identifier from ${sql(schema)}._private_tasks where identifier not like 'mashup:%' order by identifier`;
  return rows.map((row) => row.identifier);
}

/** Watches the queries of Graphile Worker's migrations. */
class QueryGuard {
  isUpgradeRefused = false;
  readonly #insertsVersion: string;
  readonly #isForeign: boolean;

  /** @param isForeign whether another application uses the schema, so that it must not be upgraded */
  constructor(schema: string, isForeign: boolean) {
    this.#insertsVersion = `insert into "${schema}".migrations`;
    this.#isForeign = isForeign;
  }

  attach(client: pg.PoolClient): void {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    Object.assign(client, {
      query: (...args: unknown[]) => {
        const [first, values] = args;
        const text = typeof first === 'string' ? first : ((first as { text?: string } | undefined)?.text ?? '');
        // Every worker of the database listens to this channel, whatever its schema, and exits when another schema is upgraded
        // (graphile-worker 0.18.0). Workers of the engine notice an upgrade by themselves.
        if (text.includes('pg_notify') && Array.isArray(values) && values[0] === 'worker:migrate') {
          return Promise.resolve({ rows: [] });
        }
        if (this.#isForeign && text.startsWith(this.#insertsVersion)) {
          this.isUpgradeRefused = true;
          return Promise.reject(new Error('refused'));
        }
        return query(...args);
      },
    });
  }
}

function quietLogger(log: (line: string) => void): Logger {
  return new Logger(() => (level, message) => {
    if (level === 'warning' || level === 'error') log(`Graphile Worker: ${message}`);
  });
}
