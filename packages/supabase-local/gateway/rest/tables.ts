/** Reads and writes tables and views. */
import type { Sql } from 'postgres';
import { readBody } from '../http.ts';
import type { Exchange } from '../exchange.ts';
import type { Identity } from '../identity.ts';
import { EXPOSED_SCHEMA } from './catalog.ts';
import type { Catalog, Shape } from './catalog.ts';
import { pageClause, selectList, whereClause } from './clauses.ts';
import { restError, unsupported } from './errors.ts';
import { readPreferences } from './preferences.ts';
import { referencedColumns, parseQuery } from './query.ts';
import type { Query } from './query.ts';
import { runStatement } from './run.ts';
import type { Statement } from './run.ts';
import { Parameters, quote } from './statement.ts';

/** Dependencies of the REST routes. */
export interface RestContext {
  sql: Sql;
  catalog: Catalog;
}

interface Payload {
  /** The body's text, always a JSON array. */
  text: string;
  columns: string[];
  rows: number;
}

async function requireRelation(catalog: Catalog, name: string, columns: string[]): Promise<Shape> {
  const shape = await catalog.relation(name, columns);
  if (shape) return shape;
  throw restError(404, 'PGRST205', `Could not find the table '${EXPOSED_SCHEMA}.${name}' in the schema cache`);
}

function invalidBody(message: string): Error {
  return restError(400, 'PGRST102', message);
}

/**
 * Parses a body of one or several objects. The text is returned unchanged, so that numbers keep digits which JavaScript would
 * lose.
 * @throws HttpError 400 `PGRST102` for any other body
 */
export async function readRows(
  exchange: Exchange,
): Promise<{ text: string; rows: Record<string, unknown>[]; many: boolean }> {
  const text = (await readBody(exchange)).toString('utf8').trim() || '{}';
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw invalidBody('Empty or invalid json');
  }
  const rows: unknown[] = Array.isArray(parsed) ? parsed : [parsed];
  if (
    !rows.every((row): row is Record<string, unknown> => typeof row === 'object' && row !== null && !Array.isArray(row))
  )
    throw invalidBody('Empty or invalid json');
  return { text, rows, many: Array.isArray(parsed) };
}

async function readPayload(exchange: Exchange, query: Query): Promise<Payload> {
  const { text, rows, many } = await readRows(exchange);
  const keys = Object.keys(rows[0] ?? {});
  if (
    !query.columns &&
    rows.some((row) => Object.keys(row).length !== keys.length || keys.some((key) => !(key in row)))
  )
    throw invalidBody('All object keys must match');
  return { text: many ? text : `[${text}]`, columns: query.columns ?? keys, rows: rows.length };
}

function requireBodyColumns(shape: Shape, columns: string[]): void {
  const missing = columns.find((column) => !shape.columns.has(column));
  if (missing !== undefined)
    throw restError(400, 'PGRST204', `Could not find the '${missing}' column of '${shape.name}' in the schema cache`);
}

/** Returns the body as a set of rows, with the types of the columns. */
function bodyRows(shape: Shape, payload: Payload, parameters: Parameters): string {
  const list = payload.columns.map((name) => `${quote(name)} ${shape.columns.get(name)!.type}`).join(', ');
  return `json_to_recordset(${parameters.bind(payload.text)}::json) as body (${list})`;
}

function readStatement(shape: Shape, query: Query, table: string, count: boolean): Statement {
  const parameters = new Parameters();
  const where = whereClause(shape, query.filters, 'rows', parameters);
  const list = selectList(shape, query.select, 'rows');
  return {
    with: `source as (select ${list} from ${table} as rows ${where} ${pageClause(shape, query, 'rows')})`,
    returns: true,
    total: count ? `(select count(*) from ${table} as rows ${where})` : undefined,
    parameters: parameters.values,
  };
}

function insertStatement(shape: Shape, query: Query, table: string, payload: Payload, returning: string): Statement {
  const parameters = new Parameters();
  const names = payload.columns.map(quote).join(', ');
  const rows = bodyRows(shape, payload, parameters);
  const values = payload.columns.length === 0 ? 'default values' : `(${names}) select ${names} from ${rows}`;
  return {
    with: `source as (insert into ${table} as rows ${values} returning ${returning})`,
    returns: returning !== '1',
    parameters: payload.columns.length === 0 ? [] : parameters.values,
  };
}

function updateStatement(shape: Shape, query: Query, table: string, payload: Payload, returning: string): Statement {
  const parameters = new Parameters();
  const rows = bodyRows(shape, payload, parameters);
  const assignments = payload.columns.map((name) => `${quote(name)} = body.${quote(name)}`).join(', ');
  const where = whereClause(shape, query.filters, 'rows', parameters);
  return {
    with: `source as (update ${table} as rows set ${assignments} from ${rows} ${where} returning ${returning})`,
    returns: returning !== '1',
    parameters: parameters.values,
  };
}

function deleteStatement(shape: Shape, query: Query, table: string, returning: string): Statement {
  const parameters = new Parameters();
  const where = whereClause(shape, query.filters, 'rows', parameters);
  return {
    with: `source as (delete from ${table} as rows ${where} returning ${returning})`,
    returns: returning !== '1',
    parameters: parameters.values,
  };
}

/** Rejects a write without a filter, as the safeupdate extension of hosted Supabase does. */
function requireFilter(query: Query, command: 'UPDATE' | 'DELETE'): void {
  if (query.filters.length === 0) throw restError(400, '21000', `${command} requires a WHERE clause`);
  if (query.limit !== undefined || query.order.length > 0) throw unsupported(`limit and order in ${command}`);
}

/** Handles one call on a table or view. */
export async function handleTable(
  context: RestContext,
  exchange: Exchange,
  identity: Identity,
  name: string,
): Promise<void> {
  const { method } = exchange;
  const preferences = readPreferences(exchange);
  const query = parseQuery(exchange.query);
  const payload = method === 'POST' || method === 'PATCH' ? await readPayload(exchange, query) : undefined;
  const shape = await requireRelation(context.catalog, name, [
    ...referencedColumns(query),
    ...(payload?.columns ?? []),
  ]);
  const table = `${quote(EXPOSED_SCHEMA)}.${quote(shape.name)}`;
  const returning = preferences.representation ? selectList(shape, query.select, 'rows') : '1';
  const run = (statement: Statement, status: number): Promise<void> =>
    runStatement(context.sql, exchange, identity, statement, {
      preferences,
      status,
      offset: method === 'GET' || method === 'HEAD' ? query.offset : 0,
      requireOne: true,
    });
  if (method === 'GET' || method === 'HEAD') return run(readStatement(shape, query, table, preferences.count), 200);
  if (preferences.count) throw unsupported('count of a write');
  if (payload) requireBodyColumns(shape, payload.columns);
  if (method === 'POST' && payload) return run(insertStatement(shape, query, table, payload, returning), 201);
  const written = preferences.representation ? 200 : 204;
  if (method === 'PATCH' && payload) {
    requireFilter(query, 'UPDATE');
    if (payload.columns.length > 0) return run(updateStatement(shape, query, table, payload, returning), written);
    const noRows = {
      with: `source as (select ${selectList(shape, query.select, 'rows')} from ${table} as rows where false)`,
    };
    return run({ ...noRows, returns: preferences.representation, parameters: [] }, written);
  }
  if (method !== 'DELETE') throw unsupported(`${method} on a table`);
  requireFilter(query, 'DELETE');
  return run(deleteStatement(shape, query, table, returning), written);
}
