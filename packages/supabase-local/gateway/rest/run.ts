/** Running the statement of a REST call as its caller, and answering with what it gave. */
import type { OutgoingHttpHeaders } from 'node:http';
import type { Sql } from 'postgres';
import { z } from 'zod';
import { withIdentity, databaseError } from '../database.ts';
import { send } from '../http.ts';
import type { Exchange } from '../exchange.ts';
import type { Identity } from '../identity.ts';
import { EXPOSED_SCHEMA } from './catalog.ts';
import { databaseRefusal, restError } from './errors.ts';
import { contentType } from './preferences.ts';
import type { Preferences } from './preferences.ts';

/** What a statement gives: `rows` is how many the body holds, `total` how many there are, both before any cutting. */
interface Outcome {
  body: string | null;
  rows: number;
  total: number | null;
  status: string | null;
  headers: string | null;
}

/** A statement whose `source` yields the rows of the answer. */
export interface Statement {
  /** The common table expressions, of which `source` holds the rows. */
  with: string;
  /** Whether `source` has rows to return, or is only counted. */
  returns: boolean;
  /** How the body is made of `source`; an array of its rows unless said otherwise. */
  body?: string;
  /** A scalar subquery for the total, where it was asked for. */
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

/** How the rows of the body lie in the whole: `0-4/17`, or a star for what is not known or not there. */
function contentRange(offset: number, rows: number, total: number | null): string {
  return `${rows === 0 ? '*' : `${offset}-${offset + rows - 1}`}/${total ?? '*'}`;
}

/** What a call wants of the answer beyond the statement. */
interface ResponseOptions {
  preferences: Preferences;
  /** Status when all went well. */
  status: number;
  offset?: number;
  /** The statement returns rows of which exactly one is wanted if `preferences.single`. */
  rowsWanted?: boolean;
}

/** Runs the statement in a transaction of the caller and answers. Errors of Postgres become refusals. */
export async function runStatement(
  sql: Sql,
  exchange: Exchange,
  identity: Identity,
  statement: Statement,
  wish: ResponseOptions,
): Promise<void> {
  const { preferences, offset = 0 } = wish;
  const reading = exchange.method === 'GET' || exchange.method === 'HEAD';
  let outcome: Outcome;
  try {
    outcome = await withIdentity(
      sql,
      identity,
      async (transaction) => {
        const [row] = await transaction.unsafe<Outcome[]>(textOf(statement, preferences), statement.parameters);
        if (preferences.single && wish.rowsWanted && statement.returns && row!.rows !== 1)
          throw restError(406, 'PGRST116', 'Cannot coerce the result to a single JSON object', {
            details: `The result contains ${row!.rows} rows`,
          });
        return row!;
      },
      { settings: requestSettings(exchange), readOnly: reading },
    );
  } catch (error) {
    const refused = databaseError(error);
    if (refused) throw databaseRefusal(refused, identity.role);
    throw error;
  }
  answer(exchange, outcome, statement, wish, offset);
}

function answer(
  exchange: Exchange,
  outcome: Outcome,
  statement: Statement,
  wish: ResponseOptions,
  offset: number,
): void {
  const { preferences } = wish;
  const { rows, total } = outcome;
  if (total !== null && offset > total)
    throw restError(416, 'PGRST103', 'Requested range not satisfiable', {
      details: `An offset of ${offset} was requested, but there are only ${total} rows.`,
      headers: { 'content-range': `*/${total}` },
    });
  const partial = total !== null && rows < total && wish.status === 200;
  const status = responseStatus(outcome.status) ?? (partial ? 206 : wish.status);
  const common = {
    'content-range': contentRange(offset, rows, total),
    'content-profile': EXPOSED_SCHEMA,
    ...responseHeaders(outcome.headers),
  };
  if (!statement.returns) return send(exchange, status, common);
  send(exchange, status, { 'content-type': contentType(preferences), ...common }, outcome.body ?? 'null');
}
