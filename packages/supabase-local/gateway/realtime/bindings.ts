/** Subscriptions to changes of tables: what a channel asks for, checked against the database. */
import { createHash } from 'node:crypto';
import type { Sql } from 'postgres';
import { z } from 'zod';
import { databaseError } from '../database.ts';
import type { Role } from '../keys.ts';
import { RealtimeError } from './errors.ts';
import { isTyped, parseFilter } from './filters.ts';
import type { Condition } from './filters.ts';

/** Identifiers stay below 2^27, as the server has them. */
const ID_SPACE = 2 ** 27;

const PUBLICATION = 'supabase_realtime';

/** One entry of `config.postgres_changes`; unknown members are kept, since the reply must echo them. */
export const SubscriptionRequest = z.looseObject({
  event: z.enum(['*', 'INSERT', 'UPDATE', 'DELETE']),
  schema: z.string(),
  table: z.string().nullish(),
  filter: z.string().nullish(),
});
export type SubscriptionRequest = z.infer<typeof SubscriptionRequest>;

/** A subscription that is live. */
export interface Binding {
  id: number;
  event: SubscriptionRequest['event'];
  schema: string;
  table: string | undefined;
  conditions: Condition[];
}

/** The number by which client and server name the subscription: equal parameters, equal number. */
export function bindingId({ event, schema, table, filter }: SubscriptionRequest): number {
  const text = JSON.stringify([event, schema, table ?? null, filter ?? null]);
  return createHash('sha256').update(text).digest().readUInt32BE(0) % ID_SPACE;
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

/** The values of a condition as Postgres writes them, so that equal values are equal texts. Throws for a bad literal. */
async function canonicalCondition(
  sql: Sql,
  role: Role,
  wanted: SubscriptionRequest,
  condition: Condition,
): Promise<Condition> {
  const [column] = await sql<{ type: string }[]>`
    select format_type(a.atttypid, null) as type
    from pg_catalog.pg_attribute a
    join pg_catalog.pg_class c on c.oid = a.attrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${wanted.schema} and c.relname = ${wanted.table ?? ''} and a.attname = ${condition.column}
      and a.attnum > 0 and not a.attisdropped and has_column_privilege(${role}, c.oid, a.attnum, 'select')`;
  if (!column) throw unableToSubscribe(wanted);
  if (!isTyped(condition)) return condition;
  const cast = `select array_agg((value::${column.type})::text order by place) as values from unnest($1::text[]) with ordinality as given (value, place)`;
  const [row] = await sql.unsafe<{ values: string[] }[]>(cast, [condition.values]);
  return { ...condition, values: row!.values };
}

/** Checks one subscription. Throws RealtimeRefusal with the text that the `system` message carries. */
export async function openBinding(sql: Sql, role: Role, wanted: SubscriptionRequest): Promise<Binding> {
  const conditions = wanted.filter ? parseFilter(wanted.filter) : [];
  if (!(await isPublished(sql, wanted))) throw unableToSubscribe(wanted);
  try {
    const checked = conditions.map((condition) => canonicalCondition(sql, role, wanted, condition));
    const table = wanted.table == null || wanted.table === '*' ? undefined : wanted.table;
    const { event, schema } = wanted;
    return { id: bindingId(wanted), event, schema, table, conditions: await Promise.all(checked) };
  } catch (error) {
    throw databaseError(error) ? unableToSubscribe(wanted, error) : error;
  }
}
