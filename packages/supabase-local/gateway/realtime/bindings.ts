/** Subscriptions to changes of tables, checked against the database. */
import { createHash } from 'node:crypto';
import type { Sql } from 'postgres';
import { z } from 'zod';
import { databaseError } from '../database.ts';
import type { Role } from '../keys.ts';
import { RealtimeError } from './errors.ts';
import { isTyped, parseFilter } from './filters.ts';
import type { Condition } from './filters.ts';

/** Ids are below 2^27, as on hosted Realtime. */
const ID_RANGE = 2 ** 27;

const PUBLICATION = 'supabase_realtime';

/** One entry of `config.postgres_changes`. Unknown members are kept: the reply repeats them. */
export const SubscriptionRequest = z.looseObject({
  event: z.enum(['*', 'INSERT', 'UPDATE', 'DELETE']),
  schema: z.string(),
  table: z.string().nullish(),
  filter: z.string().nullish(),
});
/** What a client asks to subscribe to. */
export type SubscriptionRequest = z.infer<typeof SubscriptionRequest>;

/** A checked subscription. */
export interface Binding {
  id: number;
  event: SubscriptionRequest['event'];
  schema: string;
  table: string | undefined;
  conditions: Condition[];
}

/** Returns the id by which client and server name a subscription. Equal parameters have equal ids. */
export function bindingId({ event, schema, table, filter }: SubscriptionRequest): number {
  const text = JSON.stringify([event, schema, table ?? null, filter ?? null]);
  return createHash('sha256').update(text).digest().readUInt32BE(0) % ID_RANGE;
}

function unableToSubscribe({ event, schema, table, filter }: SubscriptionRequest, cause?: unknown): RealtimeError {
  const parameters = `event: ${event}, schema: ${schema}, table: ${table ?? '*'}, filters: ${filter ? `[${filter}]` : '[]'}, select: nil`;
  return new RealtimeError(
    `Unable to subscribe to changes with given parameters. Please check Realtime is enabled for the given connect parameters: [${parameters}]`,
    { cause },
  );
}

async function isPublished(sql: Sql, { schema, table }: SubscriptionRequest): Promise<boolean> {
  const rows = await sql`
    select 1 from pg_publication_tables
    where pubname = ${PUBLICATION} and (${schema} = '*' or schemaname = ${schema})
      and (${table ?? '*'} = '*' or tablename = ${table ?? '*'}) limit 1`;
  return rows.length > 0;
}

/**
 * Returns a condition with its values as Postgres writes them, so that equal values are equal texts.
 * @throws PostgresError for a literal that the column's type does not accept
 */
async function normalizeCondition(
  sql: Sql,
  role: Role,
  request: SubscriptionRequest,
  condition: Condition,
): Promise<Condition> {
  const [column] = await sql<{ type: string }[]>`
    select format_type(a.atttypid, null) as type
    from pg_catalog.pg_attribute a
    join pg_catalog.pg_class c on c.oid = a.attrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${request.schema} and c.relname = ${request.table ?? ''} and a.attname = ${condition.column}
      and a.attnum > 0 and not a.attisdropped and has_column_privilege(${role}, c.oid, a.attnum, 'select')`;
  if (!column) throw unableToSubscribe(request);
  if (!isTyped(condition)) return condition;
  const cast = `select array_agg((value::${column.type})::text order by position) as values from unnest($1::text[]) with ordinality as given (value, position)`;
  const [row] = await sql.unsafe<{ values: string[] }[]>(cast, [condition.values]);
  return { ...condition, values: row!.values };
}

/**
 * Checks one subscription for a role.
 * @throws RealtimeError whose message is sent in the `system` message
 */
export async function openBinding(sql: Sql, role: Role, request: SubscriptionRequest): Promise<Binding> {
  const conditions = request.filter ? parseFilter(request.filter) : [];
  if (!(await isPublished(sql, request))) throw unableToSubscribe(request);
  try {
    const checked = conditions.map((condition) => normalizeCondition(sql, role, request, condition));
    const table = request.table == null || request.table === '*' ? undefined : request.table;
    const { event, schema } = request;
    return { id: bindingId(request), event, schema, table, conditions: await Promise.all(checked) };
  } catch (error) {
    throw databaseError(error) ? unableToSubscribe(request, error) : error;
  }
}
