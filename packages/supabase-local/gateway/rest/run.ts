/** Runs the statement of a REST call as its caller and sends the result. */
import type { OutgoingHttpHeaders } from 'node:http';
import type { Sql } from 'postgres';
import { z } from 'zod';
import { withIdentity, databaseError } from '../database.ts';
import { send } from '../http.ts';
import type { Exchange } from '../exchange.ts';
import type { Identity } from '../identity.ts';
import { EXPOSED_SCHEMA } from './catalog.ts';
import { toRestError, restError } from './errors.ts';
import { contentType } from './preferences.ts';
import type { Preferences } from './preferences.ts';

/** Result of a statement: `rows` is the number of rows in the body, `total` the number of all rows if it was requested. */
interface Outcome {
  body: string | null;
  rows: number;
  total: number | null;
  status: string | null;
  headers: string | null;
}

/** A statement whose common table expression `source` has the rows of the response. */
export interface Statement {
  /** The common table expressions, including `source`. */
  with: string;
  /** Whether the rows of `source` are returned, or only counted. */
  returns: boolean;
  /** SQL expression of the body; default: an array of the rows of `source`. */
  body?: string;
  /** Scalar subquery for the total, if it was requested. */
  total?: string;
  parameters: string[];
}

const RowsBody = `coalesce(json_agg(row_of_source), '[]')::text`;

function textOf(statement: Statement, preferences: Preferences): string {
  const rows = preferences.single ? `(json_agg(row_of_source) -> 0)::text` : RowsBody;
  const body = statement.returns ? (statement.body ?? rows) : 'null::text';
  return `with ${statement.with}
    select ${body} as body, count(*)::int as rows, ${statement.total ?? 'null'}::int as total,
      nullif(current_setting('response.status', true), '') as status,
      nullif(current_setting('response.headers', true), '') as headers
    from (select * from source) as row_of_source`;
}

const ResponseHeaders = z.array(z.record(z.string(), z.string()));

function responseHeaders(text: string | null): OutgoingHttpHeaders {
  if (text === null) return {};
  try {
    return Object.assign({}, ...ResponseHeaders.parse(JSON.parse(text)));
  } catch {
    throw restError(
      500,
      'PGRST111',
      'response.headers guc must be a JSON array composed of objects with a single key and a string value',
    );
  }
}

function responseStatus(text: string | null): number | undefined {
  if (text === null) return undefined;
  const status = Number(text);
  if (Number.isInteger(status) && status >= 100 && status <= 599) return status;
  throw restError(500, 'PGRST112', 'response.status guc must be a valid status code');
}

function requestSettings({ request, method, path }: Exchange): Record<string, string> {
  return {
    'request.headers': JSON.stringify(request.headers),
    'request.method': method,
    'request.path': path.slice('/rest/v1'.length),
    search_path: `${EXPOSED_SCHEMA}, extensions`,
    'response.status': '',
    'response.headers': '',
  };
}

/** Returns the `Content-Range`, e.g. `0-4/17`, with `*` for an empty range or an unknown total. */
function contentRange(offset: number, rows: number, total: number | null): string {
  return `${rows === 0 ? '*' : `${offset}-${offset + rows - 1}`}/${total ?? '*'}`;
}

/** How the result of a statement becomes a response. */
interface ResponseOptions {
  preferences: Preferences;
  /** Status of success. */
  status: number;
  offset?: number;
  /** Whether exactly one row is required if `preferences.single` is set. */
  requireOne?: boolean;
}

/**
 * Runs the statement in a transaction of the caller and sends the response.
 * @throws HttpError for errors of Postgres, and 406 `PGRST116` if one row was requested and there is another number
 */
export async function runStatement(
  sql: Sql,
  exchange: Exchange,
  identity: Identity,
  statement: Statement,
  options: ResponseOptions,
): Promise<void> {
  const { preferences, offset = 0 } = options;
  const readOnly = exchange.method === 'GET' || exchange.method === 'HEAD';
  let outcome: Outcome;
  try {
    outcome = await withIdentity(
      sql,
      identity,
      async (transaction) => {
        const [row] = await transaction.unsafe<Outcome[]>(textOf(statement, preferences), statement.parameters);
        if (preferences.single && options.requireOne && statement.returns && row!.rows !== 1)
          throw restError(406, 'PGRST116', 'Cannot coerce the result to a single JSON object', {
            details: `The result contains ${row!.rows} rows`,
          });
        return row!;
      },
      { settings: requestSettings(exchange), readOnly },
    );
  } catch (error) {
    const postgresError = databaseError(error);
    if (postgresError) throw toRestError(postgresError, identity.role);
    throw error;
  }
  sendOutcome(exchange, outcome, statement, options, offset);
}

function sendOutcome(
  exchange: Exchange,
  outcome: Outcome,
  statement: Statement,
  options: ResponseOptions,
  offset: number,
): void {
  const { preferences } = options;
  const { rows, total } = outcome;
  if (total !== null && offset > total)
    throw restError(416, 'PGRST103', 'Requested range not satisfiable', {
      details: `An offset of ${offset} was requested, but there are only ${total} rows.`,
      headers: { 'content-range': `*/${total}` },
    });
  const partial = total !== null && rows < total && options.status === 200;
  const status = responseStatus(outcome.status) ?? (partial ? 206 : options.status);
  const common = {
    'content-range': contentRange(offset, rows, total),
    'content-profile': EXPOSED_SCHEMA,
    ...responseHeaders(outcome.headers),
  };
  if (!statement.returns) return send(exchange, status, common);
  send(exchange, status, { 'content-type': contentType(preferences), ...common }, outcome.body ?? 'null');
}
